"""The stand-in's orders: list, query, batch, get, change, refund, cancel."""

from __future__ import annotations

from typing import Any

from tasks.ultracart.sandbox import order_book
from tasks.ultracart.sandbox.call import DONE, Call, Refusal, cut_page, single
from tasks.ultracart.sandbox.order_filters import select_orders
from tasks.ultracart.sandbox.serialize import Money, show_order
from tasks.ultracart.sandbox.store import Store

PAGE_CAP = 200
BATCH_CAP = 500
REFUND_REASONS = ("CustomerCancel", "Damaged", "WrongItem")
"""The merchant's own choice; these are made up."""
PAGING = frozenset({"_limit", "_offset", "_sort", "_expand", "_since"})


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
    order_book.check_refunded_parts(order, body)
    order_book.refund(order, Money.read(aim).cents, store.clock(), body.get("refund_reason"))
    order_book.split_refund(order, body)
    store.emit("order_refund", order)
    if call.says("reject_after_refund"):
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
    rows = select_orders(store, filters)
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
