"""What other tables know about a pair that differs: its events, its push, when it was last brought over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from tasks.database import tables
from tasks.reconcile.likely_cause import Evidence
from tasks.records.models import Customer, Entity, Order, Side

EVENTS, PUSHES = tables.inbox_events, tables.pushes
Records = tuple[Any, Any]
"""UltraCart's record and Thiio's."""


def read_evidence(
    connection: Connection, entity: Entity, pairs: Sequence[Records], prefix: str
) -> list[Evidence]:
    """Read what is known of each pair, two queries for all of them."""
    states, delivered = _read_events(connection, entity, [ultracart.id for ultracart, _ in pairs])
    pushed = _read_pushes(connection, [thiio.id for _, thiio in pairs]) if entity is Entity.ORDER else {}
    return [
        Evidence(
            event=states.get(ultracart.id),
            synced_at=_latest(delivered.get(ultracart.id), pushed.get((thiio.id, ultracart.id))),
            is_pushed=(thiio.id, ultracart.id) in pushed or _is_named_by_us(ultracart, thiio, prefix),
        )
        for ultracart, thiio in pairs
    ]


def _read_events(
    connection: Connection, entity: Entity, ids: Sequence[str]
) -> tuple[dict[str, str], dict[str, datetime]]:
    query = select(EVENTS.c.entity_id, EVENTS.c.state, EVENTS.c.closed_at).where(
        EVENTS.c.source == Side.ULTRACART, EVENTS.c.entity == entity, EVENTS.c.entity_id.in_(ids)
    )
    states: dict[str, str] = {}
    delivered: dict[str, datetime] = {}
    for id, state, closed_at in connection.execute(query.order_by(EVENTS.c.id)):
        states[id] = state
        if state == "done" and closed_at:
            delivered[id] = max(closed_at, delivered.get(id, closed_at))
    return states, delivered


def _read_pushes(connection: Connection, ids: Sequence[str]) -> dict[tuple[str, str], datetime | None]:
    query = select(PUSHES.c.thiio_order_id, PUSHES.c.ultracart_order_id, PUSHES.c.closed_at).where(
        PUSHES.c.thiio_order_id.in_(ids), PUSHES.c.ultracart_order_id.is_not(None)
    )
    return {(row[0], row[1]): row[2] for row in connection.execute(query)}


def _is_named_by_us(ultracart: Customer | Order, thiio: Customer | Order, prefix: str) -> bool:
    return isinstance(ultracart, Order) and ultracart.partner_order_id == prefix + thiio.id


def _latest(*moments: datetime | None) -> datetime | None:
    return max((moment for moment in moments if moment), default=None)
