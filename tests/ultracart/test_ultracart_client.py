"""The client reads everything once, and sends an import once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tasks.errors import AnswerLost, RemoteRefused, RemoteUnavailable
from tasks.http_client import Exchange
from tasks.records.models import Window
from tasks.seed import Shop, ultracart_customer_id, ultracart_order_id
from tasks.settings import UltraCartSettings
from tasks.ultracart import wire
from tasks.ultracart.client import ImportedOrder, UltraCartClient
from tasks.ultracart.sandbox.server import UltraCartSandbox

IMPORT: dict[str, Any] = {
    "channel_partner_order_id": "THIIO-8812",
    "email": "nora@example.com",
    "payment_method": "Credit Card",
    "rotating_transaction_gateway_code": "STRIPE1",
    "skip_payment_processing": True,
    "items": [{"merchant_item_id": "Baseball Bat", "quantity": 2, "arbitrary_unit_cost": 40.5}],
    "arbitrary_shipping_handling_total": 8.99,
    "arbitrary_tax": 4.05,
}


def all_time(shop: Shop) -> Window:
    """A window around everything in the shop."""
    return Window(shop.now - timedelta(days=200), shop.now + timedelta(days=1))


def ids_of(pages: Any) -> list[str]:
    """The order ids of all pages."""
    return [order.order_id for page in pages for order in page]


def test_all_customers_come_in_pages_of_200(client: UltraCartClient, told: list[Exchange]) -> None:
    """Without a window every customer comes once."""
    pages = list(client.iter_customers(None))

    assert [len(page) for page in pages] == [200, 40]
    assert len({customer.customer_profile_oid for page in pages for customer in page}) == 240
    assert [exchange.operation for exchange in told] == ["GET /customer/customers"] * 2


def test_customers_of_a_window_are_those_modified_in_it(client: UltraCartClient, shop: Shop) -> None:
    """The window is half-open, on the date of the last change."""
    modified = sorted(customer.modified_at for customer in shop.customers)
    window = Window(modified[100], modified[200])

    found = {each.customer_profile_oid for page in client.iter_customers(window) for each in page}

    assert found == {
        ultracart_customer_id(customer.number)
        for customer in shop.customers
        if window.start <= customer.modified_at < window.end
    }


def test_a_customer_is_found_by_oid(client: UltraCartClient, shop: Shop) -> None:
    """A customer that exists comes with addresses; one that does not is None."""
    found = client.find_customer(str(ultracart_customer_id(1)))

    assert found is not None
    assert found.email == shop.customers[0].email
    assert found.billing is not None
    assert client.find_customer("42") is None


def test_orders_of_a_window_are_those_placed_in_it(client: UltraCartClient, shop: Shop) -> None:
    """A window from one order to another holds the first and not the last, in order of time."""
    placed = [order.placed_at for order in shop.orders]
    window = Window(placed[10], placed[320])

    assert ids_of(client.iter_orders(window)) == [
        ultracart_order_id(order.number)
        for order in shop.orders
        if window.start <= order.placed_at < window.end
    ]


def test_rows_that_move_to_an_earlier_page_are_not_missed(
    client: UltraCartClient, ultracart: UltraCartSandbox, shop: Shop
) -> None:
    """Orders deleted while pages are read move others forward; an earlier page is read for them."""
    pages = client.iter_orders(all_time(shop))
    found = ids_of([next(pages)])
    with ultracart.lock:  # the next page is under way already
        for order_id in found[:5]:
            del ultracart.store.orders[order_id]
    found += ids_of(pages)

    assert sorted(found) == sorted(ultracart_order_id(order.number) for order in shop.orders)


def test_an_order_of_any_age_comes_when_it_is_rejected(
    client: UltraCartClient, ultracart: UltraCartSandbox
) -> None:
    """A check that never came, given up after more than a year, is news of today."""
    order_id = ultracart.place_order("nora@example.com", is_paid=False)
    now = datetime.now(UTC)
    ultracart.store.orders[order_id]["creation_dts"] = now - timedelta(days=400)
    ultracart.reject_order(order_id)

    changed = client.iter_changed_orders(Window(now - timedelta(minutes=1), now + timedelta(minutes=1)))
    assert ids_of(changed) == [order_id]


def test_an_order_changed_in_any_way_that_has_a_date_comes_once(
    client: UltraCartClient, ultracart: UltraCartSandbox, shop: Shop
) -> None:
    """Placed, paid, shipped, refunded, rejected: the union of what UltraCart can be asked for."""
    start = datetime.now(UTC).replace(microsecond=0)
    old = [order for order in shop.orders if order.placed_at < start - timedelta(days=5)]
    shipped = next(order for order in old if order.stage == "on_hold")
    refunded = next(order for order in old if order.stage == "completed" and not order.refunds)
    rejected = next(order for order in old if order.stage == "unpaid")
    placed = ultracart.place_order("nora@example.com")
    ultracart.ship_order(ultracart_order_id(shipped.number))
    ultracart.refund_order(ultracart_order_id(refunded.number), 100)
    ultracart.reject_order(ultracart_order_id(rejected.number))
    ultracart.ship_order(placed)

    found = ids_of(client.iter_changed_orders(Window(start, start + timedelta(minutes=1))))

    changed = [ultracart_order_id(order.number) for order in (shipped, refunded, rejected)]
    assert sorted(found) == sorted([placed, *changed])


def test_a_fresh_window_is_asked_at_the_origin_and_an_old_one_at_the_cache(
    client: UltraCartClient, ultracart: UltraCartSandbox, shop: Shop
) -> None:
    """The cache lacks the last minutes: an order of just now is found all the same."""
    ultracart.store.cache_lag = timedelta(minutes=10)
    placed = ultracart.place_order("nora@example.com")
    now = datetime.now(UTC)

    assert placed in ids_of(client.iter_orders(Window(now - timedelta(hours=1), now + timedelta(minutes=1))))


def test_1200_ids_are_fetched_in_three_batches(
    client: UltraCartClient, shop: Shop, told: list[Exchange]
) -> None:
    """UltraCart takes 500 ids at a time; unknown ones are left out."""
    known = [ultracart_order_id(order.number) for order in shop.orders]
    unknown = [f"DEMO-{number}" for number in range(1_200 - len(known))]

    orders = client.fetch_orders(unknown[:400] + known + unknown[400:])

    assert sorted(order.order_id for order in orders) == sorted(known)
    assert len(told) == 3


def test_the_catalogue_is_read(client: UltraCartClient, shop: Shop) -> None:
    """Items, gateways and channel partners come as they are."""
    items = {item.merchant_item_id for page in client.iter_items() for item in page}

    assert items == {item.item_id for item in shop.items}
    assert [(each.code, each.name) for each in client.list_gateways()] == list(shop.gateways)
    assert [each.code for each in client.list_channel_partners()] == ["THIIO"]


def test_an_imported_order_is_found_by_its_partner_order_id(
    client: UltraCartClient, ultracart: UltraCartSandbox
) -> None:
    """What was imported can be looked up at once, by our id alone."""
    imported = client.import_order(IMPORT)
    found = client.find_partner_order("THIIO-8812")

    assert imported == ImportedOrder(order_id="DEMO-0009200001", warnings=())
    assert found is not None
    assert (found.order_id, found.current_stage) == ("DEMO-0009200001", "Shipping Department")
    assert found.summary is not None
    assert found.summary.total == wire.Currency(value=Decimal("94.04"))
    assert client.find_partner_order("THIIO-8813") is None
    assert ultracart.imports == {"THIIO-8812": 1}


def test_a_refused_import_says_why(client: UltraCartClient, ultracart: UltraCartSandbox) -> None:
    """A 200 with `success: false` is a refusal in UltraCart's words, and nothing was made."""
    with pytest.raises(RemoteRefused, match="Item NOPE is unknown"):
        client.import_order(IMPORT | {"items": [{"merchant_item_id": "NOPE", "quantity": 1}]})

    assert ultracart.imports == {}


