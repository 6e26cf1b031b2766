"""The vendor's SDK calls each operation on orders and of the channel partner: once well, once wrong."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from ultracart.apis import ChannelPartnerApi, OrderApi
from ultracart.models import (
    ChannelPartnerOrder,
    ChannelPartnerOrderItem,
    ChannelPartnerOrderTransaction,
    ChannelPartnerOrderTransactionDetail,
    Currency,
    OrderQuery,
    OrderQueryBatch,
)

from tasks.seed import Shop, ShopOrder, ultracart_order_id
from tasks.ultracart.sandbox.server import UltraCartSandbox
from tests.ultracart.vendor import ORDER_PARTS, missing, open_sdk, refused

UNKNOWN = "DEMO-0000000000"


@pytest.fixture
def api(ultracart: UltraCartSandbox) -> Iterator[Any]:
    """The vendor's client, strict."""
    with open_sdk(ultracart) as client:
        yield client


@pytest.fixture
def orders(api: Any) -> Any:
    """Its operations on orders."""
    return OrderApi(api)


@pytest.fixture
def partner(api: Any) -> Any:
    """Its operations as a channel partner."""
    return ChannelPartnerApi(api)


def pick(shop: Shop, stage: str) -> ShopOrder:
    """Choose an order in a stage, of which nothing was given back."""
    return next(order for order in shop.orders if order.stage == stage and not order.refunds)


def phone_order(partner_order_id: str = "THIIO-1", **changes: Any) -> ChannelPartnerOrder:
    """An order that a call centre has charged already."""
    fields: dict[str, Any] = {
        "channel_partner_order_id": partner_order_id,
        "email": "nora@example.com",
        "payment_method": "Credit Card",
        "skip_payment_processing": True,
        "billto_first_name": "Nora",
        "billto_country_code": "US",
        "custom_field1": "agent 7",
        "ip_address": "192.0.2.44",
        "items": [ChannelPartnerOrderItem(merchant_item_id="BONE", quantity=2.0)],
    }
    return ChannelPartnerOrder(**{**fields, **changes})


def test_orders_are_listed(orders: Any, shop: Shop) -> None:
    """By place and time; without any parameter the call is refused."""
    order = shop.orders[0]
    customer = shop.customers[order.customer_number - 1]
    times = {
        "creation_date_begin": order.placed_at.isoformat(),
        "creation_date_end": order.placed_at.isoformat(),
    }
    found = orders.get_orders(
        city=customer.city, country_code=customer.country, **times, limit=200, expand=ORDER_PARTS
    ).orders

    assert [each.order_id for each in found] == [ultracart_order_id(order.number)]
    assert orders.get_orders(city="Nowhere", **times).orders == []
    assert refused(orders.get_orders) == (400, "At least one parameter is required.")


def test_orders_are_queried(orders: Any, shop: Shop) -> None:
    """By stage, newest first; a target alone is no parameter."""
    found = orders.get_orders_by_query(
        OrderQuery(current_stage="Rejected", query_target="origin"), sort="-creation_dts", expand=ORDER_PARTS
    ).orders
    rejected = [order for order in shop.orders if order.stage == "rejected"]

    assert [order.order_id for order in found] == [ultracart_order_id(each.number) for each in rejected[::-1]]
    assert all(order.reject_dts and order.reject_reason for order in found)
    assert refused(lambda: orders.get_orders_by_query(OrderQuery(query_target="origin"))) == (
        400, "At least one parameter is required.",
    )  # fmt: skip
    assert refused(lambda: orders.get_orders_by_query(OrderQuery(email="a@b.c"), limit=201)) == (
        400, "_limit must be between 1 and 200.",
    )  # fmt: skip


def test_a_batch_is_read(orders: Any) -> None:
    """Unknown ids are left out; more than 500 are refused."""
    known = ultracart_order_id(1)
    found = orders.get_orders_batch(OrderQueryBatch(order_ids=[known, UNKNOWN]), expand=ORDER_PARTS).orders
    too_many = OrderQueryBatch(order_ids=[known] * 501)

    assert [order.order_id for order in found] == [known]
    assert refused(lambda: orders.get_orders_batch(too_many)) == (
        400, "order_ids must hold between 1 and 500 ids.",
    )  # fmt: skip


def test_an_order_is_got(orders: Any) -> None:
    """Without expansion its core and nothing else; an unknown one is a 400."""
    bare = orders.get_order(ultracart_order_id(1)).order

    assert bare.to_dict().keys() - {"refund_dts", "refund_reason", "reject_dts", "reject_reason"} == {
        "merchant_id", "order_id", "current_stage", "creation_dts", "language_iso_code",
    }  # fmt: skip
    assert bare.order_id == ultracart_order_id(1)
    assert refused(lambda: orders.get_order(UNKNOWN)) == missing("order")


