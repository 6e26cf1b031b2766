"""The stand-in's orders: list, query, batch, get, change, refund, cancel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tasks.ultracart.sandbox import order_book
from tasks.ultracart.sandbox.call import DONE, Call, Refusal, cut_page, read_time, single
from tasks.ultracart.sandbox.serialize import Money, show_order
from tasks.ultracart.sandbox.store import Store

PAGE_CAP = 200
BATCH_CAP = 500
REFUND_REASONS = ("CustomerCancel", "Damaged", "WrongItem")
"""The merchant's own choice; these are made up."""
PAGING = frozenset({"_limit", "_offset", "_sort", "_expand", "_since"})

Test = Callable[[dict[str, Any], Any], bool]


def _part(order: dict[str, Any], part: str, field: str) -> Any:
    return order.get(part, {}).get(field)


def _equals(part: str, field: str) -> Test:
    def test(order: dict[str, Any], wanted: Any) -> bool:
        return str(_part(order, part, field) or "").casefold() == str(wanted).casefold()

    return test


def _dates(name: str, date_of: Callable[[dict[str, Any]], Any]) -> dict[str, Test]:
    def begin(order: dict[str, Any], text: str) -> bool:
        date = date_of(order)
        return date is not None and date >= read_time(text, name)

    def end(order: dict[str, Any], text: str) -> bool:
        date = date_of(order)
        return date is not None and date <= read_time(text, name)

    return {f"{name}_begin": begin, f"{name}_end": end}


BILLING_FILTERS = (
    "email", "first_name", "last_name", "company", "city", "state_region", "postal_code", "country_code",
)  # fmt: skip
FILTERS: dict[str, Test] = {
    "order_id": lambda order, wanted: order["order_id"] == wanted,
    "current_stage": lambda order, wanted: order["current_stage"] == wanted,
    "item_id": lambda order, wanted: wanted in {item["merchant_item_id"] for item in order["items"]},
    "total": lambda order, wanted: order["summary"]["total"].cents == round(float(wanted) * 100),
    "phone": _equals("billing", "day_phone"),
    **{name: _equals("billing", name) for name in BILLING_FILTERS},
    "storefront_host_name": _equals("checkout", "storefront_host_name"),
    "payment_method": _equals("payment", "payment_method"),
    "customer_profile_oid": _equals("customer_profile", "customer_profile_oid"),
    "channel_partner_code": _equals("channel_partner", "channel_partner_code"),
    "channel_partner_order_id": _equals("channel_partner", "channel_partner_order_id"),
    **_dates("creation_date", lambda order: order["creation_dts"]),
    **_dates("payment_date", lambda order: _part(order, "payment", "payment_dts")),
    **_dates("shipment_date", lambda order: _part(order, "shipping", "shipping_date")),
    **_dates("refund_date", lambda order: order.get("refund_dts")),
}
"""Both ends of a time filter are included; whether UltraCart does so is not published."""


def list_orders(store: Store, call: Call) -> dict[str, Any]:
    """Answer GET /order/orders; refused without a parameter."""
    return _page(store, call, {name: value for name, value in call.query.items() if name not in PAGING})


def query_orders(store: Store, call: Call) -> dict[str, Any]:
    """Answer POST /order/orders/query; refused without a parameter."""
    return _page(store, call, dict(call.object()))


def fetch_batch(store: Store, call: Call) -> dict[str, Any]:
    """Answer POST /order/orders/batch; unknown ids are left out."""
    ids = call.object().get("order_ids") or []
    if not ids or len(ids) > BATCH_CAP:
        raise Refusal(f"order_ids must hold between 1 and {BATCH_CAP} ids.")
    orders = [show_order(store.orders[each], call.expand) for each in ids if each in store.orders]
    result_set = {
        "count": len(orders),
        "offset": 0,
        "limit": 100,
        "next_offset": 0,
        "total_records": len(orders),
    }
    return {
        "orders": orders,
        "success": True,
        "metadata": {"result_set": result_set, "payload_name": "orders"},
    }


def get_order(store: Store, call: Call) -> dict[str, Any]:
    """Answer GET /order/orders/{order_id}."""
    return single("order", show_order(store.find_order(call.parts["order_id"]), call.expand))


def update_order(store: Store, call: Call) -> dict[str, Any]:
    """Answer PUT /order/orders/{order_id}: addresses and checkout fields only, as this stand-in goes."""
    order = store.find_order(call.parts["order_id"])
    for part in ("billing", "shipping", "checkout"):
        given = call.object().get(part, {})
        order[part] = order[part] | {
            name: given[name] for name in given if not name.endswith(("_date", "_dts"))
        }
    store.emit("order_update", order)
    return single("order", show_order(order, call.expand))


