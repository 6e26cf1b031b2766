"""The stand-in's channel partner calls: import, look-up, cancel.

What the real import says in each case, and whether it takes the same partner order id twice, is not
published: the texts are ours, and `takes_duplicate_imports` switches between both behaviours.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from tasks.ultracart.sandbox.call import DONE, Call, Refusal, read_time, single
from tasks.ultracart.sandbox.document import find_faults, schema_of
from tasks.ultracart.sandbox.items import PARTNER_OID
from tasks.ultracart.sandbox.order_book import Draft, DraftLine, add_order, line_cents, next_order_id
from tasks.ultracart.sandbox.orders import reject_if_possible
from tasks.ultracart.sandbox.serialize import show_order
from tasks.ultracart.sandbox.store import Store

CARD_PROOFS = ("hosted_fields_card_token", "use_prior_payment_information_from_order_id", "transaction")


def import_order(store: Store, call: Call) -> dict[str, Any]:
    """Answer POST /channel_partner/import; an order that is not taken is a 200 with import errors."""
    body = call.object()
    errors = list(_find_errors(store, body))
    warnings = list(store.import_warnings)
    if body.get("treat_warnings_as_errors", True):
        errors, warnings = errors + warnings, []
    if errors:
        return {"import_errors": errors, "import_warnings": warnings, "success": False, "metadata": {}}
    order_id = add_order(store, _draft(store, body))
    store.imports[body["channel_partner_order_id"]] += 1
    return {"order_id": order_id, "import_errors": [], "import_warnings": warnings, **DONE}


def get_partner_order(store: Store, call: Call) -> dict[str, Any]:
    """Answer GET /channel_partner/orders/{order_id}; other partners' orders are refused."""
    return single("order", show_order(_find_own(store, call.parts["order_id"]), call.expand))


def get_by_partner_order_id(store: Store, call: Call) -> dict[str, Any]:
    """Answer GET /channel_partner/orders/by_channel_partner_order_id/{id}."""
    return single("order", show_order(_find(store, call.parts["order_id"]), call.expand))


def cancel_by_partner_order_id(store: Store, call: Call) -> dict[str, Any]:
    """Answer DELETE /channel_partner/cancel/by_channel_partner_order_id/{id}."""
    refused = reject_if_possible(store, _find(store, call.parts["order_id"]))
    return {"cancel_errors": [refused] if refused else [], "success": not refused, "metadata": {}}


def cancel_by_order_id(store: Store, call: Call) -> dict[str, Any]:
    """Answer DELETE /channel_partner/cancel/by_ultracart_order_id/{id}."""
    refused = reject_if_possible(store, _find_own(store, call.parts["order_id"]))
    return {"cancel_errors": [refused] if refused else [], "success": not refused, "metadata": {}}


def find_partner_orders(store: Store, partner_order_id: str) -> list[dict[str, Any]]:
    """Give all orders that were imported under a partner order id."""
    return [
        order
        for order in store.orders.values()
        if order.get("channel_partner", {}).get("channel_partner_order_id") == partner_order_id
    ]


def _find_own(store: Store, order_id: str) -> dict[str, Any]:
    order = store.find_order(order_id)
    if "channel_partner" not in order:
        raise Refusal(f"Order {order_id} is not of this channel partner.")
    return order


def _find(store: Store, partner_order_id: str) -> dict[str, Any]:
    found = find_partner_orders(store, partner_order_id)
    if not found:
        raise store.missing("channel partner order")
    return found[0]


def _find_errors(store: Store, body: dict[str, Any]) -> Iterator[str]:
    for name in ("channel_partner_order_id", "email", "payment_method", "items"):
        if not body.get(name):
            yield f"{name} is required."
    yield from (fault.text for fault in find_faults(schema_of("ChannelPartnerOrder"), body))
    partner_order_id = str(body.get("channel_partner_order_id"))
    if not store.takes_duplicate_imports and find_partner_orders(store, partner_order_id):
        yield f"channel_partner_order_id {partner_order_id} has been imported already."
    if (
        body.get("payment_method") == "Credit Card"
        and not _card_needs_no_charge(body)
        and not any(map(body.get, CARD_PROOFS))
    ):
        yield "A credit card order needs a hosted fields token, a prior order or a transaction."
    code = body.get("rotating_transaction_gateway_code")
    if code and code not in {gateway["code"] for gateway in store.gateways}:
        yield f"rotating_transaction_gateway_code {code} is unknown."
    if body.get("creation_dts") and not body.get("store_completed"):
        yield "creation_dts is allowed with store_completed only."
    yield from _find_item_errors(store, body.get("items") or [])


def _find_item_errors(store: Store, items: list[dict[str, Any]]) -> Iterator[str]:
    for item in items:
        if item.get("merchant_item_id") not in store.items:
            yield f"Item {item.get('merchant_item_id')} is unknown."
        if not isinstance(quantity := item.get("quantity"), int | float) or quantity <= 0:
            yield f"Item {item.get('merchant_item_id')}: quantity must be a number above 0."


