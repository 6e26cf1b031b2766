"""Deliveries to Thiio's tables are repeatable, and older never overwrites newer; on SQLite and Postgres."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import permutations

import pytest

from tasks.errors import InvalidRecord
from tasks.notifications.log import Notification, NotificationStatus
from tasks.records.digest import digest_of
from tasks.records.models import Order, OrderStatus, Side, Window
from tasks.thiio.database.connection import DatabaseThiio
from tasks.thiio.sandbox.agents import Agents, PhoneLine
from tests.builders import NOON, make_customer, make_line, make_order

EVER = Window(datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
LATER = NOON + timedelta(hours=1)


def only_order(connection: DatabaseThiio) -> Order:
    """Give the one order that Thiio holds."""
    [[order]] = connection.iter_orders(EVER)
    return order


@pytest.mark.parametrize("status", list(OrderStatus))
def test_a_delivered_order_reads_back_with_the_same_digest(
    connection: DatabaseThiio, status: OrderStatus
) -> None:
    """Every compared field survives the way into Thiio and back."""
    order = make_order(
        status=status,
        phone="+12093839870",
        line2="Apt 4",
        refunded_cents=505,
        tracking_numbers=("1Z2", "1Z1"),
        lines=(
            make_line(quantity=Decimal("2.5")),
            make_line(position=2, item_id="bone", unit_price_cents=0, is_component=True),
        ),
    )

    thiio_id = connection.deliver_order(order, "order_create", None)

    delivered = only_order(connection)
    assert (delivered.side, delivered.id, delivered.other_side_id) == (Side.THIIO, thiio_id, "DEMO-1")
    assert digest_of(delivered) == digest_of(order)


def test_a_delivered_customer_reads_back_with_the_same_digest(connection: DatabaseThiio) -> None:
    """Every compared field survives the way into Thiio and back."""
    thiio_id = connection.deliver_customer(make_customer(), None)

    [[customer]] = connection.iter_customers(EVER)
    assert (customer.id, digest_of(customer)) == (thiio_id, digest_of(make_customer()))


def test_what_ultracart_did_not_say_stays_unsaid(connection: DatabaseThiio) -> None:
    """An order without amounts, lines or gateway reads back as one."""
    bare = Order(side=Side.ULTRACART, id="DEMO-2", as_of=NOON, status=OrderStatus.REJECTED, lines=())

    connection.deliver_order(bare, "order_reject", None)

    assert digest_of(only_order(connection)) == digest_of(replace(bare, placed_at=NOON))


def test_delivering_twice_makes_one_row_and_changes_nothing(
    connection: DatabaseThiio, told: list[Notification]
) -> None:
    """The second time Thiio holds exactly this, and the notification says so."""
    first = connection.deliver_order(make_order(), "order_create", None)
    before = only_order(connection)

    assert connection.deliver_order(make_order(), "order_create", None) == first

    assert only_order(connection) == before
    assert [(note.status, note.entity_id, note.operation) for note in told] == [
        (NotificationStatus.SUCCESSFUL, "DEMO-1", "deliver order (order_create)"),
        (NotificationStatus.SKIPPED, "DEMO-1", "deliver order (order_create)"),
    ]


def test_older_never_overwrites_newer(connection: DatabaseThiio, told: list[Notification]) -> None:
    """A snapshot from before the refund comes after it, and is skipped."""
    refunded = make_order(as_of=LATER, refunded_cents=500)
    connection.deliver_order(refunded, "order_refund", None)

    connection.deliver_order(make_order(), "order_create", None)

    assert only_order(connection).refunded_cents == 500
    assert (told[-1].status, told[-1].reason) == (
        NotificationStatus.SKIPPED,
        "Thiio holds a newer state of this record.",
    )


@pytest.mark.parametrize("arrival", list(permutations(range(3))), ids=lambda order: "".join(map(str, order)))
def test_any_order_of_arrival_ends_in_the_newest_state(
    connection: DatabaseThiio, arrival: tuple[int, ...]
) -> None:
    """Webhooks come in any order, and twice."""
    history = [
        make_order(),
        make_order(as_of=NOON + timedelta(minutes=30), status=OrderStatus.COMPLETED),
        make_order(as_of=LATER, status=OrderStatus.COMPLETED, refunded_cents=500),
    ]

    for at in (*arrival, arrival[0]):
        connection.deliver_order(history[at], "order_create", None)

    assert digest_of(only_order(connection)) == digest_of(history[-1])


def test_a_newer_state_updates_only_what_changed(connection: DatabaseThiio, told: list[Notification]) -> None:
    """A shipment changes status and tracking; the notification names the columns."""
    connection.deliver_order(make_order(), "order_create", None)
    shipped = make_order(
        as_of=LATER, status=OrderStatus.COMPLETED, tracking_numbers=("1Z1",), shipped_at=LATER
    )

    connection.deliver_order(shipped, "order_ship", None)

    assert digest_of(only_order(connection)) == digest_of(shipped)
    assert told[-1].received["changed"] == ("shipped_at", "status", "tracking_numbers")


def test_an_agents_own_columns_survive_a_refund(
    connection: DatabaseThiio, agents: Agents, told: list[Notification]
) -> None:
    """The note stays; where an agent changed what UltraCart speaks about, the delivery says what it took."""
    thiio_id = connection.deliver_order(make_order(), "order_create", None)
    assert thiio_id is not None
    agents.edit_order(thiio_id, note="Called, wants blue", total=Decimal("99.00"), status="paid")

    connection.deliver_order(make_order(as_of=LATER, refunded_cents=500), "order_refund", None)

    row = agents.read_order(thiio_id)
    assert (row["note"], row["status"], row["total"], row["refunded"]) == (
        "Called, wants blue",
        "paid",  # it means the same as `processing`
        Decimal("23.63"),
        Decimal("5.00"),
    )
    assert (
        told[-1].reason == "Changed in Thiio since the last delivery; now as in UltraCart: refunded, total."
    )


def test_a_part_that_was_not_seen_is_left_alone(connection: DatabaseThiio) -> None:
    """A reject event without amounts and lines changes the status only."""
    connection.deliver_order(make_order(), "order_create", None)
    rejected = Order(
        side=Side.ULTRACART, id="DEMO-1", as_of=LATER, status=OrderStatus.REJECTED, rejected_at=LATER,
        parts=frozenset({"core"}), placed_at=NOON, currency="USD",
    )  # fmt: skip

    connection.deliver_order(rejected, "order_reject", None)

    assert digest_of(only_order(connection)) == digest_of(make_order(status=OrderStatus.REJECTED))


def test_an_address_is_replaced_as_a_whole(connection: DatabaseThiio) -> None:
    """No old apartment outlives a move, while a phone number that UltraCart lacks is kept."""
    connection.deliver_customer(make_customer(line2="Apt 4"), None)
    moved = make_customer(as_of=LATER, line1="9 Oak St", phone=None)

    connection.deliver_customer(moved, None)

    [[customer]] = connection.iter_customers(EVER)
    assert (customer.line1, customer.line2, customer.phone) == ("9 Oak St", None, "+12093839870")


def test_a_customer_known_by_email_only_is_taken_over(connection: DatabaseThiio, agents: Agents) -> None:
    """Thiio's own customer with this address, in any case, becomes the UltraCart one."""
    thiio_id = connection.deliver_customer(make_customer(), None)
    assert thiio_id is not None
    agents.edit_customer(thiio_id, ultracart_id=None, email=" ADA@Example.com")

    assert connection.deliver_customer(make_customer(as_of=LATER), None) == thiio_id
    assert agents.read_customer(thiio_id)["ultracart_id"] == "1"


