"""Orders in UltraCart's shape: how one is made, shipped, refunded and rejected."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from tasks.ultracart.sandbox.call import Refusal
from tasks.ultracart.sandbox.serialize import Money
from tasks.ultracart.sandbox.store import Store

FIRST_NEW_ORDER = 9_200_001
CHECKOUT = {"customer_ip_address": "192.0.2.10", "storefront_host_name": "shop.example.com"}


@dataclass(frozen=True, slots=True)
class DraftLine:
    """An item that is bought, at `cents` a piece; options are (label, value)."""

    item_id: str
    quantity: float
    cents: int
    options: Sequence[tuple[str, str]] = ()


@dataclass(slots=True, kw_only=True)
class Draft:
    """What an order is made of; addresses in wire names."""

    order_id: str
    placed_at: datetime
    stage: str
    billing: dict[str, Any]
    shipping: dict[str, Any]
    lines: Sequence[DraftLine]
    payment_method: str
    shipping_method: str | None = None
    discount_cents: int = 0
    shipping_cents: int = 0
    tax_cents: int = 0
    gateway_code: str | None = None
    paid_at: datetime | None = None
    is_test: bool = False
    customer: dict[str, Any] | None = None
    coupons: list[str] = field(default_factory=list)
    channel_partner: dict[str, Any] | None = None
    auto_order: dict[str, Any] | None = None
    purchase_order_number: str | None = None
    ship_on: datetime | None = None
    transactions: list[dict[str, Any]] = field(default_factory=list)
    checkout: dict[str, Any] = field(default_factory=dict)


def next_order_id(store: Store) -> str:
    """Give the id of a new order, of the vendor's numeric scheme (its page 1377163)."""
    return f"{store.merchant_id}-{store.next_number('order', FIRST_NEW_ORDER):010d}"


def add_order(store: Store, draft: Draft) -> str:
    """Make an order with its event and return its id."""
    order = build_order(store, draft)
    store.orders[draft.order_id] = order
    store.emit("order_create", order)
    return draft.order_id


def build_order(store: Store, draft: Draft) -> dict[str, Any]:
    """Make an order with all its parts; `channel_partner` and `auto_order` only where they apply."""
    order = {
        "merchant_id": store.merchant_id,
        "order_id": draft.order_id,
        "current_stage": draft.stage,
        "creation_dts": draft.placed_at,
        "language_iso_code": "ENG",
        "billing": draft.billing,
        # UltraCart sends a list with one empty text before there is tracking (recorded sample calls).
        "shipping": draft.shipping
        | {
            "shipping_method": draft.shipping_method,
            "ship_on_date": draft.ship_on,
            "tracking_numbers": [""],
        },
        "items": _items(store, draft),
        "summary": _summary(draft),
        "payment": _payment(draft),
        "checkout": CHECKOUT | draft.checkout,
        "taxes": {"tax_county": "", "tax_shipping": False},
        "coupons": [{"coupon_code": code, "base_coupon_code": code} for code in draft.coupons],
    }
    if draft.customer:
        profile = {key: draft.customer[key] for key in ("customer_profile_oid", "email", "merchant_id")}
        order["customer_profile"] = profile
    for name in ("channel_partner", "auto_order"):
        if part := getattr(draft, name):
            order[name] = part
    return order


