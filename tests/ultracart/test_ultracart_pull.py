"""What UltraCart holds is in our mirror after a pull, and a second pull changes nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest
from sqlalchemy import Engine, func, select

from tasks.database import tables
from tasks.errors import RecordsFailed
from tasks.loopback import serve_on_loopback
from tasks.notifications.log import notifier, tell_exchange
from tasks.records.catalogue import read_gateways, read_products
from tasks.records.mirror import find_customers, find_orders
from tasks.records.models import Side, Window
from tasks.seed import Shop, ultracart_order_id
from tasks.settings import UltraCartSettings
from tasks.ultracart import steps
from tasks.ultracart.client import UltraCartClient
from tasks.ultracart.pull import pull_catalogue, pull_customers, pull_orders
from tasks.ultracart.sandbox.server import UltraCartSandbox


def all_time(shop: Shop) -> Window:
    """A window around everything in the shop."""
    return Window(shop.now - timedelta(days=200), shop.now + timedelta(days=1))


def test_a_pull_brings_the_shop_into_the_mirror(
    settings: UltraCartSettings, engine: Engine, shop: Shop
) -> None:
    """To the cent, for every order; and each call is one notification."""
    window = all_time(shop)
    with UltraCartClient.connect(settings, tell_exchange(notifier(engine))) as client:
        counts = pull_customers(client, engine, window, "US") | pull_orders(client, engine, window, "US")
        again = pull_customers(client, engine, window, "US") | pull_orders(client, engine, window, "US")

    ids = {ultracart_order_id(order.number): order for order in shop.orders}
    with engine.connect() as connection:
        stored = find_orders(connection, Side.ULTRACART, list(ids))
        exchanges = connection.scalar(select(func.count()).select_from(tables.notifications))
    assert counts == again == {"ultracart_customers": 240, "ultracart_orders": 360}
    assert {
        key: (order.total_cents, order.refunded_cents, order.is_test, order.tracking_numbers)
        for key, order in stored.items()
    } == {
        key: (order.total_cents, order.refunded_cents, order.is_test, order.tracking)
        for key, order in ids.items()
    }
    assert [order.original_order_id for order in stored.values() if order.original_order_id] == [
        ultracart_order_id(order.rebill_of) for order in shop.orders if order.rebill_of
    ]
    assert exchanges is not None
    assert exchanges > 10


def test_the_catalogue_replaces_the_one_before(
    client: UltraCartClient, ultracart: UltraCartSandbox, engine: Engine, shop: Shop
) -> None:
    """An item that is gone from UltraCart is gone here."""
    pull_catalogue(client, engine)
    del ultracart.store.items["Baseball Bat"]
    counts = pull_catalogue(client, engine)

    with engine.connect() as connection:
        products = read_products(connection, Side.ULTRACART)
        gateways = read_gateways(connection, Side.ULTRACART)
    assert counts == {"ultracart_items": 24, "ultracart_gateways": 3}
    assert products.keys() == {item.item_id for item in shop.items} - {"Baseball Bat"}
    assert {code: gateway.gateway_code for code, gateway in gateways.items()} == {
        code: code for code, _ in shop.gateways
    }


def test_a_key_that_may_not_list_gateways_gives_those_of_orders(
    client: UltraCartClient, ultracart: UltraCartSandbox, engine: Engine, shop: Shop
) -> None:
    """The codes that stored orders were charged by stand in for the list."""
    pull_orders(client, engine, all_time(shop), "US")
    ultracart.faults.add(path="/fraud/lookup_values", status=403)
    pull_catalogue(client, engine)

    with engine.connect() as connection:
        assert read_gateways(connection, Side.ULTRACART).keys() == {code for code, _ in shop.gateways}


def test_a_customer_that_cannot_be_stored_fails_alone(engine: Engine, shop: Shop) -> None:
    """The others are stored, then the failure is told."""
    customers = [
        {
            "customer_profile_oid": 1,
            "email": "a@example.com",
            "last_modified_dts": "2026-11-01T08:00:00-04:00",
        },
        {"customer_profile_oid": 2, "email": "b@example.com"},
    ]
    answer = {"customers": customers, "success": True, "metadata": {"result_set": {"count": 2}}}
    with (
        serve_on_loopback(lambda request: httpx.Response(200, json=answer)) as url,
        UltraCartClient.connect(
            UltraCartSettings(base_url=url, simple_key="key"), lambda exchange: None
        ) as client,
        pytest.raises(RecordsFailed, match="customer 2 carries no date"),
    ):
        pull_customers(client, engine, Window(datetime(2026, 1, 1, tzinfo=UTC), shop.now), "US")

    with engine.connect() as connection:
        assert find_customers(connection, Side.ULTRACART, ["1", "2"]).keys() == {"1"}


def test_the_steps_read_the_settings_themselves(
    settings: UltraCartSettings, sqlite_url: str, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Plain times in, plain counts out."""
    monkeypatch.setenv("ULTRATHIIO_DATABASE_URL", sqlite_url)
    monkeypatch.setenv("ULTRATHIIO_ULTRACART__BASE_URL", settings.base_url)
    monkeypatch.setenv("ULTRATHIIO_ULTRACART__SIMPLE_KEY", settings.simple_key.get_secret_value())
    window = all_time(shop)

    assert steps.pull_ultracart_catalogue.fn() == {"ultracart_items": 25, "ultracart_gateways": 3}
    assert steps.pull_ultracart_customers.fn(window.start, window.end) == {"ultracart_customers": 240}
    assert steps.pull_ultracart_orders.fn(window.start, window.end) == {"ultracart_orders": 360}
