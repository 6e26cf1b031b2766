"""What UltraCart sent and the inbox never saw: two records of the same deliveries, compared. Pure.

A try that failed is no loss if UltraCart's own retry brought the events later, and what UltraCart calls
delivered is one if something else answered in our place. The two clocks may differ by a tolerance.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from tasks.ultracart.delivery_log import Delivery

Span = tuple[datetime, datetime]
"""When an event was received first and last; aware UTC, our clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What our side knows of the orders and events that the log names.

    `received`: (order id, event name) → its last receipt. `arrivals`: name of an event that is not about an
    order → the spans of its receipts. `read_again`: order id → when an earlier run last read it again for a
    loss. `told`: request ids of the losses that an earlier run told of.
    """

    received: Mapping[tuple[str, str], datetime] = field(default_factory=dict)
    arrivals: Mapping[str, Sequence[Span]] = field(default_factory=dict)
    read_again: Mapping[str, datetime] = field(default_factory=dict)
    told: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class LostOrder:
    """An order of which something was lost, with the tries that should have brought it, oldest first."""

    order_id: str
    deliveries: tuple[Delivery, ...]

    @property
    def event_names(self) -> frozenset[str]:
        """What may have been lost: the log does not say which event was of which order."""
        return frozenset(name for delivery in self.deliveries for name in delivery.event_names)


@dataclass(frozen=True, slots=True)
class Losses:
    """Lost orders; and lost deliveries whose events are all of customers, whom the log does not name."""

    orders: tuple[LostOrder, ...]
    of_customers: tuple[Delivery, ...]


class Outcome(StrEnum):
    """What became of an order of which something seemed lost.

    recovered: read again from UltraCart; its news wait in the inbox.
    unreadable: read again, and kept in the inbox as a dead letter.
    known: read again, and the inbox had these news by another event: nothing was lost.
    gone: UltraCart does not know the order any more.
    not_read: not read again, since the run was only to look.
    """

    RECOVERED = "recovered"
    UNREADABLE = "unreadable"
    KNOWN = "known"
    GONE = "gone"
    NOT_READ = "not_read"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """A lost order and what became of it; `event_names` and `event_id` are what the inbox got."""

    order: LostOrder
    outcome: Outcome
    event_names: tuple[str, ...] = ()
    event_id: int | None = None


def find_losses(
    deliveries: Sequence[Delivery], seen: Seen, *, until: datetime, tolerance: timedelta
) -> Losses:
    """Judge the deliveries that were sent before `until`; later ones only count as retries that came."""
    judged = [delivery for delivery in deliveries if delivery.sent_at < until]
    tries: dict[str, list[Delivery]] = {}
    for delivery in judged:
        for order_id in unseen_orders(delivery, seen, tolerance):
            tries.setdefault(order_id, []).append(delivery)
    return Losses(
        orders=tuple(LostOrder(order_id, tuple(lost)) for order_id, lost in tries.items()),
        of_customers=tuple(
            delivery for delivery in judged if is_lost_without_ids(delivery, deliveries, seen, tolerance)
        ),
    )


def unseen_orders(delivery: Delivery, seen: Seen, tolerance: timedelta) -> list[str]:
    """Give the orders of a delivery of which no event that it names came then or later."""
    names = order_events(delivery)

    def missing(since: datetime) -> list[str]:
        return [
            order_id
            for order_id in dict.fromkeys(delivery.order_ids)
            if not any(_is_at_or_after(seen.received.get((order_id, name)), since) for name in names)
            # Less the tolerance it would hide what was lost right after the order was read again.
            and not _is_at_or_after(seen.read_again.get(order_id), delivery.sent_at + tolerance)
        ]

    if not names or not missing(delivery.sent_at - tolerance):
        return []
    if _came_around(foreign_events(delivery), delivery, seen, tolerance):
        return []  # the ids that seem missing are theirs: an event of a chargeback names its order, too
    # The inbox takes a delivery whole or not at all. If one of its orders is missing, then what came of the
    # others shortly before may be of an earlier delivery: only what came surely later counts.
    return missing(delivery.sent_at + tolerance)


def is_lost_without_ids(
    delivery: Delivery, deliveries: Iterable[Delivery], seen: Seen, tolerance: timedelta
) -> bool:
    """Tell whether customers' events that nothing in the log identifies were lost.

    What failed and has a later success with the same events was retried; what UltraCart calls delivered must
    have brought an event of such a name to the inbox at that time.
    """
    names = customer_events(delivery)
    if delivery.order_ids or not names or delivery.request_id in seen.told:
        return False
    if delivery.is_taken:
        return not _came_around(names, delivery, seen, tolerance)
    return not any(
        later.is_taken
        and later.sent_at >= delivery.sent_at
        and Counter(delivery.event_names) <= Counter(later.event_names)
        for later in deliveries
    )


def order_events(delivery: Delivery) -> list[str]:
    """Give the names of a delivery's events that are stored under their order's id."""
    return [name for name in delivery.event_names if name.startswith("order_")]


def customer_events(delivery: Delivery) -> list[str]:
    """Give the names of a delivery's events that are of customers."""
    return [name for name in delivery.event_names if name.startswith("customer_")]


def foreign_events(delivery: Delivery) -> list[str]:
    """Give the names of a delivery's events that are neither: somebody else subscribed to them."""
    return [name for name in delivery.event_names if not name.startswith(("order_", "customer_"))]


def _came_around(names: Iterable[str], delivery: Delivery, seen: Seen, tolerance: timedelta) -> bool:
    return any(
        first - tolerance <= delivery.sent_at <= last + tolerance
        for name in names
        for first, last in seen.arrivals.get(name, ())
    )


def _is_at_or_after(time: datetime | None, since: datetime) -> bool:
    return time is not None and time >= since