def test_an_order_that_came_before_its_customer_finds_it(connection: DatabaseThiio) -> None:
    """By e-mail, once the customer is there; another customer's order stays where it is."""
    connection.deliver_order(make_order(), "order_create", None)
    connection.deliver_order(make_order(id="DEMO-2", email="else@example.com"), "order_create", None)

    thiio_id = connection.deliver_customer(make_customer(email=make_order().email), None)

    [orders] = connection.iter_orders(EVER)
    customers = {order.other_side_id: order.customer_id for order in orders}
    assert customers == {"DEMO-1": thiio_id, "DEMO-2": None}


def test_a_second_customer_with_the_same_email_is_not_merged(connection: DatabaseThiio) -> None:
    """Two UltraCart customers stay two; the reconciliation reports them."""
    first = connection.deliver_customer(make_customer("1"), None)

    assert connection.deliver_customer(make_customer("2"), None) != first


def test_a_link_to_another_record_is_refused(connection: DatabaseThiio, told: list[Notification]) -> None:
    """Nobody guesses which of the two is right; nothing changes."""
    thiio_id = connection.deliver_order(make_order("DEMO-1"), "order_create", None)
    before = only_order(connection)

    with pytest.raises(InvalidRecord, match=f"Thiio order {thiio_id} is linked .* DEMO-2, but names DEMO-1"):
        connection.deliver_order(make_order("DEMO-2"), "order_create", thiio_id)

    assert only_order(connection) == before
    assert told[-1].status is NotificationStatus.FAILED


def test_an_item_without_product_keeps_its_line(connection: DatabaseThiio) -> None:
    """Nothing is lost: the line names the item id, and no product."""
    order = make_order(lines=(make_line(item_id="NEW-1", description="A new thing"),))

    connection.deliver_order(order, "order_create", None)

    [line] = only_order(connection).lines or ()
    assert (line.product_id, line.item_id, line.description) == (None, "NEW-1", "A new thing")


def test_changed_lines_replace_the_old_ones(connection: DatabaseThiio) -> None:
    """An order that UltraCart changed has UltraCart's lines, once."""
    connection.deliver_order(make_order(), "order_create", None)
    changed = make_order(as_of=LATER, lines=(make_line(quantity=Decimal(3)),))

    connection.deliver_order(changed, "order_refund", None)

    assert digest_of(only_order(connection)) == digest_of(changed)


def test_a_pushed_order_comes_back_to_its_own_row(connection: DatabaseThiio, agents: Agents) -> None:
    """Its webhook may be faster than `mark_synced`: the partner order id leads to the agent's order."""
    thiio_id = agents.place_phone_order([PhoneLine(product_id="1", options="Size: L")])
    pushed = make_order(
        partner_order_id=f"THIIO-{thiio_id}",
        phone="+14155550132",
        lines=(make_line(quantity=Decimal(1)),),
    )

    assert connection.deliver_order(pushed, "order_create", None) == thiio_id
    connection.mark_synced(thiio_id, "DEMO-1")

    order = only_order(connection)
    assert (order.id, order.other_side_id, digest_of(order)) == (thiio_id, "DEMO-1", digest_of(pushed))
    assert [line.description for line in order.lines or ()] == ["Size: L"]  # an agent's line is kept