def test_an_import_whose_answer_is_lost_is_sent_once(
    client: UltraCartClient, ultracart: UltraCartSandbox, told: list[Exchange]
) -> None:
    """The order exists, the client says that it does not know, and the look-up finds it."""
    ultracart.faults.add(path="/channel_partner/import", cut="after")

    with pytest.raises(AnswerLost):
        client.import_order(IMPORT)

    found = client.find_partner_order("THIIO-8812")
    assert found is not None
    assert ultracart.imports == {"THIIO-8812": 1}
    assert [exchange.operation for exchange in told] == [
        "POST /channel_partner/import",
        "POST /order/orders/query",
    ]


def test_a_server_error_on_import_is_doubtful_too(
    client: UltraCartClient, ultracart: UltraCartSandbox
) -> None:
    """A 500 does not tell whether the order was made, so it is not sent again."""
    ultracart.faults.add(path="/channel_partner/import", status=500)

    with pytest.raises(AnswerLost):
        client.import_order(IMPORT)

    assert ultracart.imports == {}


def test_a_read_is_repeated_after_a_server_error(
    client: UltraCartClient, ultracart: UltraCartSandbox, told: list[Exchange]
) -> None:
    """Two failures and a broken connection are got over, and all of it is told."""
    ultracart.faults.add(path="/item/items", status=503, times=2)
    ultracart.faults.add(path="/item/items", cut="before")

    assert len([item for page in client.iter_items() for item in page]) == 25
    assert [exchange.http_status for exchange in told] == [503, 503, None, 200]


def test_a_slow_answer_is_given_up(settings: UltraCartSettings, ultracart: UltraCartSandbox) -> None:
    """An answer that takes longer than the time-out counts as not available."""
    ultracart.faults.add(path="/item/items", delay_seconds=0.4)
    hasty = settings.model_copy(update={"timeout_seconds": 0.1, "read_attempts": 1})
    ultracart.refuses_concurrent_calls = False

    with (
        UltraCartClient.connect(hasty, lambda exchange: None) as client,
        pytest.raises(RemoteUnavailable),
    ):
        list(client.iter_items())


def test_webhooks_are_registered_changed_and_listed(client: UltraCartClient) -> None:
    """A webhook comes back with its oid and without its password."""
    made = client.insert_webhook(
        {"webhook_url": "https://hooks.example.com/a", "authentication_type": "none"}
    )
    client.update_webhook(made.webhook_oid, {"webhook_url": "https://hooks.example.com/b", "name": "ours"})

    assert [(each.webhook_oid, each.webhook_url) for each in client.list_webhooks()] == [
        (made.webhook_oid, "https://hooks.example.com/b")
    ]
