"""What stands in the inbox's tables, for comparing."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Engine, select

from tasks.database import tables


def read_events(engine: Engine, *names: str) -> list[Any]:
    """Read the events, oldest first: the named columns, or the one column."""
    columns = [tables.inbox_events.c[name] for name in names]
    query = select(*columns).order_by(tables.inbox_events.c.id)
    with engine.connect() as connection:
        rows = [tuple(row) for row in connection.execute(query)]
    return [row[0] for row in rows] if len(names) == 1 else rows


def read_bodies(engine: Engine) -> list[str]:
    """Read what is kept of each event, oldest first."""
    query = select(tables.inbox_payloads.c.body).order_by(tables.inbox_payloads.c.event_id)
    with engine.connect() as connection:
        return list(connection.scalars(query))


def read_objects(engine: Engine) -> list[Any]:
    """Read the objects of the events, oldest first."""
    return [json.loads(body) for body in read_bodies(engine)]


def read_notifications(engine: Engine, *names: str, direction: str = "in") -> list[Any]:
    """Read the notifications of one direction in order: the named columns, or the one column."""
    table = tables.notifications
    columns = [table.c[name] for name in names]
    query = select(*columns).where(table.c.direction == direction).order_by(table.c.id)
    with engine.connect() as connection:
        rows = [tuple(row) for row in connection.execute(query)]
    return [row[0] for row in rows] if len(names) == 1 else rows
