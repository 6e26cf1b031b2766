"""Both stand-ins, filled with one shop, describe it alike: what differs later was planted or is a bug."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from datetime import timedelta

import pytest

from tasks.records.digest import digest_of
from tasks.records.models import Customer, Order, Window
from tasks.seed import Shop
from tasks.settings import ThiioSettings, UltraCartSettings, load_settings
from tasks.thiio.connection import ThiioConnection
from tasks.thiio.open import open_thiio
from tasks.thiio.sandbox.server import ThiioSandbox
from tasks.ultracart.client import UltraCartClient
from tasks.ultracart.sandbox.server import UltraCartSandbox
from tasks.ultracart.translate import to_customer, to_gateway, to_order, to_product

EACH_SIDES_OWN = {"side", "id", "parts", "stage", "customer_id", "other_side_id", "lines"}
"""Fields that name the record on its own side, or are worded by it."""


@pytest.fixture
def ultracart_client(ultracart: UltraCartSandbox) -> Iterator[UltraCartClient]:
    """A client of UltraCart's stand-in."""
    settings = UltraCartSettings(
        base_url=ultracart.base_url, simple_key=ultracart.simple_key, merchant_id=ultracart.merchant_id
    )
    with UltraCartClient.connect(settings, lambda _: None) as client:
        yield client


@pytest.fixture
def thiio_connection(thiio: ThiioSandbox) -> Iterator[ThiioConnection]:
    """The connection `database` to Thiio's stand-in."""
    settings = load_settings(thiio=ThiioSettings(database_url=thiio.database_url))
    connection = open_thiio(settings, lambda _: None)
    yield connection
    connection.close()


def ever(shop: Shop) -> Window:
    """Give a window around all that happened in the shop."""
    return Window(shop.now - timedelta(days=400), shop.now + timedelta(hours=1))


def told_by_both(record: Customer | Order) -> dict[str, object]:
    """Give the fields that both sides tell, the digest among them."""
    told = {field.name: getattr(record, field.name) for field in fields(record)}
    return {name: value for name, value in told.items() if name not in EACH_SIDES_OWN} | {
        "digest": digest_of(record)
    }


def test_orders_agree(
    ultracart_client: UltraCartClient, thiio_connection: ThiioConnection, shop: Shop
) -> None:
    """The same orders with the same digest, dates and words, one for one."""
    ours = {
        order.order_id: told_by_both(to_order(order, "US"))
        for page in ultracart_client.iter_orders(ever(shop))
        for order in page
    }
    theirs = {
        str(order.other_side_id): told_by_both(order)
        for page in thiio_connection.iter_orders(ever(shop))
        for order in page
    }

    assert len(ours) == len(shop.orders)
    assert ours == theirs


def test_customers_agree(
    ultracart_client: UltraCartClient, thiio_connection: ThiioConnection, shop: Shop
) -> None:
    """The same customers with the same digest and dates, one for one."""
    ours = [
        told_by_both(to_customer(customer, "US"))
        for page in ultracart_client.iter_customers(None)
        for customer in page
    ]
    theirs = [
        told_by_both(customer) for page in thiio_connection.iter_customers(ever(shop)) for customer in page
    ]

    assert len(ours) == len(shop.customers)
    assert sorted(ours, key=by_email) == sorted(theirs, key=by_email)


def by_email(told: dict[str, object]) -> str:
    """Order customers alike."""
    return str(told["email_key"])


def test_every_product_and_gateway_is_mapped(
    ultracart_client: UltraCartClient, thiio_connection: ThiioConnection
) -> None:
    """Each Thiio product names an item of UltraCart, each gateway a code of it."""
    items = [to_product(item).id for page in ultracart_client.iter_items() for item in page]
    codes = [to_gateway(gateway).gateway_code for gateway in ultracart_client.list_gateways()]

    products = thiio_connection.list_products()
    assert sorted(product.metadata["ultracart_item_id"] for product in products) == sorted(items)
    assert [gateway.gateway_code for gateway in thiio_connection.list_gateways()] == codes


def test_delivering_the_shop_again_changes_nothing(
    ultracart_client: UltraCartClient, thiio_connection: ThiioConnection, shop: Shop
) -> None:
    """UltraCart's orders are what Thiio holds, so a delivery of each leaves its row as it is."""
    before = [order for page in thiio_connection.iter_orders(ever(shop)) for order in page]

    for page in ultracart_client.iter_orders(ever(shop)):
        for order in page:
            thiio_connection.deliver_order(to_order(order, "US"), "order_create", None)

    assert [order for page in thiio_connection.iter_orders(ever(shop)) for order in page] == before
