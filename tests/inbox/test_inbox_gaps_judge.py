"""When a delivery of UltraCart's log counts as lost: the rules, one a row."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from tasks.inbox.gaps.judge import Seen, find_losses
from tasks.ultracart.delivery_log import Delivery
from tasks.ultracart.order_objects import OrderStanding, choose_event_name

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
TOLERANCE = timedelta(minutes=5)


def at(minutes: float) -> datetime:
    """So many minutes after noon."""
    return NOON + timedelta(minutes=minutes)


def delivery(
    names: str, orders: str = "", *, minutes: float = 0, status: int | None = 200, id: str = "R1"
) -> Delivery:
    """A delivery at noon; names and orders are separated by spaces."""
    return Delivery(
        request_id=id,
        sent_at=at(minutes),
        status=status,
        is_taken=status == 200,
        event_names=tuple(names.split()),
        order_ids=tuple(orders.split()),
    )


def received(*receipts: tuple[str, str, float]) -> Mapping[tuple[str, str], datetime]:
    """Receipts of orders' events: order, event, minutes after noon."""
    return {(order, name): at(minutes) for order, name, minutes in receipts}


ORDERS = {
    "never seen": (delivery("order_create", "A"), Seen(), ["A"]),
    "seen at once": (delivery("order_create", "A"), Seen(received=received(("A", "order_create", 0))), []),
    "seen before, by a slow clock": (
        delivery("order_create", "A"),
        Seen(received=received(("A", "order_create", -5))),
        [],
    ),
    "seen too long before": (
        delivery("order_refund", "A"),
        Seen(received=received(("A", "order_refund", -5.1))),
        ["A"],
    ),
    "seen hours later": (
        delivery("order_create", "A", status=503),
        Seen(received=received(("A", "order_create", 180))),
        [],
    ),
    "another event of it": (
        delivery("order_ship", "A"),
        Seen(received=received(("A", "order_create", 1))),
        ["A"],
    ),
    "one of two": (
        delivery("order_create order_create", "A B", status=503),
        Seen(received=received(("A", "order_create", 30))),
        ["B"],
    ),
    "one of two, the other of an earlier delivery": (
        delivery("order_create order_ship", "B A"),
        Seen(received=received(("A", "order_create", -1))),
        ["B", "A"],
    ),
    "named twice": (delivery("order_create order_ship", "A A"), Seen(), ["A"]),
    "read again since": (delivery("order_ship", "A"), Seen(read_again={"A": at(30)}), []),
    "read again a moment before": (delivery("order_ship", "A"), Seen(read_again={"A": at(-1)}), ["A"]),
    "somebody else's event": (delivery("chargeback_create", "A"), Seen(), []),
    "somebody else's event beside, which came": (
        delivery("order_create chargeback_create", "A B"),
        Seen(received=received(("A", "order_create", 0)), arrivals={"chargeback_create": [(at(0), at(0))]}),
        [],
    ),
    "somebody else's event beside, which did not": (
        delivery("order_create chargeback_create", "A B"),
        Seen(arrivals={"chargeback_create": [(at(60), at(60))]}),
        ["A", "B"],
    ),
}


@pytest.mark.parametrize(("sent", "seen", "lost"), ORDERS.values(), ids=ORDERS)
def test_an_order_is_lost_if_none_of_its_events_came(sent: Delivery, seen: Seen, lost: list[str]) -> None:
    """The log says which events and which orders, not which belong together."""
    losses = find_losses([sent], seen, until=at(60), tolerance=TOLERANCE)

    assert [order.order_id for order in losses.orders] == lost
    assert losses.of_customers == ()


CUSTOMERS = {
    "failed for good": ([delivery("customer_create", status=None)], Seen(), 1),
    "sent again": (
        [delivery("customer_create", status=None), delivery("customer_create", minutes=90, id="R2")],
        Seen(),
        0,
    ),
    "a success before": (
        [delivery("customer_create", minutes=-9, id="R0"), delivery("customer_create", status=503)],
        Seen(arrivals={"customer_create": [(at(-9), at(-9))]}),
        1,
    ),
    "a success of fewer": (
        [
            delivery("customer_create customer_create", status=503),
            delivery("customer_create", minutes=90, id="R2"),
        ],
        Seen(),
        1,
    ),
    "told": ([delivery("customer_create", status=503)], Seen(told=frozenset({"R1"})), 0),
    "taken and come": (
        [delivery("customer_update")],
        Seen(arrivals={"customer_update": [(at(4), at(300))]}),
        0,
    ),
    "taken and not come": (
        [delivery("customer_update")],
        Seen(arrivals={"customer_update": [(at(6), at(300)), (at(-300), at(-6))]}),
        1,
    ),
    "with an order, which tells for both": (
        [delivery("customer_create order_create", "A", status=503)],
        Seen(received=received(("A", "order_create", 9))),
        0,
    ),
    "no event of ours": ([delivery("item_update", status=503)], Seen(), 0),
}


@pytest.mark.parametrize(("sent", "seen", "count"), CUSTOMERS.values(), ids=CUSTOMERS)
def test_customers_are_lost_if_nothing_brought_them(sent: list[Delivery], seen: Seen, count: int) -> None:
    """Nothing in the log identifies them, so a later success with the same events must do."""
    losses = find_losses(sent, seen, until=at(60), tolerance=TOLERANCE)

    assert (len(losses.of_customers), losses.orders) == (count, ())


def test_a_young_delivery_is_not_judged() -> None:
    """It is left for a later run, though it may show that an older one was sent again."""
    young = delivery("order_create", "A", minutes=60)

    assert find_losses([young], Seen(), until=at(60), tolerance=TOLERANCE).orders == ()


STANDINGS = {
    "placed": ({"current_stage": "Accounts Receivable"}, "order_create"),
    "paid": (
        {"current_stage": "Shipping Department", "shipping": {"tracking_numbers": [""]}},
        "order_create",
    ),
    "shipped": ({"current_stage": "Completed Order", "shipping": {"shipping_date": "2026"}}, "order_ship"),
    "shipped and refunded": (
        {"shipping": {"shipping_date": "2026"}, "refund_dts": "2026-11-02T12:10:19-05:00"},
        "order_refund",
    ),
    "rejected": ({"current_stage": "Rejected", "refund_dts": "2026-11-02T12:10:19-05:00"}, "order_reject"),
    "rejected before": ({"reject_dts": "2026-11-02T12:10:19-05:00"}, "order_reject"),
    "of another shape": ({"current_stage": 7, "shipping": []}, "order_create"),
}


@pytest.mark.parametrize(("order", "name"), STANDINGS.values(), ids=STANDINGS)
def test_an_order_is_told_by_the_furthest_step_it_has_taken(order: dict[str, object], name: str) -> None:
    """The object holds all steps; the name is the last one's."""
    standing = msgspec.convert({"order_id": "A", **order}, OrderStanding)

    assert choose_event_name(standing) == name
