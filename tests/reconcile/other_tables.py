"""Rows of other rooms' tables that the comparison and the report read: pushes and inbox events."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, insert

from tasks.database import tables
from tests.builders import NOON


def add_push(connection: Connection, thiio_order_id: str, state: str, **values: Any) -> None:
    """Note a push of a Thiio order."""
    row = {"thiio_order_id": thiio_order_id, "partner_order_id": f"THIIO-{thiio_order_id}", "state": state}
    row |= {"planned_at": NOON, "changed_at": NOON, "reason": "why", "remedy": "what to do"}
    connection.execute(insert(tables.pushes).values(row | values))


def add_event(
    connection: Connection, order_id: str, state: str, digest: str = "digest", **values: Any
) -> None:
    """Note an inbox event of an UltraCart order."""
    row = {"source": "ultracart", "name": "order_create", "entity": "order", "entity_id": order_id}
    row |= {"state": state, "digest": digest, "found_by": "webhook", "reason": "unreadable"}
    times = {"due_at": NOON, "received_at": NOON, "last_received_at": NOON}
    connection.execute(insert(tables.inbox_events).values(row | times | values))
