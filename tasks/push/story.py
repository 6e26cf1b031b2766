"""The whole story of one Thiio order on its way to UltraCart, from our own tables."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, select

from tasks.database import tables
from tasks.notifications.filters import NotificationFilter
from tasks.notifications.search import NotificationLine, find_notifications
from tasks.push.outbox import PushState
from tasks.records.links import linked_ids
from tasks.records.models import Entity, Side

LINES = 200
"""Most notifications of one order that are given, the latest ones."""
NEXT = {
    PushState.PLANNED: "The next run of push-orders sends it.",
    PushState.SENDING: "It is being sent. If its run was killed, the next one looks it up at UltraCart.",
    PushState.IN_DOUBT: (
        "The first run of push-orders from {} UTC on looks it up; it is not sent before it is proven that "
        "UltraCart does not have it."
    ),
    PushState.CONFIRMED: "Nothing: UltraCart has it.",
    PushState.HELD: (
        "Each run of push-orders looks again; once what is missing is there it goes out by itself."
    ),
    PushState.REJECTED: "Nothing by itself: it waits for a person.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderStory:
    """All that is kept of a Thiio order. `push` is its row of the outbox, `exchanges` are oldest first."""

    thiio_order_id: str
    push: dict[str, Any] | None
    ultracart_order_id: str | None  # by the link
    next_step: str
    exchanges: tuple[NotificationLine, ...]


def read_story(connection: Connection, thiio_order_id: str) -> OrderStory | None:
    """Give the story of a Thiio order; None if nothing is known of it."""
    query = select(tables.pushes).where(tables.pushes.c.thiio_order_id == thiio_order_id)
    row = connection.execute(query).mappings().first()
    push = None if row is None else dict(row)
    linked = linked_ids(connection, Entity.ORDER, Side.THIIO, [thiio_order_id]).get(thiio_order_id)
    ids = {thiio_order_id, linked, push and push["ultracart_order_id"]} - {None}
    found = [line for id in ids for line in _exchanges(connection, str(id))]
    if push is None and linked is None and not found:
        return None
    return OrderStory(
        thiio_order_id=thiio_order_id,
        push=push,
        ultracart_order_id=linked,
        next_step=_next_step(push),
        exchanges=tuple(sorted(found, key=lambda line: (line.created_at, line.id))),
    )


def _exchanges(connection: Connection, id: str) -> tuple[NotificationLine, ...]:
    wanted = NotificationFilter(entity=Entity.ORDER, entity_id=id)
    return find_notifications(connection, wanted, limit=LINES).lines


def _next_step(push: dict[str, Any] | None) -> str:
    if push is None:
        return "Nothing: it was never planned for UltraCart."
    due: datetime = push["next_lookup_at"] or datetime.now(UTC)
    return NEXT[PushState(push["state"])].format(f"{due:%Y-%m-%d %H:%M}")
