"""How many calls to UltraCart a backfill takes, and how long they take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Table, func, select

from tasks.backfill.job import CATALOGUE_CALLS, Job
from tasks.database.tables import customers, notifications, orders
from tasks.records.models import Entity, OrderStatus, Side, Window
from tasks.ultracart.client import ROWS_PER_PAGE

LISTS_OF_AN_ORDER = 3
"""An order is on the lists of those placed, paid and shipped; few are refunded as well."""
LAST_CALLS = 200
CALL_SECONDS = 1.0
"""Assumed for a call until the notifications tell how long calls take; UltraCart publishes no figure."""


@dataclass(frozen=True, slots=True)
class Calls:
    """Calls to UltraCart: so many even if there is nothing to read, and `likely` by what the mirror holds."""

    least: int
    likely: int


def expect_calls(connection: Connection, job: Job, windows: Sequence[Window]) -> Calls:
    """Say how many calls the windows will take; the mirror cannot know of records it has not seen."""
    if not windows or not job.least_calls_a_window:
        return Calls(0, 0)
    least = CATALOGUE_CALLS + len(windows) * job.least_calls_a_window
    stretch = Window(windows[0].start, windows[-1].end)
    further = 0
    if Entity.CUSTOMER in job.kinds.entities:
        further += _count(connection, customers, "as_of", stretch) // ROWS_PER_PAGE
    if Entity.ORDER in job.kinds.entities:
        further += LISTS_OF_AN_ORDER * (_count(connection, orders, "placed_at", stretch) // ROWS_PER_PAGE)
        further += len(windows) * (_count_rejected(connection, stretch.end) // ROWS_PER_PAGE)
    return Calls(least, least + further)


def count_calls(connection: Connection, run_id: str, since: datetime) -> int:
    """Count the calls to UltraCart that a run has made, those that failed too."""
    query = select(func.count()).where(
        notifications.c.created_at >= since,
        notifications.c.run_id == run_id,
        notifications.c.system == Side.ULTRACART,
        notifications.c.direction == "out",
    )
    return connection.scalar(query) or 0


def usual_seconds(connection: Connection) -> float:
    """Give how long a call to UltraCart took of late, on average."""
    last = (
        select(notifications.c.duration_ms)
        .where(notifications.c.system == Side.ULTRACART, notifications.c.direction == "out")
        .order_by(notifications.c.id.desc())
        .limit(LAST_CALLS)
        .subquery()
    )
    milliseconds = connection.scalar(select(func.avg(last.c.duration_ms)))
    return CALL_SECONDS if milliseconds is None else float(milliseconds) / 1_000


def _count(connection: Connection, table: Table, date: str, stretch: Window) -> int:
    of_ultracart = table.c.side == Side.ULTRACART
    query = select(func.count()).where(
        of_ultracart, table.c[date] >= stretch.start, table.c[date] < stretch.end
    )
    return connection.scalar(query) or 0


def _count_rejected(connection: Connection, before: datetime) -> int:
    """Count what is on the list of rejected orders, which goes through all that were placed before."""
    query = select(func.count()).where(
        orders.c.side == Side.ULTRACART,
        orders.c.status == OrderStatus.REJECTED,
        orders.c.placed_at < before,
    )
    return connection.scalar(query) or 0