def test_an_order_is_updated(orders: Any, shop: Shop) -> None:
    """The whole order goes back with changes, and is still found by its dates."""
    order_id = ultracart_order_id(pick(shop, "completed").number)
    order = orders.get_order(order_id, expand=ORDER_PARTS).order
    order.billing.city = "Tacoma"
    order.checkout.custom_field1 = "called twice"
    after = orders.update_order(order_id, order, expand=ORDER_PARTS).order
    shipped = order.shipping.shipping_date
    by_date = orders.get_orders(shipment_date_begin=shipped, shipment_date_end=shipped).orders

    assert (after.billing.city, after.checkout.custom_field1) == ("Tacoma", "called twice")
    assert after.to_dict() == order.to_dict()
    assert order_id in [each.order_id for each in by_date]
    assert refused(lambda: orders.update_order(UNKNOWN, order)) == missing("order")


def test_an_order_is_deleted(orders: Any) -> None:
    """Once; the second time there is nothing to delete."""
    order_id = ultracart_order_id(1)

    assert orders.delete_order(order_id) is None
    assert refused(lambda: orders.delete_order(order_id)) == missing("order")


def test_a_line_is_refunded(orders: Any, shop: Shop) -> None:
    """What the body names is what the order shows; no more pieces than were sold; a reason if demanded."""
    order_id = ultracart_order_id(pick(shop, "completed").number)
    order = orders.get_order(order_id, expand="item,summary").order
    cost = order.items[0].cost.value
    order.items[0].quantity_refunded = 1
    order.items[0].total_refunded = Currency(value=cost)
    order.summary.total_refunded = order.summary.subtotal_refunded = Currency(value=cost)
    order.refund_reason = "Damaged"
    after = orders.refund_order(order_id, order, manual_refund=True, expand=ORDER_PARTS).order
    order.items[0].quantity_refunded = order.items[0].quantity + 1

    assert (after.items[0].quantity_refunded, after.items[0].total_refunded.value) == (1, cost)
    assert (after.summary.total_refunded.value, after.summary.subtotal_refunded.value) == (cost, cost)
    assert (after.refund_reason, after.current_stage) == ("Damaged", "Completed Order")
    status, words = refused(lambda: orders.refund_order(order_id, order))
    assert (status, words) == (
        400, f"Item {order.items[0].merchant_item_id} cannot be refunded more often than it was sold.",
    )  # fmt: skip
    assert orders.get_order(order_id, expand=ORDER_PARTS).order.to_dict() == after.to_dict()


def test_an_unpaid_order_is_not_refunded(orders: Any, shop: Shop, ultracart: UltraCartSandbox) -> None:
    """Recorded as a 400; a merchant may also demand a reason."""
    unpaid = ultracart_order_id(pick(shop, "unpaid").number)
    paid = ultracart_order_id(pick(shop, "completed").number)

    def refund(order_id: str) -> tuple[int, str]:
        order = orders.get_order(order_id, expand="summary").order
        order.summary.total_refunded = order.summary.total
        return refused(lambda: orders.refund_order(order_id, order))

    assert refund(unpaid) == (400, f"Order {unpaid} is not paid, so it cannot be refunded.")
    ultracart.store.requires_refund_reason = True
    assert refund(paid) == (400, "refund_reason is required.")


def test_it_tells_whether_an_order_can_be_refunded(orders: Any, shop: Shop) -> None:
    """Yes, with the reasons to choose from; no is the absence of a yes."""
    yes = orders.is_refundable_order(ultracart_order_id(pick(shop, "completed").number))
    no = orders.is_refundable_order(ultracart_order_id(pick(shop, "unpaid").number))

    assert (yes.refundable, "refundable" in no.to_dict()) == (True, False)
    assert [each.value for each in yes.order_level_refund_reasons] == [
        "CustomerCancel", "Damaged", "WrongItem",
    ]  # fmt: skip
    assert refused(lambda: orders.is_refundable_order(UNKNOWN)) == missing("order")


def test_an_order_is_cancelled(orders: Any, shop: Shop) -> None:
    """Once: the second time is a 200 that says no; an unknown order is a 400."""
    order_id = ultracart_order_id(pick(shop, "processing").number)
    done, too_late = (orders.cancel_order(order_id, skip_refund_and_hold=True) for _ in range(2))

    assert (done.success, too_late.success) == (True, False)
    assert too_late.error.user_message == f"Order {order_id} is in stage Rejected and cannot be cancelled."
    assert refused(lambda: orders.cancel_order(UNKNOWN)) == missing("order")