def line_cents(cents: int, quantity: float) -> int:
    """Give the amount of a line, half a cent rounded up; how UltraCart rounds is not published: assumed."""
    exact = cents * Decimal(str(quantity))
    return int(exact.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def ship(order: dict[str, Any], tracking: list[str], at: datetime) -> None:
    """Ship all of an order; the date is that of the first shipment."""
    order["current_stage"] = "Completed Order"
    order["shipping"].setdefault("shipping_date", at)
    order["shipping"]["tracking_numbers"] = list(tracking) or [""]
    for item in order["items"]:
        item.setdefault("shipped_dts", at)


def refund(order: dict[str, Any], total_cents: int, at: datetime, reason: str | None) -> None:
    """Bring what was refunded to `total_cents`, counted from the beginning; it never goes back.

    The stage stays. Raises `Refusal` for an unpaid order and for an amount that is too low or too high.
    """
    summary, payment = order["summary"], order["payment"]
    if "payment_dts" not in payment:
        raise Refusal(f"Order {order['order_id']} is not paid, so it cannot be refunded.")
    before = summary.get("total_refunded", Money(0)).cents
    if not before < total_cents <= summary["total"].cents:
        raise Refusal(f"Order {order['order_id']} cannot be refunded by this amount.")
    summary["total_refunded"] = summary["subtotal_refunded"] = Money(total_cents)
    order["refund_dts"] = at
    order["refund_reason"] = reason
    if total_cents == summary["total"].cents:
        payment["payment_status"] = "Refunded"
        summary["subtotal_refunded"] = summary["subtotal"]
        summary["subtotal_discount_refunded"] = summary["subtotal_discount"]
        summary["tax_refunded"] = summary["tax"]
        summary["shipping_handling_refunded"] = summary["shipping_handling_total"]
        for item in order["items"]:
            item["quantity_refunded"] = item["quantity"]
            item["total_refunded"] = item["total_cost_with_discount"]


REFUNDED_PARTS = (
    "subtotal_refunded", "subtotal_discount_refunded", "tax_refunded", "shipping_handling_refunded",
)  # fmt: skip


def check_refunded_parts(order: dict[str, Any], body: dict[str, Any]) -> None:
    """Refuse a refund of more pieces than were sold, and an amount without its value."""
    summary, lines = body.get("summary", {}), list(_refunded_lines(order, body))
    amounts = {name: summary[name] for name in REFUNDED_PARTS if name in summary}
    amounts |= {
        f"total_refunded of item {item['merchant_item_id']}": given["total_refunded"]
        for item, given in lines
        if "total_refunded" in given
    }
    for name, amount in amounts.items():
        if "value" not in amount:
            raise Refusal(f"{name} has no value.")
    for item, given in lines:
        if given.get("quantity_refunded", 0) > item["quantity"]:
            raise Refusal(f"Item {item['merchant_item_id']} cannot be refunded more often than it was sold.")


def split_refund(order: dict[str, Any], body: dict[str, Any]) -> None:
    """Note how a refund is made up, as the body of the call names it; both count from the beginning."""
    for name in REFUNDED_PARTS:
        if amount := body.get("summary", {}).get(name):
            order["summary"][name] = Money.read(amount)
    for item, given in _refunded_lines(order, body):
        if "quantity_refunded" in given:
            item["quantity_refunded"] = given["quantity_refunded"]
        if "total_refunded" in given:
            item["total_refunded"] = Money.read(given["total_refunded"])


def _refunded_lines(
    order: dict[str, Any], body: dict[str, Any]
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    named = {item["item_index"]: item for item in body.get("items", []) if "item_index" in item}
    return ((item, named.get(item["item_index"], {})) for item in order["items"])


def reject(order: dict[str, Any], at: datetime, reason: str | None) -> None:
    """Reject an order: what UltraCart does instead of cancelling."""
    order["current_stage"] = "Rejected"
    order["reject_dts"] = at
    order["reject_reason"] = reason
    if reason == "Card declined":
        order["payment"]["payment_status"] = "Declined"
    elif "payment_dts" in order["payment"]:
        order["payment"]["payment_status"] = "Voided"


def _items(store: Store, draft: Draft) -> list[dict[str, Any]]:
    """Give the lines, a kit followed by its components as lines without price."""
    items: list[dict[str, Any]] = []
    for bought in draft.lines:
        kit = store.items[bought.item_id]
        items.append(_line(store, bought.item_id, bought.quantity, bought.cents, len(items) + 1))
        if bought.options:
            items[-1]["options"] = [{"label": label, "value": value} for label, value in bought.options]
        components = kit.get("kit_definition", {}).get("components", [])
        if components:
            items[-1]["kit"] = True
        parent = {"parent_item_index": items[-1]["item_index"], "parent_merchant_item_id": bought.item_id}
        for component in components:
            line = _line(
                store,
                component["component_merchant_item_id"],
                bought.quantity * component["quantity"],
                0,
                len(items) + 1,
            )
            items.append(line | {"kit_component": True} | parent)
    return items


def _line(store: Store, item_id: str, quantity: float, cents: int, index: int) -> dict[str, Any]:
    whole = int(quantity) if quantity == int(quantity) else quantity
    return {
        "merchant_item_id": item_id,
        "item_index": index,
        "quantity": whole,
        "description": store.items[item_id]["description"],
        "cost": Money(cents),
        "unit_cost_with_discount": Money(cents),
        "total_cost_with_discount": Money(line_cents(cents, quantity)),
        "distribution_center_code": "DFLT",
        "special_product_type": "",
        "kit": False,
        "kit_component": False,
    }


def _summary(draft: Draft) -> dict[str, Money]:
    subtotal = sum(line_cents(line.cents, line.quantity) for line in draft.lines)
    total = subtotal - draft.discount_cents + draft.shipping_cents + draft.tax_cents
    return {
        "subtotal": Money(subtotal),
        "subtotal_discount": Money(draft.discount_cents),
        "shipping_handling_total": Money(draft.shipping_cents),
        "tax": Money(draft.tax_cents),
        "total": Money(total),
    }


def _payment(draft: Draft) -> dict[str, Any]:
    payment: dict[str, Any] = {
        "payment_method": draft.payment_method,
        "payment_status": "Processed" if draft.paid_at else "Unprocessed",
        "transactions": draft.transactions,
    }
    if draft.paid_at:
        payment["payment_dts"] = draft.paid_at
    if draft.gateway_code:
        payment["rotating_transaction_gateway_code"] = draft.gateway_code
    if draft.purchase_order_number:
        payment["purchase_order"] = {"purchase_order_number": draft.purchase_order_number}
    if draft.is_test:
        payment["test_order"] = True
    return payment
