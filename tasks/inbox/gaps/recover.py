"""Read what was lost again from UltraCart, and put it into the inbox as events like any other.

All that a run found is written in one transaction, together with the watermark: a run that breaks in the
middle has changed nothing, and the next one finds the same.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, Engine

from tasks.inbox.event_queue import store_events
from tasks.inbox.events import FoundBy, NewEvent, event_of_object
from tasks.inbox.gaps.judge import LostOrder, Outcome, Recovery, Seen
from tasks.inbox.gaps.search import Findings
from tasks.inbox.gaps.seen import OPERATION, find_stored
from tasks.inbox.gaps.words import OF_CUSTOMERS, describe_loss, describe_outcome
from tasks.notifications.log import Notification, NotificationStatus, save_notifications
from tasks.records.models import Entity
from tasks.records.watermarks import move_watermark
from tasks.ultracart.client import UltraCartClient
from tasks.ultracart.delivery_log import Delivery
from tasks.ultracart.order_objects import OrderObject, iter_order_objects

logger = logging.getLogger(__name__)

NEW_FOR = timedelta(days=3)
"""If an order was placed this long before a lost delivery, an `order_create` in it was another order's."""


def recover(
    engine: Engine, client: UltraCartClient, findings: Findings, run_id: str | None
) -> list[Recovery]:
    """Read each lost order again, store what the inbox lacks, tell of each loss, move the watermark.

    An order whose news the inbox has by now is no loss, and nothing is told of it. Errors of the reading are
    raised before anything is written.
    """
    lost = findings.losses.orders
    objects = iter_order_objects(client, [order.order_id for order in lost])
    by_id = {order.order_id: order for order in lost}
    events = {
        each.order_id: make_events(by_id[each.order_id], each, findings.seen)
        for each in objects
        if each.order_id in by_id
    }
    now = datetime.now(UTC)
    with engine.begin() as connection:
        recoveries = _store(connection, lost, events, now)
        told = [*_tell_orders(recoveries), *_tell_customers(findings.losses.of_customers)]
        save_notifications(connection, told, run_id=run_id)
        if findings.watermark is not None:
            move_watermark(connection, findings.watermark, findings.window.end, now=now)
    for each in told:
        logger.warning("%s %s: %s", OPERATION, each.entity_id or "of customers", each.reason)
    return recoveries


def leave_lost(findings: Findings) -> list[Recovery]:
    """Do nothing about what was lost: what a dry run tells."""
    return [Recovery(order=order, outcome=Outcome.NOT_READ) for order in findings.losses.orders]


def make_events(order: LostOrder, found: OrderObject, seen: Seen) -> list[NewEvent]:
    """Make the events of an order that was read again, the oldest first."""
    names = choose_names(order, found, seen)
    return [event_of_object(name, Entity.ORDER, found.order_id, found.object_json) for name in names]


def choose_names(order: LostOrder, found: OrderObject, seen: Seen) -> list[str]:
    """Give the names of an order's events, the oldest first.

    Where only new orders can be told of (Thiio's HTTP), an order that is shipped by now would never reach
    Thiio as an `order_ship` alone: so if its `order_create` may be what was lost, it comes too.
    """
    is_new = found.placed_at is None or found.placed_at > order.deliveries[0].sent_at - NEW_FOR
    is_unknown = (order.order_id, "order_create") not in seen.received
    if "order_create" in order.event_names and is_new and is_unknown:
        return list(dict.fromkeys(["order_create", found.event_name]))
    return [found.event_name]


def _store(
    connection: Connection,
    lost: Sequence[LostOrder],
    events: Mapping[str, Sequence[NewEvent]],
    now: datetime,
) -> list[Recovery]:
    digests = [event.digest for some in events.values() for event in some]
    # Left out rather than stored once more: a repeated receipt would look as if UltraCart had sent it now.
    known = find_stored(connection, digests)
    fresh = {id: [event for event in some if event.digest not in known] for id, some in events.items()}
    store_events(
        connection, [event for some in fresh.values() for event in some], now=now, found_by=FoundBy.GAP
    )
    ids = find_stored(connection, [event.digest for some in fresh.values() for event in some])
    return [_recovery(order, fresh.get(order.order_id), ids) for order in lost]


def _recovery(order: LostOrder, fresh: Sequence[NewEvent] | None, ids: Mapping[str, int]) -> Recovery:
    if fresh is None:
        return Recovery(order=order, outcome=Outcome.GONE)
    if not fresh:
        return Recovery(order=order, outcome=Outcome.KNOWN)
    return Recovery(
        order=order,
        outcome=Outcome.UNREADABLE if any(event.dead for event in fresh) else Outcome.RECOVERED,
        event_names=tuple(event.name for event in fresh),
        event_id=ids.get(fresh[-1].digest),
    )


def _tell_orders(recoveries: Sequence[Recovery]) -> Iterator[Notification]:
    for recovery in recoveries:
        if recovery.outcome is not Outcome.KNOWN:
            said = f"{describe_loss(recovery.order.deliveries)} {describe_outcome(recovery)}"
            last = recovery.order.deliveries[-1]
            yield _notification(last, said, Entity.ORDER, recovery.order.order_id, recovery.event_id)


def _tell_customers(deliveries: Sequence[Delivery]) -> Iterator[Notification]:
    for delivery in deliveries:
        yield _notification(delivery, f"{describe_loss([delivery])} {OF_CUSTOMERS}", Entity.CUSTOMER)


def _notification(
    delivery: Delivery, reason: str, entity: Entity, entity_id: str | None = None, event_id: int | None = None
) -> Notification:
    return Notification(
        direction="in",
        system="ultracart",
        operation=OPERATION,
        status=NotificationStatus.FAILED,
        reason=reason,
        entity=entity,
        entity_id=entity_id,
        http_status=delivery.status,
        request_id=delivery.request_id,
        event_id=event_id,
    )