def test_an_order_is_imported_with_its_proof_of_charge(partner: Any) -> None:
    """The order shows where it came from and who charged it; the same again is an import error."""
    proof = ChannelPartnerOrderTransaction(
        successful=True,
        details=[ChannelPartnerOrderTransactionDetail(name="Transaction ID", value="ch_1")],
    )
    taken = partner.import_channel_partner_order(phone_order(transaction=proof))
    again = partner.import_channel_partner_order(phone_order(transaction=proof))
    order = partner.get_channel_partner_order(taken.order_id, expand=ORDER_PARTS).order

    assert (taken.success, taken.import_errors, taken.import_warnings) == (True, [], [])
    assert order.channel_partner.channel_partner_order_id == "THIIO-1"
    assert (order.checkout.custom_field1, order.checkout.customer_ip_address) == ("agent 7", "192.0.2.44")
    assert [
        (each.successful, each.details[0].name, each.details[0].value) for each in order.payment.transactions
    ] == [(True, "Transaction ID", "ch_1")]
    assert (again.success, again.import_errors) == (
        False, ["channel_partner_order_id THIIO-1 has been imported already."],
    )  # fmt: skip


def test_a_partner_finds_only_its_own_orders(partner: Any) -> None:
    """By either id; an order of the storefront is refused (the vendor's sample), an unknown one too."""
    taken = partner.import_channel_partner_order(phone_order())
    found = partner.get_channel_partner_order_by_channel_partner_order_id("THIIO-1", expand=ORDER_PARTS).order
    foreign = ultracart_order_id(1)

    assert (
        found.to_dict()
        == partner.get_channel_partner_order(taken.order_id, expand=ORDER_PARTS).order.to_dict()
    )
    assert refused(lambda: partner.get_channel_partner_order(foreign)) == (
        400, f"Order {foreign} is not of this channel partner.",
    )  # fmt: skip
    assert refused(lambda: partner.get_channel_partner_order(UNKNOWN)) == missing("order")
    assert refused(
        lambda: partner.get_channel_partner_order_by_channel_partner_order_id("THIIO-2")
    ) == missing("channel partner order")


@pytest.mark.parametrize("by_partner_order_id", [True, False])
def test_a_partner_cancels(partner: Any, by_partner_order_id: bool) -> None:
    """By either id, once: the second time the lists tell; an unknown order is a 400."""
    order_id = partner.import_channel_partner_order(phone_order()).order_id
    if by_partner_order_id:
        cancel, known = partner.cancel_order_by_channel_partner_order_id, "THIIO-1"
    else:
        cancel, known = partner.cancel_order_by_ultra_cart_order_id, order_id
    done, too_late = cancel(known), cancel(known)

    assert (done.success, done.cancel_errors) == (True, [])
    assert (too_late.success, too_late.cancel_errors) == (
        False, [f"Order {order_id} is in stage Rejected and cannot be cancelled."],
    )  # fmt: skip
    assert refused(lambda: cancel(UNKNOWN))[0] == 400


def test_a_partner_does_not_cancel_a_foreign_order(partner: Any, shop: Shop, orders: Any) -> None:
    """An order of the storefront is not its to cancel."""
    foreign = ultracart_order_id(pick(shop, "processing").number)

    assert refused(lambda: partner.cancel_order_by_ultra_cart_order_id(foreign)) == (
        400, f"Order {foreign} is not of this channel partner.",
    )  # fmt: skip
    assert orders.get_order(foreign).order.current_stage == "Shipping Department"


def test_rejected_orders_are_gone_after_a_year(orders: Any, shop: Shop, ultracart: UltraCartSandbox) -> None:
    """All but those rejected within it; the switch keeps them."""
    order_id = ultracart_order_id(pick(shop, "rejected").number)
    placed_at = datetime.fromisoformat(orders.get_order(order_id).order.creation_dts)
    ultracart.store.clock = lambda: placed_at + timedelta(days=365 + 92)
    ultracart.store.deletes_old_rejected = False
    kept = orders.get_order(order_id).order.order_id
    ultracart.store.deletes_old_rejected = True

    assert kept == order_id
    assert refused(lambda: orders.get_order(order_id)) == missing("order")
    assert orders.get_order(ultracart_order_id(pick(shop, "completed").number)).order
