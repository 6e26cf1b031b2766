"""What the report tells: how far the sides agree, what is open and why, what waits elsewhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from datetime import datetime, timedelta
from functools import cached_property

from sqlalchemy import Connection, func, select

from tasks.database import tables
from tasks.reconcile.mismatch import MismatchKind, MismatchState
from tasks.reconcile.report_ignored import IgnoredRow, read_ignored
from tasks.reconcile.report_rows import OpenRow, count_open, read_shown
from tasks.reconcile.report_waiting import DeadLetter, WaitingPush, count_dead, read_dead, read_waiting
from tasks.reconcile.standing import Standing, read_standing
from tasks.records.models import Entity

A_DAY = timedelta(days=1)
A_WEEK = timedelta(days=7)
SUBJECTS = (Entity.ORDER, Entity.CUSTOMER)
MONEY_FIELDS = ("total_cents", "refunded_cents")
"""What counts as money in disagreement; subtotal, shipping and tax are in the total already."""


@dataclass(slots=True)
class Group:
    """The open mismatches of one entity, kind, field and cause.

    `cents` sums up the absolute differences, by currency; `rows` holds those that are shown.
    """

    entity: str
    kind: str
    field: str
    cause: str
    remedy: str
    oldest: datetime
    count: int = 0
    new: int = 0
    old: int = 0
    cents: Counter[str] = dataclass_field(default_factory=Counter)
    rows: list[OpenRow] = dataclass_field(default_factory=list)

    @property
    def is_money(self) -> bool:
        """Tell whether its differences count as money in disagreement."""
        return self.kind != MismatchKind.FIELD_DIFFERS or self.field in MONEY_FIELDS


@dataclass(frozen=True, kw_only=True)
class Report:
    """The state of things at `now`; "new", "resolved": in the 24 hours before; "old": for over 7 days."""

    now: datetime
    standings: Sequence[Standing]
    groups: Sequence[Group]
    resolved: int
    ignored: int
    ignored_rows: Sequence[IgnoredRow]
    pushes: Sequence[WaitingPush]
    dead_count: int
    dead: Sequence[DeadLetter]

    @cached_property
    def open(self) -> int:
        """Count the open mismatches."""
        return sum(group.count for group in self.groups)

    @cached_property
    def new(self) -> int:
        """Count the open mismatches that were found, or found again, in the last 24 hours."""
        return sum(group.new for group in self.groups)

    @cached_property
    def old(self) -> int:
        """Count the mismatches that have been open for more than 7 days."""
        return sum(group.old for group in self.groups)

    @cached_property
    def cents(self) -> Mapping[str, int]:
        """Sum up the money on which the sides disagree, by currency: no order counts it twice."""
        return sum((group.cents for group in self.groups if group.is_money), Counter())


def read_report(connection: Connection, now: datetime) -> Report:
    """Read everything the report tells, but for the full list of open mismatches."""
    return Report(
        now=now,
        standings=[read_standing(connection, entity) for entity in SUBJECTS],
        groups=_read_groups(connection, now),
        resolved=_count_closed(connection, MismatchState.RESOLVED, now - A_DAY),
        ignored=_count_closed(connection, MismatchState.IGNORED, None),
        ignored_rows=read_ignored(connection),
        pushes=read_waiting(connection),
        dead_count=count_dead(connection),
        dead=read_dead(connection),
    )


def _read_groups(connection: Connection, now: datetime) -> list[Group]:
    groups: dict[tuple[str, ...], Group] = {}
    for row in count_open(connection, new_since=now - A_DAY, old_before=now - A_WEEK):
        key = (row.entity, row.kind, row.field, row.cause)
        group = groups.setdefault(key, Group(*key, remedy=row.remedy, oldest=row.oldest))
        group.count += row.number
        group.new += int(row.new)
        group.old += int(row.old)
        group.oldest = min(group.oldest, row.oldest)
        if row.cents is not None:
            group.cents[row.currency] += int(row.cents)
    for shown in read_shown(connection):
        groups[(shown.entity, shown.kind, shown.field, shown.cause)].rows.append(shown)
    return _sort(groups.values())


def _sort(groups: Iterable[Group]) -> list[Group]:
    return sorted(
        groups,
        key=lambda group: (SUBJECTS.index(Entity(group.entity)), -group.count, group.kind, group.field),
    )


def _count_closed(connection: Connection, state: MismatchState, since: datetime | None) -> int:
    table = tables.mismatches
    query = select(func.count()).select_from(table).where(table.c.state == state)
    if since is not None:
        query = query.where(table.c.closed_at >= since)
    return connection.scalar(query) or 0
