"""How the last days went, one by one: open mismatches, orders in agreement, money in disagreement.

No figure is kept for this: all of it follows from the times in the ledger and in the links. The ledger keeps
the last life of a mismatch only: one that came back counts from its return.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate
from operator import add
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from tasks.database import tables
from tasks.reconcile.report_money import money_of
from tasks.reconcile.report_rows import FETCHED_ROWS, TABLE, select_listed
from tasks.records.models import Entity

DAYS = 90
LINKS, RUNS = tables.links, tables.reconcile_runs


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendDay:
    """How things stood when a day (UTC) ended; on the last day, now.

    `known` and `agreeing` count orders as `tasks.reconcile.standing` does; `cents` holds the money in
    disagreement by currency, in minor units.
    """

    day: date
    open: int
    known: int
    agreeing: int
    cents: dict[str, int]


class Course:
    """A number for each day, put together from stretches of days."""

    def __init__(self, days: int) -> None:
        self._changes = [0] * (days + 1)

    def add(self, first: int, end: int, amount: int = 1) -> None:
        """Add an amount to every day from `first` up to, and without, `end`."""
        if first < end:
            self._changes[first] += amount
            self._changes[end] -= amount

    def values(self) -> list[int]:
        """Give the number of every day."""
        return list(accumulate(self._changes[:-1]))


class Courses:
    """What the lives of mismatches add up to at the end of each day; they come by record, then by birth."""

    def __init__(self, ends: Sequence[datetime]) -> None:
        self.ends = ends
        self.opened, self.differing, self.lone = (Course(len(ends)) for _ in range(3))
        self.cents: dict[str, Course] = defaultdict(lambda: Course(len(ends)))
        self._ids, self._differs_until, self._lone_until = ("", ""), 0, 0

    def add(self, life: Any) -> None:
        """Add the life of one mismatch."""
        first, end = self._index(life.first_seen_at), self._index(life.closed_at)
        self.opened.add(first, end)
        if life.money is not None:
            self.cents[life.currency].add(first, end, life.money)
        if life.entity == Entity.ORDER:
            self._add_order((life.ultracart_id, life.thiio_id), first, end, self._index(life.linked_at))

    def _add_order(self, ids: tuple[str, str], first: int, end: int, linked: int) -> None:
        if ids != self._ids:
            self._ids, self._differs_until, self._lone_until = ids, 0, 0
        # An order differs once, however many of its fields do.
        self.differing.add(max(first, self._differs_until), end)
        self._differs_until = max(self._differs_until, end)
        if "" in ids:
            self.lone.add(max(first, self._lone_until), min(end, linked))
            self._lone_until = max(self._lone_until, min(end, linked))

    def _index(self, moment: datetime | None) -> int:
        return len(self.ends) if moment is None else bisect_left(self.ends, moment)


def read_trend(connection: Connection, now: datetime) -> list[TrendDay]:
    """Give up to `DAYS` days that end today, from the first that is known of; none if nothing is."""
    days = _list_days(connection, now)
    if not days:
        return []
    courses = Courses([*(datetime.combine(day, time.max, UTC) for day in days[:-1]), now])
    for life in _read_lives(connection, courses.ends):
        courses.add(life)
    known = map(add, _count_links(connection, days), courses.lone.values())
    money = {currency: course.values() for currency, course in sorted(courses.cents.items())}
    rows = zip(days, courses.opened.values(), known, courses.differing.values(), strict=True)
    return [
        TrendDay(
            day=day,
            open=opened,
            known=orders,
            agreeing=max(orders - differing, 0),
            cents={currency: values[index] for currency, values in money.items()},
        )
        for index, (day, opened, orders, differing) in enumerate(rows)
    ]


def _list_days(connection: Connection, now: datetime) -> list[date]:
    firsts = (func.min(column) for column in (TABLE.c.first_seen_at, LINKS.c.linked_at, RUNS.c.started_at))
    known = [moment for first in firsts if (moment := connection.scalar(select(first))) is not None]
    if not known:
        return []
    first = max(min(known).date(), now.date() - timedelta(days=DAYS - 1))
    return [first + timedelta(days=number) for number in range((now.date() - first).days + 1)]


def _read_lives(connection: Connection, ends: Sequence[datetime]) -> Iterable[Any]:
    ultracart, thiio = LINKS.alias(), LINKS.alias()
    conditions = (
        TABLE.c.first_seen_at <= ends[-1],
        or_(TABLE.c.closed_at.is_(None), TABLE.c.closed_at > ends[0]),
    )
    query = select_listed(*conditions).add_columns(
        TABLE.c.closed_at,
        money_of(TABLE.c).label("money"),
        func.coalesce(ultracart.c.linked_at, thiio.c.linked_at).label("linked_at"),
    )
    for link, here, there in ((ultracart, "ultracart_id", "thiio_id"), (thiio, "thiio_id", "ultracart_id")):
        query = query.outerjoin(link, _links_lone(link.c, here, there))
    order = (TABLE.c.entity, TABLE.c.ultracart_id, TABLE.c.thiio_id, TABLE.c.first_seen_at)
    return connection.execute(query.order_by(*order).execution_options(yield_per=FETCHED_ROWS))


def _links_lone(link: Any, here: str, there: str) -> ColumnElement[bool]:
    """Say in SQL that a link is of the one record that a mismatch is about."""
    return and_(link.entity == TABLE.c.entity, link[here] == TABLE.c[here], TABLE.c[there] == "")


def _count_links(connection: Connection, days: Sequence[date]) -> list[int]:
    """Count the orders that were linked until the end of each day."""
    is_order, start = LINKS.c.entity == Entity.ORDER, datetime.combine(days[0], time(), UTC)
    day = (
        func.to_char(func.timezone("UTC", LINKS.c.linked_at), "YYYY-MM-DD")
        if connection.dialect.name == "postgresql"
        else func.strftime("%Y-%m-%d", LINKS.c.linked_at)
    )
    before = select(func.count()).where(is_order, LINKS.c.linked_at < start)
    since = select(day, func.count()).where(is_order, LINKS.c.linked_at >= start).group_by(day)
    added = {found: number for found, number in connection.execute(since)}
    counts = [added.get(day.isoformat(), 0) for day in days]
    counts[0] += connection.scalar(before) or 0
    return list(accumulate(counts))
