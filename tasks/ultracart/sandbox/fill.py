"""Fill the stand-in with the made-up shop, in UltraCart's shape."""

from __future__ import annotations

from typing import Any

from tasks.seed import Shop, ShopCustomer, ShopItem, ShopOrder, ultracart_customer_id, ultracart_order_id
from tasks.ultracart.sandbox import order_book
from tasks.ultracart.sandbox.order_book import Draft, DraftLine, build_order
from tasks.ultracart.sandbox.serialize import major
from tasks.ultracart.sandbox.store import Store

STAGES = {
    "completed": "Completed Order",
    "processing": "Shipping Department",
    "unpaid": "Accounts Receivable",
    "rejected": "Accounts Receivable",  # until it is rejected
    "on_hold": "Hold",
}


def fill_store(store: Store, shop: Shop) -> None:
    """Put the shop's items, gateways, customers and orders into an empty store."""
    for index, item in enumerate(shop.items):
        store.items[item.item_id] = _item(index, item, store.merchant_id, shop)
    store.gateways = [
        {"rotating_transaction_gateway_oid": 501 + index, "code": code, "name": name}
        for index, (code, name) in enumerate(shop.gateways)
    ]
    people = {customer.number: customer for customer in shop.customers}
    for customer in shop.customers:
        store.customers[ultracart_customer_id(customer.number)] = _customer(customer, store.merchant_id)
    for order in shop.orders:
        _add_order(store, order, people[order.customer_number])


def address_of(customer: ShopCustomer) -> dict[str, Any]:
    """Give an address in UltraCart's names, the phone as a person would type it and as E.164."""
    return {
        "first_name": customer.first_name,
        "last_name": customer.last_name,
        "address1": customer.line1,
        "address2": customer.line2,
        "city": customer.city,
        "state_region": customer.state,
        "postal_code": customer.postal_code,
        "country_code": customer.country,
        "day_phone": _typed(customer.phone),
        "day_phone_e164": customer.phone,
    }


def _typed(phone: str) -> str:
    return f"({phone[2:5]}) {phone[5:8]}-{phone[8:]}" if phone.startswith("+1") else phone


def _item(index: int, item: ShopItem, merchant_id: str, shop: Shop) -> dict[str, Any]:
    made: dict[str, Any] = {
        "merchant_id": merchant_id,
        "merchant_item_oid": 7_000 + index,
        "merchant_item_id": item.item_id,
        "description": item.name,
        "inactive": False,
        "kit": item.is_kit,
        "last_modified_dts": shop.now,
        "pricing": {"cost": major(item.price_cents)},
    }
    if item.is_kit:
        made["kit_definition"] = {
            "components": [
                {"component_merchant_item_id": item_id, "quantity": quantity}
                for item_id, quantity in item.components
            ]
        }
    return made


def _customer(customer: ShopCustomer, merchant_id: str) -> dict[str, Any]:
    oid = ultracart_customer_id(customer.number)
    address = address_of(customer)
    return {
        "customer_profile_oid": oid,
        "merchant_id": merchant_id,
        "email": customer.email,
        "signup_dts": customer.signed_up_at,
        "last_modified_dts": customer.modified_at,
        "last_modified_by": "storefront",
        "billing": [address | {"customer_billing_oid": 2_000_000 + customer.number, "default_billing": True}],
        "shipping": [
            address | {"customer_shipping_oid": 3_000_000 + customer.number, "default_shipping": True}
        ],
    }


def _add_order(store: Store, order: ShopOrder, customer: ShopCustomer) -> None:
    address = address_of(customer)
    draft = Draft(
        order_id=ultracart_order_id(order.number),
        placed_at=order.placed_at,
        stage=STAGES[order.stage],
        billing=address | {"email": customer.email},
        shipping=address,
        lines=[DraftLine(line.item_id, line.quantity, line.unit_price_cents) for line in order.lines],
        payment_method=order.payment_method,
        shipping_method=order.shipping_method,
        discount_cents=order.discount_cents,
        shipping_cents=order.shipping_cents,
        tax_cents=order.tax_cents,
        gateway_code=order.gateway_code,
        paid_at=order.paid_at,
        is_test=order.is_test,
        customer=store.customers[ultracart_customer_id(customer.number)],
        coupons=[order.coupon_code] if order.coupon_code else [],
        auto_order=_auto_order(order),
    )
    made = build_order(store, draft)
    if order.shipped_at:
        order_book.ship(made, list(order.tracking), order.shipped_at)
    cents = 0
    for refund in order.refunds:
        cents += refund.cents
        order_book.refund(made, cents, refund.at, refund.reason)
    if order.rejected_at:
        order_book.reject(made, order.rejected_at, order.reject_reason)
    store.orders[made["order_id"]] = made


def _auto_order(order: ShopOrder) -> dict[str, Any] | None:
    if order.rebill_of is None:
        return None
    return {
        "auto_order_oid": 6_000_000 + order.rebill_of,
        "auto_order_code": f"AO{order.rebill_of:08d}",
        "original_order_id": ultracart_order_id(order.rebill_of),
        "status": "active",
        "enabled": True,
    }
