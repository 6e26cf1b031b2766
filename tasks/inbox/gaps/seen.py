"""What our tables know of the orders and events that UltraCart's log names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, func, select

from tasks.database import tables
from tasks.inbox.gaps.judge import Seen, Span
from tasks.records.models import Entity
from tasks.ultracart.delivery_log import Delivery

EVENTS, NOTIFICATIONS = tables.inbox_events, tables.notifications
OPERATION = "webhook lost"
"""The operation of the notification that a loss leaves; by it no loss is told of twice."""
IDS_A_QUERY = 500


def read_seen(connection: Connection, deliveries: Sequence[Delivery], *, since: datetime) -> Seen:
    """Read what came of the orders of these deliveries, and of all other events since a time."""
    order_ids = list(dict.fromkeys(id for delivery in deliveries for id in delivery.order_ids))
    names = {name for delivery in deliveries for name in delivery.event_names}
    return Seen(
        received={
            (order_id, name): last
            for ids in _slices(order_ids)
            for order_id, name, last in connection.execute(_received(ids))
        },
        arrivals=_read_arrivals(connection, names, since),
        read_again={
            order_id: last
            for ids in _slices(order_ids)
            for order_id, last in connection.execute(_read_again(ids))
        },
        told=frozenset(connection.scalars(_told(since))),
    )


def find_stored(connection: Connection, digests: Sequence[str]) -> dict[str, int]:
    """Give digest → id of UltraCart's events that the inbox holds."""
    return {
        digest: id
        for some in _slices(digests)
        for digest, id in connection.execute(
            select(EVENTS.c.digest, EVENTS.c.id).where(
                EVENTS.c.source == "ultracart", EVENTS.c.digest.in_(some)
            )
        )
    }


def _received(order_ids: Sequence[str]) -> Select[Any]:
    wanted = (
        EVENTS.c.source == "ultracart",
        EVENTS.c.entity == Entity.ORDER,
        EVENTS.c.entity_id.in_(order_ids),
    )
    columns = (EVENTS.c.entity_id, EVENTS.c.name)
    return select(*columns, func.max(EVENTS.c.last_received_at)).where(*wanted).group_by(*columns)


def _read_again(order_ids: Sequence[str]) -> Select[Any]:
    id = NOTIFICATIONS.c.entity_id
    wanted = (
        NOTIFICATIONS.c.entity == Entity.ORDER,
        id.in_(order_ids),
        NOTIFICATIONS.c.operation == OPERATION,
    )
    return select(id, func.max(NOTIFICATIONS.c.created_at)).where(*wanted).group_by(id)


def _told(since: datetime) -> Select[Any]:
    return select(NOTIFICATIONS.c.request_id).where(
        NOTIFICATIONS.c.created_at >= since,
        NOTIFICATIONS.c.operation == OPERATION,
        NOTIFICATIONS.c.request_id.is_not(None),
    )


def _read_arrivals(connection: Connection, names: Iterable[str], since: datetime) -> dict[str, list[Span]]:
    """Read when events that are not about an order came; those of an order are looked up by its id."""
    wanted = [name for name in names if not name.startswith("order_")]
    arrivals: dict[str, list[Span]] = {}
    if wanted:
        columns = (EVENTS.c.name, EVENTS.c.received_at, EVENTS.c.last_received_at)
        query = select(*columns).where(
            EVENTS.c.source == "ultracart", EVENTS.c.name.in_(wanted), EVENTS.c.last_received_at >= since
        )
        for name, first, last in connection.execute(query):
            arrivals.setdefault(name, []).append((first, last))
    return arrivals


def _slices(values: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(values), IDS_A_QUERY):
        yield values[start : start + IDS_A_QUERY]
