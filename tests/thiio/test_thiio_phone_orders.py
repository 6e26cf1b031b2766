"""Orders taken by phone are found until they are synced; on SQLite and Postgres."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from tasks.errors import InvalidRecord
from tasks.notifications.log import Notification, NotificationStatus
from tasks.records.models import Address, OrderLine, PhoneOrder
from tasks.records.models import PhoneLine as PhoneOrderLine
from tasks.thiio.database.connection import DatabaseThiio
from tasks.thiio.sandbox.agents import Agents, PhoneLine
from tests.builders import make_order


def test_a_phone_order_carries_what_the_push_needs(connection: DatabaseThiio, agents: Agents) -> None:
    """Addresses, lines with product and item id, gateway, proof of the charge, note."""
    thiio_id = agents.place_phone_order(
        [PhoneLine(product_id="1", quantity=Decimal(2), unit_price_cents=500, options="Size: L")],
        transaction_id="ch_1",
        note="Gift",
        shipping_line1="2 Pier St",
    )

    [[phone_order]] = connection.iter_unsynced_orders()

    caller = Address(
        first_name="Grace", last_name="Hopper", line1="1 Harbor Way", city="San Francisco", state="CA",
        postal_code="94107", country="US", phone="+14155550132",
    )  # fmt: skip
    [order] = connection.find_orders([thiio_id])
    assert phone_order == PhoneOrder(
        order=order,
        lines=(
            PhoneOrderLine(
                position=1, product_id="1", quantity=Decimal(2), options="Size: L", unit_price_cents=500
            ),
        ),
        billing=caller,
        shipping=replace(caller, line1="2 Pier St"),
        gateway_id="1",
        paid_at=agents.read_order(thiio_id)["paid_at"],
        transaction={"Transaction ID": "ch_1", "Authorization Code": "A12345"},
        note="Gift",
    )
    assert (order.total_cents, order.gateway_code) == (1899, "STRIPE1")
    assert order.lines == (
        OrderLine(
            position=1, product_id="1", item_id="BONE", quantity=Decimal(2), description="Size: L",
            unit_price_cents=500, total_cents=1000,
        ),
    )  # fmt: skip


def test_only_unsynced_phone_orders_are_found(connection: DatabaseThiio, agents: Agents) -> None:
    """Not those that came from UltraCart, are synced, or were deleted; oldest first."""
    product = [PhoneLine(product_id="1")]
    first, synced, deleted, last = (agents.place_phone_order(product) for _ in range(4))
    connection.mark_synced(synced, "DEMO-7")
    agents.delete_order(deleted)
    connection.deliver_order(make_order(), "order_create", None)

    [page] = connection.iter_unsynced_orders()
    [chosen] = connection.iter_unsynced_orders([last, synced, "no-number"])

    assert [found.order.id for found in page] == [first, last]
    assert [found.order.id for found in chosen] == [last]


def test_a_product_without_item_id_gives_a_line_without(connection: DatabaseThiio, agents: Agents) -> None:
    """The push holds such an order; once the metadata is there, it finds the item id."""
    product_id = agents.add_product("Unmapped")
    agents.place_phone_order([PhoneLine(product_id=product_id)])

    [[before]] = connection.iter_unsynced_orders()
    agents.set_product_metadata(product_id, "ultracart_item_id", " NEW-1 ")
    [[after]] = connection.iter_unsynced_orders()

    assert [line.item_id for found in (before, after) for line in found.order.lines or ()] == [None, "NEW-1"]


def test_marking_synced_is_repeatable(
    connection: DatabaseThiio, agents: Agents, told: list[Notification]
) -> None:
    """The same id again changes nothing, and is told as such."""
    thiio_id = agents.place_phone_order([PhoneLine(product_id="1")])

    connection.mark_synced(thiio_id, "DEMO-1")
    before = agents.read_order(thiio_id)
    connection.mark_synced(thiio_id, "DEMO-1")

    assert agents.read_order(thiio_id) == before
    assert connection.find_orders_by_ultracart_id(["DEMO-1", "DEMO-2"]) == {"DEMO-1": thiio_id}
    assert [note.status for note in told] == [NotificationStatus.SUCCESSFUL, NotificationStatus.SKIPPED]


def test_an_order_is_not_marked_as_two(connection: DatabaseThiio, agents: Agents) -> None:
    """A second UltraCart order of the same Thiio order is a duplicate, and says so."""
    thiio_id = agents.place_phone_order([PhoneLine(product_id="1")])
    connection.mark_synced(thiio_id, "DEMO-1")

    with pytest.raises(InvalidRecord, match="synced as UltraCart order DEMO-1, not DEMO-2"):
        connection.mark_synced(thiio_id, "DEMO-2")
    with pytest.raises(InvalidRecord, match="Thiio order 999 does not exist"):
        connection.mark_synced("999", "DEMO-3")

    assert agents.read_order(thiio_id)["external_order_id"] == "DEMO-1"


def test_an_order_that_came_back_as_a_second_row_is_reported(
    connection: DatabaseThiio, agents: Agents
) -> None:
    """A webhook without partner order id made a row of its own: the error names both."""
    thiio_id = agents.place_phone_order([PhoneLine(product_id="1")])
    echo = connection.deliver_order(make_order(), "order_create", None)

    with pytest.raises(
        InvalidRecord, match=f"came of Thiio order {thiio_id}, but Thiio order {echo} names it"
    ):
        connection.mark_synced(thiio_id, "DEMO-1")

    assert agents.read_order(thiio_id)["external_order_id"] is None
