"""From when to when the mirror's records go, and whether it holds any of a window."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Connection, and_, func, or_, select

from tasks.database.tables import customers, orders
from tasks.records.models import Entity, Side, Window

DATES = {
    Entity.CUSTOMER: (customers, (customers.c.created_at, customers.c.as_of)),
    Entity.ORDER: (orders, (orders.c.placed_at, orders.c.as_of)),
}
"""An entity's table, with the dates that bring a record into a window: its first and its last."""
LEAST = timedelta(microseconds=1)
"""What makes a half-open window hold its last record."""


def find_span(connection: Connection, entity: Entity) -> Window | None:
    """Give the window from the first to the last date of any record; None if there is no record."""
    records, dates = DATES[entity]
    # A query for each date and side: the ends of an index answer it.
    edges = [
        connection.scalar(select(edge(date)).where(records.c.side == side))
        for date in dates
        for side in Side
        for edge in (func.min, func.max)
    ]
    known = [edge for edge in edges if edge is not None]
    return Window(min(known), max(known) + LEAST) if known else None


def holds_records(connection: Connection, entity: Entity, window: Window) -> bool:
    """Tell whether any record of either side was made or last changed in a window."""
    records, dates = DATES[entity]
    is_in = or_(*(and_(date >= window.start, date < window.end) for date in dates))
    queries = [select(records.c.id).where(records.c.side == side, is_in).limit(1) for side in Side]
    return any(connection.scalar(query) is not None for query in queries)
