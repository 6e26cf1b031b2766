"""The vendor's own SDK works against the stand-in: what it demands of UltraCart, the stand-in keeps.

Without `discard_unknown_keys` the SDK raises on every null and on every value outside its enums and lengths.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from ultracart.apis import ChannelPartnerApi, CustomerApi, FraudApi, ItemApi, OrderApi, WebhookApi
from ultracart.models import (
    ChannelPartnerOrder,
    ChannelPartnerOrderItem,
    Customer,
    OrderQuery,
    OrderQueryBatch,
    Webhook,
)

from tasks.seed import Shop
from tasks.ultracart.sandbox.server import UltraCartSandbox
from tests.ultracart.vendor import ORDER_PARTS, open_sdk, refused


@pytest.fixture(params=[True, False], ids=["lenient", "strict"])
def api(request: pytest.FixtureRequest, ultracart: UltraCartSandbox) -> Iterator[Any]:
    """The vendor's client, set up for another host than its own."""
    with open_sdk(ultracart, is_lenient=request.param) as client:
        yield client


def test_it_reads_all_orders_with_all_parts(api: Any, shop: Shop) -> None:
    """Every order of the shop passes the vendor's own checks of type, enum and length."""
    orders = OrderApi(api)
    begin = (shop.now - timedelta(days=120)).isoformat()
    query = OrderQuery(creation_date_begin=begin, query_target="origin")
    pages = [
        orders.get_orders_by_query(query, limit=200, offset=offset, sort="-creation_dts", expand=ORDER_PARTS)
        for offset in (0, 200)
    ]
    found = [order for page in pages for order in page.orders]

    assert sum(order.summary.total.value for order in found) == pytest.approx(
        sum(order.total_cents for order in shop.orders) / 100
    )
    assert {order.payment.payment_method for order in found} == {
        order.payment_method for order in shop.orders
    }


def test_it_reads_one_order_and_a_batch(api: Any) -> None:
    """By id, alone and with others."""
    orders = OrderApi(api)
    one = orders.get_order("DEMO-0009100001", expand=ORDER_PARTS).order
    batch = orders.get_orders_batch(OrderQueryBatch(order_ids=["DEMO-0009100001", "DEMO-0009100002"])).orders

    assert [order.order_id for order in batch] == ["DEMO-0009100001", "DEMO-0009100002"]
    assert one.items[0].merchant_item_id


def test_it_reads_changes_and_deletes_customers(api: Any) -> None:
    """Lists, finds by e-mail, inserts, updates, deletes."""
    customers = CustomerApi(api)
    page = customers.get_customers(limit=200, expand="billing,shipping,orders_summary")
    first = page.customers[0]
    made = customers.insert_customer(Customer(email="new@example.com")).customer
    made.qb_class = "B"
    changed = customers.update_customer(made.customer_profile_oid, made).customer

    assert (page.metadata.result_set.count, page.metadata.result_set.more) == (200, True)
    assert customers.get_customer_by_email(first.email).customer.email == first.email
    assert changed.qb_class == "B"
    assert customers.delete_customer(made.customer_profile_oid) is None


def test_it_reads_items_gateways_and_partners(api: Any) -> None:
    """An item id with a space is found; gateways come from the fraud rules' values."""
    items = ItemApi(api)
    values = FraudApi(api).get_fraud_lookup_values().fraud_lookup_values
    partners = ChannelPartnerApi(api).get_channel_partners().channel_partners

    assert len(items.get_items(limit=2000, expand="pricing,kit_definition").items) == 25
    assert items.get_item_by_merchant_item_id("Baseball Bat").item.description == "Baseball bat, ash"
    assert [gateway.code for gateway in values.rotating_transaction_gateways] == [
        "STRIPE1",
        "AUTHNET",
        "NMI-BACKUP",
    ]
    assert [partner.code for partner in partners] == ["THIIO"]


def test_it_imports_an_order_and_sees_its_errors(api: Any, ultracart: UltraCartSandbox) -> None:
    """Success and refusal are both a 200; the lists tell."""
    partner = ChannelPartnerApi(api)

    def import_item(item_id: str) -> Any:
        return partner.import_channel_partner_order(
            ChannelPartnerOrder(
                channel_partner_order_id=f"THIIO-{item_id}",
                email="nora@example.com",
                payment_method="Credit Card",
                skip_payment_processing=True,
                billto_first_name="Nora",
                billto_country_code="US",
                items=[ChannelPartnerOrderItem(merchant_item_id=item_id, quantity=1.0)],
            )
        )

    taken, refused = import_item("BONE"), import_item("NOPE")
    found = partner.get_channel_partner_order_by_channel_partner_order_id("THIIO-BONE", expand=ORDER_PARTS)

    assert (taken.success, taken.import_errors, found.order.order_id) == (True, [], taken.order_id)
    assert (refused.success, refused.import_errors) == (False, ["Item NOPE is unknown."])
    assert ultracart.imports == {"THIIO-BONE": 1}


def test_it_registers_a_webhook_and_reads_its_log(api: Any, ultracart: UltraCartSandbox) -> None:
    """Insert, list, log, delete."""
    webhooks = WebhookApi(api)
    made = webhooks.insert_webhook(
        Webhook(webhook_url="http://127.0.0.1:9/", authentication_type="basic", api_version="2017-03-01")
    ).webhook
    guided = ultracart.register_webhook("http://127.0.0.1:9/", "user", "secret")
    ultracart.place_order("nora@example.com")
    ultracart.deliver()
    logs = webhooks.get_webhook_log_summaries(guided, success=False).webhook_log_summaries

    assert made.basic_username
    assert [webhook.webhook_oid for webhook in webhooks.get_webhooks().webhooks] == [made.webhook_oid, guided]
    assert [log.event_names for log in logs] == [["order_create"]]
    assert webhooks.get_webhook_log(guided, logs[0].request_id).webhook_log.status_code == 0
    assert webhooks.delete_webhook(made.webhook_oid) is None


def test_it_sees_errors_as_errors(api: Any) -> None:
    """A refusal carries UC-REST-ERROR."""
    assert refused(OrderApi(api).get_orders) == (400, "At least one parameter is required.")
