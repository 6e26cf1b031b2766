"""The stand-in's customers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tasks.ultracart.sandbox.call import Call, Refusal, cut_page, read_time, single
from tasks.ultracart.sandbox.serialize import major, show_customer
from tasks.ultracart.sandbox.store import Store

PAGE_CAP = 200
CUSTOMER_FIRST_NEW = 1_900_001
FIRST_NEW_ADDRESS = 4_000_001
FIXED = frozenset(
    {
        "customer_profile_oid", "merchant_id", "signup_dts", "last_modified_dts", "last_modified_by",
        "orders_summary", "quotes_summary", "password",
    }
)  # fmt: skip
SORTS = frozenset({"customer_profile_oid", "email", "last_modified_dts", "signup_dts"})
"""The vendor publishes no list; these are ours."""
PAGING = frozenset({"_limit", "_offset", "_sort", "_expand"})

Test = Callable[[dict[str, Any], Any], bool]


def _since(field: str) -> Test:
    return lambda customer, text: customer[field] >= read_time(text, field)


def _address(kind: str, field: str) -> Test:
    """Look at all addresses of a customer, which are lists."""

    def test(customer: dict[str, Any], wanted: Any) -> bool:
        held = [str(address.get(field) or "") for address in customer.get(kind) or ()]
        return str(wanted).casefold() in [text.casefold() for text in held]

    return test


def _until(field: str) -> Test:
    return lambda customer, text: customer[field] <= read_time(text, field)


def _tags(customer: dict[str, Any]) -> set[str]:
    return {str(tag.get("tag_value")) for tag in customer.get("tags") or ()}


def _pricing_tier(field: str) -> Test:
    return lambda customer, wanted: (
        str(wanted) in {str(tier.get(field)) for tier in customer.get("pricing_tiers") or ()}
    )


ADDRESS_FILTERS = (
    "first_name", "last_name", "company", "city", "state", "postal_code", "country_code", "day_phone",
    "evening_phone",
)  # fmt: skip
FILTERS: dict[str, Test] = {
    "email": lambda customer, email: customer["email"].casefold() == email.casefold(),
    "emails": lambda customer, emails: customer["email"].casefold() in {each.casefold() for each in emails},
    "_since": _since("last_modified_dts"),
    "last_modified_dts_start": _since("last_modified_dts"),
    "last_modified_dts_end": _until("last_modified_dts"),
    "signup_dts_start": _since("signup_dts"),
    "signup_dts_end": _until("signup_dts"),
    "qb_class": lambda customer, wanted: customer.get("qb_class") == wanted,
    "quickbooks_code": lambda customer, wanted: customer.get("qb_code") == wanted,
    "all_tags": lambda customer, tags: set(tags) <= _tags(customer),
    "any_tags": lambda customer, tags: not _tags(customer).isdisjoint(tags),
    "pricing_tier_oid": _pricing_tier("pricing_tier_oid"),
    "pricing_tier_name": _pricing_tier("name"),
    **{
        f"{kind}_{name}": _address(kind, {"state": "state_region"}.get(name, name))
        for kind in ("billing", "shipping")
        for name in ADDRESS_FILTERS
    },
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
    """Answer GET /customer/customers/{customer_profile_oid}."""
    return single("customer", _show(store, store.find_customer(call.parts["customer_profile_oid"]), call))


def get_customer_by_email(store: Store, call: Call) -> dict[str, Any]:
    """Answer GET /customer/customers/by_email/{email}."""
    customer = store.customer_by_email(call.parts["email"])
    if customer is None:
        raise store.missing("customer")
    return single("customer", _show(store, customer, call))


def insert_customer(store: Store, call: Call) -> dict[str, Any]:
    """Answer POST /customer/customers."""
    return single("customer", _show(store, add_customer(store, call.object()), call))


def add_customer(store: Store, fields: dict[str, Any]) -> dict[str, Any]:
    """Make a customer and its event; refused without e-mail, and with one that is taken."""
    _check_email(store, fields.get("email"), None)
    now = store.clock()
    customer = {
        **_writable(store, fields),
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
    """Answer PUT /customer/customers/{…}: the parts that the body holds are replaced, others stay."""
    customer = change_customer(store, call.parts["customer_profile_oid"], call.object())
    return single("customer", _show(store, customer, call))


def change_customer(store: Store, oid: str | int, changes: dict[str, Any]) -> dict[str, Any]:
    """Change a customer and make its event."""
    customer = store.find_customer(oid)
    if "email" in changes:
        _check_email(store, changes["email"], customer)
    customer |= _writable(store, changes) | {"last_modified_dts": store.clock()}
    store.emit("customer_update", customer)
    return customer


def _check_email(store: Store, email: Any, owner: dict[str, Any] | None) -> None:
    if not isinstance(email, str) or "@" not in email:
        raise Refusal("email is required.")
    # That an e-mail belongs to one profile is an assumption: the call by e-mail answers with one.
    if store.customer_by_email(email) not in (None, owner):
        raise Refusal("A customer with this email exists already.")


def _writable(store: Store, fields: dict[str, Any]) -> dict[str, Any]:
    """Give what a caller may set, with an oid for each new address; a password is never shown again."""
    written = {name: value for name, value in fields.items() if name not in FIXED}
    for kind in ("billing", "shipping"):
        if kind in written:
            name = f"customer_{kind}_oid"
            written[kind] = [
                {name: store.next_number(name, FIRST_NEW_ADDRESS)} | address for address in written[kind]
            ]
    return written


def delete_customer(store: Store, call: Call) -> None:
    """Answer DELETE /customer/customers/{customer_profile_oid}; the orders remain."""
    customer = store.find_customer(call.parts["customer_profile_oid"])
    del store.customers[customer["customer_profile_oid"]]
    store.emit("customer_delete", customer)


def merge_customer(store: Store, call: Call) -> None:
    """Answer PUT /customer/customers/{…}/merge: the profile in the body goes, its orders move here."""
    customer, body = store.find_customer(call.parts["customer_profile_oid"]), call.object()
    by_email = store.customer_by_email(body["email"]) if "email" in body else None
    absorbed = by_email or store.find_customer(body.get("customer_profile_oid", ""))
    if absorbed is customer:
        raise Refusal("A customer cannot be merged with itself.")
    for order in store.orders.values():
        if order.get("customer_profile", {}).get("customer_profile_oid") == absorbed["customer_profile_oid"]:
            order["customer_profile"] |= {name: customer[name] for name in ("customer_profile_oid", "email")}
    del store.customers[absorbed["customer_profile_oid"]]
    customer["last_modified_dts"] = store.clock()
    store.emit("customer_update", customer)


def _page(store: Store, call: Call, filters: dict[str, Any]) -> dict[str, Any]:
    if unknown := filters.keys() - FILTERS.keys():
        raise Refusal(f"This stand-in does not filter customers by {', '.join(sorted(unknown))}.", 501)
    found = [
        customer
        for customer in store.customers.values()
        if all(FILTERS[name](customer, value) for name, value in filters.items())
    ]
    rows = [_show(store, customer, call) for customer in _sorted(found, call)]
    return cut_page(call, rows, "customers", PAGE_CAP, clamps=store.clamps_limit)


def _sorted(customers: list[dict[str, Any]], call: Call) -> list[dict[str, Any]]:
    wish = call.query.get("_sort", "customer_profile_oid")
    name = wish.lstrip("+-")
    if name not in SORTS:  # an unencoded plus arrives as a space, and is refused
        raise Refusal(f"_sort {wish!r} is not possible.")
    return sorted(customers, key=lambda customer: customer[name], reverse=wish.startswith("-"))


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
    ("GET", "/customer/customers/{customer_profile_oid}", get_customer),
    ("PUT", "/customer/customers/{customer_profile_oid}", update_customer),
    ("DELETE", "/customer/customers/{customer_profile_oid}", delete_customer),
    ("PUT", "/customer/customers/{customer_profile_oid}/merge", merge_customer),
)
