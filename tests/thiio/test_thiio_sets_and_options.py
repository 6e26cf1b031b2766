"""A product that is several of an item, or an item by its options, reads and writes as UltraCart counts."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tasks.records.digest import digest_of
from tasks.records.models import Order
from tasks.thiio.database.connection import DatabaseThiio
from tasks.thiio.sandbox.agents import Agents, PhoneLine
from tests.builders import make_line, make_order

ID, QUANTITY = "ultracart_item_id", "ultracart_quantity"


@pytest.fixture
def four_pack(agents: Agents) -> str:
    """A product that is four SOCK, and one SOCK-L as its option Size: L."""
    product_id = agents.add_product("Socks, set of four", "SOCK")
    agents.set_product_metadata(product_id, QUANTITY, "4")
    agents.set_product_metadata(product_id, f"{ID} [Size: L]", "SOCK-L")
    agents.set_product_metadata(product_id, f"{QUANTITY} [Size: L]", "1")
    return product_id


def sell(**changes: Any) -> Order:
    """An UltraCart order of one line."""
    return make_order("DEMO-1", gateway_code=None, lines=(make_line(**changes),))


def lines_of(connection: DatabaseThiio, agents: Agents, order_id: str) -> list[tuple[Any, ...]]:
    """The rows as an agent sees them: product, options, quantity, price."""
    table = agents.tables.order_lines
    with agents.engine.connect() as reader:
        rows = reader.execute(table.select().where(table.c.order_id == int(order_id)))
        return [
            (str(row.product_id), row.options, row.quantity.normalize(), row.unit_price.normalize())
            for row in rows
        ]


def test_a_set_is_read_in_pieces(connection: DatabaseThiio, agents: Agents, four_pack: str) -> None:
    """Two sets at 10.00 are eight at 2.50; the push gets the agent's own line besides."""
    line = PhoneLine(product_id=four_pack, quantity=Decimal(2), unit_price_cents=1000)
    agents.place_phone_order([line])

    [[phone]] = connection.iter_unsynced_orders()

    [read] = phone.order.lines or ()
    assert (read.item_id, read.quantity, read.unit_price_cents, read.total_cents) == ("SOCK", 8, 250, 2000)
    assert [(line.quantity, line.unit_price_cents) for line in phone.lines] == [(2, 1000)]


@pytest.mark.parametrize(
    ("sold", "row"),
    [
        pytest.param(
            {"item_id": "SOCK", "quantity": Decimal(8), "unit_price_cents": 250},
            (None, Decimal(2), Decimal(10)),
            id="eight are two sets",
        ),
        pytest.param(
            {"item_id": "sock-l", "quantity": Decimal(3), "unit_price_cents": 250},
            ("Size: L", Decimal(3), Decimal("2.5")),
            id="an item that is an option",
        ),
    ],
)
def test_what_is_delivered_reads_back_the_same(
    connection: DatabaseThiio, agents: Agents, four_pack: str, sold: dict[str, Any], row: tuple[Any, ...]
) -> None:
    """The line stands in Thiio's own terms, and the two sides agree; a second delivery changes nothing."""
    order = sell(**sold)

    thiio_id = connection.deliver_order(order, "order_create", None) or ""
    again = connection.deliver_order(order, "order_create", thiio_id)

    [read] = connection.find_orders([thiio_id])
    assert lines_of(connection, agents, thiio_id) == [(four_pack, *row)]
    assert digest_of(read) == digest_of(order)
    assert again == thiio_id


def test_sets_that_are_not_filled_stay_without_product(
    connection: DatabaseThiio, agents: Agents, four_pack: str
) -> None:
    """Three of a set of four are no product, but the item still counts; a single one comes first."""
    three = sell(item_id="SOCK", quantity=Decimal(3), unit_price_cents=250)
    first = connection.deliver_order(three, "order_create", None) or ""
    single = agents.add_product("Sock", "SOCK")
    second = connection.deliver_order(
        make_order("DEMO-2", gateway_code=None, lines=(make_line(item_id="SOCK", quantity=Decimal(4)),)),
        "order_create",
        None,
    )

    [read] = connection.find_orders([first])
    assert lines_of(connection, agents, first) == [("None", None, Decimal(3), Decimal("2.5"))]
    assert digest_of(read) == digest_of(three)
    assert lines_of(connection, agents, second or "")[0][:3] == (single, None, Decimal(4))
