"""The stand-in's customers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tasks.ultracart.sandbox.call import Call, Refusal, cut_page, read_time, single
from tasks.ultracart.sandbox.serialize import major, show_customer
from tasks.ultracart.sandbox.store import Store

PAGE_CAP = 200
CUSTOMER_FIRST_NEW = 1_900_001
PAGING = frozenset({"_limit", "_offset", "_sort", "_expand"})

Test = Callable[[dict[str, Any], Any], bool]


def _since(field: str) -> Test:
    return lambda customer, text: customer[field] >= read_time(text, field)


def _until(field: str) -> Test:
    return lambda customer, text: customer[field] <= read_time(text, field)


FILTERS: dict[str, Test] = {
    "email": lambda customer, email: customer["email"].casefold() == email.casefold(),
    "emails": lambda customer, emails: customer["email"].casefold() in {each.casefold() for each in emails},
    "_since": _since("last_modified_dts"),
    "last_modified_dts_start": _since("last_modified_dts"),
    "last_modified_dts_end": _until("last_modified_dts"),
    "signup_dts_start": _since("signup_dts"),
    "signup_dts_end": _until("signup_dts"),
}
"""Both ends of a time filter are included; whether UltraCart does so is not published."""


def list_customers(store: Store, call: Call) -> dict[str, Any]:
    """Answer GET /customer/customers; without a filter, all."""
    return _page(store, call, {name: value for name, value in call.query.items() if name not in PAGING})


def query_customers(store: Store, call: Call) -> dict[str, Any]:
    """Answer POST /customer/customers/query."""
    since = {"_since": call.query["_since"]} if "_since" in call.query else {}
    filters = {name: value for name, value in call.object().items() if name != "query_target"}
    return _page(store, call, filters | since)


def get_customer(store: Store, call: Call) -> dict[str, Any]:
    """Answer GET /customer/customers/{oid}."""
    return single("customer", _show(store, store.find_customer(call.parts["oid"]), call))


def get_customer_by_email(store: Store, call: Call) -> dict[str, Any]:
    """Answer GET /customer/customers/by_email/{email}."""
    customer = store.customer_by_email(call.parts["email"])
    if customer is None:
        raise Refusal("Server side object 'customer' could not be found. It does not exist.")
    return single("customer", _show(store, customer, call))


def insert_customer(store: Store, call: Call) -> dict[str, Any]:
    """Answer POST /customer/customers."""
    return single("customer", _show(store, add_customer(store, call.object()), call))


def add_customer(store: Store, fields: dict[str, Any]) -> dict[str, Any]:
    """Make a customer and its event; refused without e-mail, and with one that is taken."""
    email = fields.get("email")
    if not isinstance(email, str) or "@" not in email:
        raise Refusal("email is required.")
    if store.customer_by_email(email):
        raise Refusal("A customer with this email exists already.")
    now = store.clock()
    customer = {
        **{name: value for name, value in fields.items() if name != "password"},
        "customer_profile_oid": store.next_number("customer", CUSTOMER_FIRST_NEW),
        "merchant_id": store.merchant_id,
        "signup_dts": now,
        "last_modified_dts": now,
        "last_modified_by": "api",
    }
    store.customers[customer["customer_profile_oid"]] = customer
    store.emit("customer_create", customer)
    return customer


def update_customer(store: Store, call: Call) -> dict[str, Any]:
    """Answer PUT /customer/customers/{oid}: the parts that the body holds are replaced, others stay."""
    customer = change_customer(store, call.parts["oid"], call.object())
    return single("customer", _show(store, customer, call))


def change_customer(store: Store, oid: str | int, changes: dict[str, Any]) -> dict[str, Any]:
    """Change a customer and make its event."""
    customer = store.find_customer(oid)
    fixed = {"customer_profile_oid", "merchant_id", "signup_dts", "last_modified_dts", "password"}
    customer |= {name: value for name, value in changes.items() if name not in fixed}
    customer["last_modified_dts"] = store.clock()
    store.emit("customer_update", customer)
    return customer


def delete_customer(store: Store, call: Call) -> None:
    """Answer DELETE /customer/customers/{oid}; the orders remain."""
    customer = store.find_customer(call.parts["oid"])
    del store.customers[customer["customer_profile_oid"]]
    store.emit("customer_delete", customer)


def merge_customer(store: Store, call: Call) -> None:
    """Answer PUT /customer/customers/{oid}/merge: the profile in the body goes, its orders move here."""
    customer, body = store.find_customer(call.parts["oid"]), call.object()
    by_email = store.customer_by_email(body["email"]) if "email" in body else None
    absorbed = by_email or store.find_customer(body.get("customer_profile_oid", ""))
    for order in store.orders.values():
        if order.get("customer_profile", {}).get("customer_profile_oid") == absorbed["customer_profile_oid"]:
            order["customer_profile"]["customer_profile_oid"] = customer["customer_profile_oid"]
    del store.customers[absorbed["customer_profile_oid"]]
    customer["last_modified_dts"] = store.clock()
    store.emit("customer_update", customer)


def _page(store: Store, call: Call, filters: dict[str, Any]) -> dict[str, Any]:
    if unknown := filters.keys() - FILTERS.keys():
        raise Refusal(f"This stand-in does not filter customers by {', '.join(sorted(unknown))}.", 501)
    rows = [
        _show(store, customer, call)
        for customer in store.customers.values()
        if all(FILTERS[name](customer, value) for name, value in filters.items())
    ]
    return cut_page(call, rows, "customers", PAGE_CAP)


def _show(store: Store, customer: dict[str, Any], call: Call) -> dict[str, Any]:
    shown = show_customer(customer, call.expand)
    if "orders_summary" in call.expand:
        shown["orders_summary"] = _orders_summary(store, customer["customer_profile_oid"])
    return shown


def _orders_summary(store: Store, oid: int) -> dict[str, Any]:
    orders = [
        order
        for order in store.orders.values()
        if order.get("customer_profile", {}).get("customer_profile_oid") == oid
    ]
    dates = [order["creation_dts"] for order in orders]
    return {
        "order_count": len(orders),
        "total": major(sum(order["summary"]["total"].cents for order in orders)),
        "first_order_dts": min(dates, default=None),
        "last_order_dts": max(dates, default=None),
    }


ROUTES = (
    ("GET", "/customer/customers", list_customers),
    ("POST", "/customer/customers", insert_customer),
    ("POST", "/customer/customers/query", query_customers),
    ("GET", "/customer/customers/by_email/{email}", get_customer_by_email),
    ("GET", "/customer/customers/{oid}", get_customer),
    ("PUT", "/customer/customers/{oid}", update_customer),
    ("DELETE", "/customer/customers/{oid}", delete_customer),
    ("PUT", "/customer/customers/{oid}/merge", merge_customer),
)
