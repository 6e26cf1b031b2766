"""What happened since yesterday, one by one, and what grows old."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection, case, func

from tasks.reconcile.mismatch import MismatchState
from tasks.reconcile.report import A_DAY
from tasks.reconcile.report_money import money_of
from tasks.reconcile.report_rows import TABLE, OpenRow, select_listed

ROWS_SHOWN = 40
AGES = (
    ("up to 1 day", timedelta(days=1)),
    ("1 to 7 days", timedelta(days=7)),
    ("7 to 30 days", timedelta(days=30)),
    ("over 30 days", timedelta.max),
)


class ResolvedRow(NamedTuple):
    """A mismatch that was resolved, and how."""

    row: OpenRow
    closed_at: datetime
    how: str


@dataclass(slots=True)
class Age:
    """The open mismatches of one age; `cents` sums up the money in disagreement, by currency."""

    label: str
    count: int = 0
    cents: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """Some of what is new and of what was resolved in the last 24 hours; how old all is; the oldest."""

    new: Sequence[OpenRow]
    resolved: Sequence[ResolvedRow]
    ages: Sequence[Age]
    oldest: Sequence[OpenRow]


def read_changes(connection: Connection, now: datetime) -> Changes:
    """Read up to `ROWS_SHOWN` of each; the oldest are those that were there a day ago."""
    return Changes(
        new=_read_new(connection, now - A_DAY),
        resolved=_read_resolved(connection, now - A_DAY),
        ages=_count_ages(connection, now),
        oldest=_read_oldest(connection, now - A_DAY),
    )


def _read_new(connection: Connection, since: datetime) -> list[OpenRow]:
    query = select_listed(TABLE.c.state == MismatchState.OPEN, TABLE.c.first_seen_at >= since)
    query = query.order_by(func.coalesce(func.abs(TABLE.c.amount_cents), -1).desc(), TABLE.c.id)
    return [OpenRow(*row) for row in connection.execute(query.limit(ROWS_SHOWN))]


def _read_oldest(connection: Connection, before: datetime) -> list[OpenRow]:
    query = select_listed(TABLE.c.state == MismatchState.OPEN, TABLE.c.first_seen_at < before)
    query = query.order_by(TABLE.c.first_seen_at, TABLE.c.id)
    return [OpenRow(*row) for row in connection.execute(query.limit(ROWS_SHOWN))]


def _read_resolved(connection: Connection, since: datetime) -> list[ResolvedRow]:
    query = select_listed(TABLE.c.state == MismatchState.RESOLVED, TABLE.c.closed_at >= since)
    query = query.add_columns(TABLE.c.closed_at, func.coalesce(TABLE.c.reason, ""))
    rows = connection.execute(query.order_by(TABLE.c.closed_at.desc(), TABLE.c.id).limit(ROWS_SHOWN))
    return [ResolvedRow(OpenRow(*row[:-2]), row[-2], row[-1]) for row in rows]


def _count_ages(connection: Connection, now: datetime) -> list[Age]:
    listed = select_listed(TABLE.c.state == MismatchState.OPEN).subquery()
    bounds = [(listed.c.first_seen_at >= now - age, index) for index, (_, age) in enumerate(AGES[:-1])]
    index = case(*bounds, else_=len(AGES) - 1)
    cents = func.sum(money_of(listed.c))
    query = listed.select().with_only_columns(index, listed.c.currency, func.count(), cents)
    ages = [Age(label) for label, _ in AGES]
    for place, currency, number, sum_ in connection.execute(query.group_by(index, listed.c.currency)):
        ages[place].count += number
        if sum_ is not None:
            ages[place].cents[currency] += int(sum_)
    return ages
