"""Notifications and events put into the tables as they are wanted, with their times."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, insert, text

from tasks.database import tables
from tasks.database.analyze import refresh_statistics

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


def put_notification(engine: Engine, minutes: float = 0, **fields: Any) -> int:
    """Store a notification of `minutes` after noon; give its id."""
    row = {
        "direction": "in",
        "system": "ultracart",
        "operation": "order_create",
        "status": "successful",
        "created_at": NOON + timedelta(minutes=minutes),
    }
    with engine.begin() as connection:
        stored = connection.execute(insert(tables.notifications).values(row | fields))
    return int(stored.inserted_primary_key[0])


def put_event(engine: Engine, **fields: Any) -> int:
    """Store an inbox event that came at noon; give its id."""
    row = {
        "source": "ultracart",
        "name": "order_create",
        "entity": "order",
        "entity_id": "DEMO-1",
        "digest": "0" * 64,
        "found_by": "webhook",
        "state": "done",
        "due_at": NOON,
        "received_at": NOON,
        "last_received_at": NOON,
    }
    with engine.begin() as connection:
        stored = connection.execute(insert(tables.inbox_events).values(row | fields))
    return int(stored.inserted_primary_key[0])


def put_many(engine: Engine, count: int) -> None:
    """Store notifications, one a second: four an order, two an event, of a hundred one failed."""
    second = (
        "datetime('2026-11-01', i || ' seconds') || '.000000'"
        if engine.dialect.name == "sqlite"
        else "timestamptz '2026-11-01 00:00+00' + i * interval '1 second'"
    )
    statement = f"""
        INSERT INTO notifications
            (direction, system, operation, entity, entity_id, status, event_id, run_id, received, created_at)
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})
        SELECT 'in', 'ultracart', 'order_create', 'order', 'DEMO-' || (i / 4),
            CASE WHEN i % 100 = 0 THEN 'failed' ELSE 'successful' END, i / 2, 'run-1', 'x', {second}
        FROM n
    """
    with engine.begin() as connection:
        connection.execute(text(statement))
        refresh_statistics(connection, tables.notifications)
