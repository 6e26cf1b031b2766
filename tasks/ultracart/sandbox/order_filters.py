"""Which orders a list or a query asks for: the filters of GET /order/orders and of `OrderQuery`.

Both ends of a time filter are included; whether UltraCart does so is not published. What the made-up shop
knows nothing of is answered 501: `rma` (there are no returns), `card_bin` and `card_last4` (no cards).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from tasks.ultracart.sandbox.call import Refusal, read_time
from tasks.ultracart.sandbox.store import Store

Order = dict[str, Any]
Test = Callable[[Order, Any], bool]
TRANSACTIONS = "payment_transaction_filters"


def _part(order: Order, part: str, field: str) -> Any:
    return order.get(part, {}).get(field)


def _is_text(held: Any, wanted: Any) -> bool:
    return str(held or "").casefold() == str(wanted).casefold()


def _equals(part: str, field: str) -> Test:
    return lambda order, wanted: _is_text(_part(order, part, field), wanted)


def _dates(name: str, date_of: Callable[[Order], Any]) -> dict[str, Test]:
    def begin(order: Order, text: str) -> bool:
        date, bound = date_of(order), read_time(text, name)
        return date is not None and date >= bound

    def end(order: Order, text: str) -> bool:
        date, bound = date_of(order), read_time(text, name)
        return date is not None and date <= bound

    return {f"{name}_begin": begin, f"{name}_end": end}


def _has_copy_to(order: Order, wanted: Any) -> bool:
    return any(_is_text(email, wanted) for email in _part(order, "billing", "cc_emails") or ())


def _has_purchase_order(order: Order, wanted: Any) -> bool:
    return _is_text((_part(order, "payment", "purchase_order") or {}).get("purchase_order_number"), wanted)


BILLING_FILTERS = (
    "email", "first_name", "last_name", "company", "city", "state_region", "postal_code", "country_code",
)  # fmt: skip
FILTERS: dict[str, Test] = {
    "order_id": lambda order, wanted: bool(order["order_id"] == wanted),
    "current_stage": lambda order, wanted: bool(order["current_stage"] == wanted),
    "item_id": lambda order, wanted: wanted in {item["merchant_item_id"] for item in order["items"]},
    "total": lambda order, wanted: bool(order["summary"]["total"].cents == round(float(wanted) * 100)),
    "phone": _equals("billing", "day_phone"),
    **{name: _equals("billing", name) for name in BILLING_FILTERS},
    "cc_email": _has_copy_to,
    "purchase_order_number": _has_purchase_order,
    "storefront_host_name": _equals("checkout", "storefront_host_name"),
    "screen_branding_theme_code": _equals("checkout", "screen_branding_theme_code"),
    **{f"custom_field_{number}": _equals("checkout", f"custom_field{number}") for number in range(1, 11)},
    "payment_method": _equals("payment", "payment_method"),
    "customer_profile_oid": _equals("customer_profile", "customer_profile_oid"),
    "channel_partner_code": _equals("channel_partner", "channel_partner_code"),
    "channel_partner_order_id": _equals("channel_partner", "channel_partner_order_id"),
    **_dates("creation_date", lambda order: order["creation_dts"]),
    **_dates("payment_date", lambda order: _part(order, "payment", "payment_dts")),
    **_dates("shipment_date", lambda order: _part(order, "shipping", "shipping_date")),
    # When it should ship, not when it did (vendor's SDK, in spite of the name).
    **_dates("shipped_on_date", lambda order: _part(order, "shipping", "ship_on_date")),
    **_dates("refund_date", lambda order: order.get("refund_dts")),
}


def select_orders(store: Store, wanted: dict[str, Any]) -> list[Order]:
    """Give the orders that fit all filters; `query_target: cache` lacks the youngest.

    Refused without a filter, and for one that the target cannot answer; 501 for one that nobody here can.
    """
    filters = dict(wanted)
    target, pairs = filters.pop("query_target", None), filters.pop(TRANSACTIONS, None)
    if not filters and not pairs:
        raise Refusal("At least one parameter is required.")
    if unknown := filters.keys() - FILTERS.keys():
        raise Refusal(f"This stand-in does not filter orders by {', '.join(sorted(unknown))}.", 501)
    if pairs and target != "cache":
        raise Refusal(f"{TRANSACTIONS} requires query_target=cache.")
    found = [
        order
        for order in store.orders.values()
        if all(FILTERS[name](order, value) for name, value in filters.items())
        and (not pairs or _has_transaction(store, order, pairs))
    ]
    if target == "cache":
        found = [order for order in found if order["creation_dts"] <= store.clock() - store.cache_lag]
    return found


def _has_transaction(store: Store, order: Order, wanted: list[dict[str, Any]]) -> bool:
    """Tell whether one transaction of an order holds all the pairs."""
    pairs = {(each.get("name"), each.get("value")) for each in wanted}
    return any(pairs <= held for held in _transactions(store, order))


def _transactions(store: Store, order: Order) -> Iterator[set[tuple[Any, Any]]]:
    """Give each transaction's details as pairs; the gateway is just another pair of it (vendor's SDK)."""
    code = _part(order, "payment", "rotating_transaction_gateway_code")
    gateway = {("rotatingTransactionGatewayCode", code)} if code else set()
    gateway |= {
        ("rotatingTransactionGatewayName", each["name"]) for each in store.gateways if each["code"] == code
    }
    # A payment over the shop front is one transaction, of which this shop keeps the gateway only.
    for transaction in order["payment"]["transactions"] or [{}]:
        details = transaction.get("details") or ()
        yield gateway | {(each.get("name"), each.get("value")) for each in details}