def _card_needs_no_charge(body: dict[str, Any]) -> bool:
    switches = ("no_realtime_payment_processing", "skip_payment_processing", "store_completed")
    return any(map(body.get, switches))


def _draft(store: Store, body: dict[str, Any]) -> Draft:
    now = store.clock()
    placed_at = read_time(body["creation_dts"], "creation_dts") if body.get("creation_dts") else now
    stage, is_paid = _stage(body)
    lines = [_line(store, item) for item in body["items"]]
    billing = _address(body, "billto_") | {"email": body["email"]}
    if copy_to := body.get("cc_email"):
        billing["cc_emails"] = [copy_to]
    shipping = _address(body, "shipto_") or _address(body, "billto_")
    discount = _cents(body.get("arbitrary_subtotal_discount", 0))
    subtotal = sum(line_cents(line.cents, line.quantity) for line in lines)
    rate = Decimal(str(body.get("arbitrary_tax_rate", 0)))
    tax = _cents(body["arbitrary_tax"]) if "arbitrary_tax" in body else round((subtotal - discount) * rate)
    associate = body.get("associate_with_customer_profile_if_present")
    return Draft(
        order_id=next_order_id(store),
        placed_at=placed_at,
        stage=stage,
        billing=billing,
        shipping=shipping,
        lines=lines,
        payment_method=body["payment_method"],
        shipping_method=body.get("shipping_method"),
        discount_cents=discount,
        shipping_cents=_cents(body.get("arbitrary_shipping_handling_total", 0)),
        tax_cents=tax,
        gateway_code=body.get("rotating_transaction_gateway_code"),
        paid_at=placed_at if is_paid else None,
        customer=store.customer_by_email(body["email"]) if associate else None,
        coupons=body.get("coupons") or [],
        checkout=_checkout(body),
        purchase_order_number=body.get("purchase_order_number"),
        ship_on=read_time(body["ship_on_date"], "ship_on_date") if body.get("ship_on_date") else None,
        transactions=_transactions(body, placed_at),
        channel_partner={
            "channel_partner_code": store.channel_partner_code,
            "channel_partner_oid": PARTNER_OID,
            "channel_partner_order_id": body["channel_partner_order_id"],
        },
    )


def _stage(body: dict[str, Any]) -> tuple[str, bool]:
    """Decide the stage, and whether the money is in."""
    if body.get("store_completed"):
        return "Completed Order", True
    if body.get("no_realtime_payment_processing"):
        return "Accounts Receivable", False
    if body.get("skip_payment_processing") or body["payment_method"] in ("Credit Card", "PayPal"):
        return "Shipping Department", True
    return "Accounts Receivable", False


def _line(store: Store, item: dict[str, Any]) -> DraftLine:
    item_id = item["merchant_item_id"]
    price = item.get("arbitrary_unit_cost", store.items[item_id]["pricing"]["cost"])
    options = [(option["name"], option["value"]) for option in item.get("options") or ()]
    return DraftLine(item_id, item["quantity"], _cents(price), options)


def _address(body: dict[str, Any], prefix: str) -> dict[str, Any]:
    return {
        name.removeprefix(prefix): value for name, value in body.items() if name.startswith(prefix) and value
    }


def _checkout(body: dict[str, Any]) -> dict[str, Any]:
    same = [f"custom_field{number}" for number in range(1, 8)]
    same += ["storefront_host_name", "screen_branding_theme_code"]
    names = {"ip_address": "customer_ip_address"} | dict(zip(same, same, strict=True))
    return {name: body[given] for given, name in names.items() if body.get(given)}


def _transactions(body: dict[str, Any], at: datetime) -> list[dict[str, Any]]:
    """Give the proof of an outside charge as the order shows it."""
    given = body.get("transaction")
    if not given:
        return []
    shown = {
        "successful": given.get("successful"),
        "details": given.get("details"),
        "transaction_timestamp": at,
    }
    return [shown]


def _cents(amount: Any) -> int:
    try:
        return round(Decimal(str(amount)) * 100)
    except InvalidOperation:
        raise Refusal("An arbitrary amount is not a number.") from None


ROUTES = (
    ("POST", "/channel_partner/import", import_order),
    ("GET", "/channel_partner/orders/{order_id}", get_partner_order),
    (
        "GET",
        "/channel_partner/orders/by_channel_partner_order_id/{order_id}",
        get_by_partner_order_id,
    ),
    (
        "DELETE",
        "/channel_partner/cancel/by_channel_partner_order_id/{order_id}",
        cancel_by_partner_order_id,
    ),
    ("DELETE", "/channel_partner/cancel/by_ultracart_order_id/{order_id}", cancel_by_order_id),
)