def delete_order(store: Store, call: Call) -> None:
    """Answer DELETE /order/orders/{order_id}."""
    order = store.find_order(call.parts["order_id"])
    del store.orders[order["order_id"]]
    store.emit("order_delete", order)


def refund_order(store: Store, call: Call) -> dict[str, Any]:
    """Answer PUT /order/orders/{order_id}/refund: the body's totals are the cumulative aim."""
    order, body = store.find_order(call.parts["order_id"]), call.object()
    aim = body.get("summary", {}).get("total_refunded", {})
    if "value" not in aim:
        raise Refusal("summary.total_refunded is required.")
    if store.requires_refund_reason and not body.get("refund_reason"):
        raise Refusal("refund_reason is required.")
    order_book.check_refunded_lines(order, body)
    order_book.refund(order, Money.read(aim).cents, store.clock(), body.get("refund_reason"))
    order_book.split_refund(order, body)
    store.emit("order_refund", order)
    if call.query.get("reject_after_refund") == "true":
        order_book.reject(order, store.clock(), body.get("reject_reason"))
        store.emit("order_reject", order)
    return single("order", show_order(order, call.expand))


def tell_refundable(store: Store, call: Call) -> dict[str, Any]:
    """Answer GET /order/orders/{order_id}/refundable; no value means no (vendor's SDK)."""
    order = store.find_order(call.parts["order_id"])
    reasons = [{"value": reason, "description": reason} for reason in REFUND_REASONS]
    return {
        **DONE,
        "refundable": "payment_dts" in order["payment"] or None,
        "order_level_refund_reason_required": store.requires_refund_reason,
        "order_level_refund_reasons": reasons,
    }


def cancel_order(store: Store, call: Call) -> dict[str, Any]:
    """Answer POST /order/orders/{order_id}/cancel; a refusal is a 200 with `success: false`."""
    refused = reject_if_possible(store, store.find_order(call.parts["order_id"]))
    if refused:
        return {
            "success": False,
            "error": {"developer_message": refused, "user_message": refused},
            "metadata": {},
        }
    return DONE


def reject_if_possible(store: Store, order: dict[str, Any]) -> str | None:
    """Reject an order and make its event, or say why not."""
    if order["current_stage"] in ("Completed Order", "Rejected"):
        return f"Order {order['order_id']} is in stage {order['current_stage']} and cannot be cancelled."
    order_book.reject(order, store.clock(), "Customer cancelled")
    store.emit("order_reject", order)
    return None


def _page(store: Store, call: Call, filters: dict[str, Any]) -> dict[str, Any]:
    target = filters.pop("query_target", None)
    if not filters:
        raise Refusal("At least one parameter is required.")
    if unknown := filters.keys() - FILTERS.keys():
        raise Refusal(f"This stand-in does not filter orders by {', '.join(sorted(unknown))}.", 501)
    rows = [
        order
        for order in store.orders.values()
        if all(FILTERS[name](order, value) for name, value in filters.items())
    ]
    if target == "cache":
        rows = [order for order in rows if order["creation_dts"] <= store.clock() - store.cache_lag]
    shown = [show_order(order, call.expand) for order in _sorted(rows, call)]
    return cut_page(call, shown, "orders", PAGE_CAP, clamps=store.clamps_limit)


def _sorted(orders: list[dict[str, Any]], call: Call) -> list[dict[str, Any]]:
    wish = call.query.get("_sort", "creation_dts")
    if wish.lstrip("+-") != "creation_dts":  # an unencoded plus arrives as a space, and is refused
        raise Refusal(f"_sort {wish!r} is not possible.")
    return sorted(orders, key=lambda order: order["creation_dts"], reverse=wish.startswith("-"))


ROUTES = (
    ("GET", "/order/orders", list_orders),
    ("POST", "/order/orders/query", query_orders),
    ("POST", "/order/orders/batch", fetch_batch),
    ("GET", "/order/orders/{order_id}", get_order),
    ("PUT", "/order/orders/{order_id}", update_order),
    ("DELETE", "/order/orders/{order_id}", delete_order),
    ("PUT", "/order/orders/{order_id}/refund", refund_order),
    ("GET", "/order/orders/{order_id}/refundable", tell_refundable),
    ("POST", "/order/orders/{order_id}/cancel", cancel_order),
)
