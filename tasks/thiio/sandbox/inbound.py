"""The generic inbound webhook: checks a body as documented and keeps what it says in the tables.

Source of fields and rules: thiio.atlassian.net, page 2680193428. Assumed: the address, the status and shape
of a refusal (422, as Laravel answers), the rules for `order` (the page's sample was read, its rules were
not), that an order's own id is kept, that customers are told apart by e-mail, and that everything received
becomes one more lead.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, insert, select, update

from tasks.records.identity import is_email
from tasks.thiio.database.find import same_email
from tasks.thiio.database.schema import ThiioTables

Rule = Callable[[Any], bool]
DATE_FORMAT = "%Y-%m-%d %H:%M:%S"


def _text(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 255


def _code(value: Any) -> bool:
    return isinstance(value, str) and 2 <= len(value) <= 3


def _amount(value: Any) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def _date(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(datetime.strptime(value, DATE_FORMAT).replace(tzinfo=UTC))
    except ValueError:
        return False


def _item(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and all(_text(value.get(name)) for name in ("name", "title"))
        and all(_amount(value.get(name)) for name in ("quantity", "price"))
    )


REQUIRED: dict[tuple[str, ...], Rule] = {
    ("event",): lambda value: value in ("order", "customer"),
    ("source",): _text,
    ("contact", "first_name"): _text,
    ("contact", "last_name"): _text,
    ("contact", "email"): lambda value: _text(value) and is_email(value),
    # A country that is not sent is taken for +1.
    ("phone", "country"): lambda value: value is None or (isinstance(value, str) and len(value) <= 3),
    ("phone", "number"): _text,
}
REQUIRED_OF_ORDERS: dict[tuple[str, ...], Rule] = {
    ("order", "id"): lambda value: _text(str(value)) and isinstance(value, int | str),
    ("order", "date"): _date,
    ("order", "shipping"): _amount,
    ("order", "taxes"): _amount,
    ("order", "total"): _amount,
    ("order", "items"): lambda value: isinstance(value, list) and all(map(_item, value)),
}
ADDRESSES = ("billing_address", "shipping_address")
CONTACT_FIELDS = ("first_name", "last_name", "email")
ADDRESS_FIELDS = ("first_name", "last_name", "line1", "line2", "city", "state", "zip_code", "country")


def find_errors(body: Any) -> dict[str, list[str]]:
    """Name every field that breaks a rule, documented or, for `order`, assumed."""
    checked = list(REQUIRED.items())
    if _at(body, ("event",)) == "order":
        checked += REQUIRED_OF_ORDERS.items()
    for address in ADDRESSES:
        if isinstance(body, dict) and body.get(address):
            checked += [((address, name), _code) for name in ("state", "country")]
    return {
        ".".join(path): [f"The {' '.join(path)} field is required or has a wrong form."]
        for path, rule in checked
        if not rule(_at(body, path))
    }


def keep(connection: Connection, tables: ThiioTables, body: dict[str, Any]) -> int:
    """Keep a valid body, a customer and the order if there is one; return the customer's id."""
    customer_id = _keep_customer(connection, tables, body)
    if body["event"] == "order":
        _keep_order(connection, tables, body, customer_id)
    return customer_id


def _keep_customer(connection: Connection, tables: ThiioTables, body: dict[str, Any]) -> int:
    table, now = tables.customers, datetime.now(UTC)
    contact = {name: body["contact"][name] for name in CONTACT_FIELDS}
    values = {**contact, "phone": body["phone"]["number"], "updated_at": now}
    values |= _address(body.get("billing_address"), "")
    known = connection.scalar(select(table.c.id).where(same_email(table, values["email"].casefold())))
    if known is not None:
        connection.execute(update(table).where(table.c.id == known).values(values))
        return int(known)
    result = connection.execute(insert(table).values({**values, "created_at": now}))
    return int(result.inserted_primary_key[0])  # type: ignore[index]  # an INSERT of one row


def _keep_order(connection: Connection, tables: ThiioTables, body: dict[str, Any], customer_id: int) -> None:
    table, now, order = tables.orders, datetime.now(UTC), body["order"]
    values = {
        "source": body["source"],
        "external_order_id": str(order["id"]),
        "customer_id": customer_id,
        "status": "processing",
        "placed_at": datetime.strptime(order["date"], DATE_FORMAT).replace(tzinfo=UTC),
        "currency": "USD",
        "email": body["contact"]["email"],
        "billing_phone": body["phone"]["number"],
        **_address(body.get("billing_address"), "billing_"),
        **_address(body.get("shipping_address"), "shipping_"),
        "shipping": order["shipping"],
        "tax": order["taxes"],
        "total": order["total"],
        "updated_at": now,
    }
    known = connection.scalar(select(table.c.id).where(table.c.external_order_id == str(order["id"])))
    if known is not None:
        connection.execute(update(table).where(table.c.id == known).values(values))
        return
    result = connection.execute(insert(table).values({**values, "created_at": now}))
    order_id = result.inserted_primary_key[0]  # type: ignore[index]  # an INSERT of one row
    rows = [_line(order_id, position, item) for position, item in enumerate(order["items"], start=1)]
    if rows:
        connection.execute(insert(tables.order_lines), rows)


def _line(order_id: int, position: int, item: dict[str, Any]) -> dict[str, Any]:
    quantity, price = Decimal(item["quantity"]), Decimal(item["price"])
    return {
        "order_id": order_id,
        "position": position,
        "ultracart_item_id": item["name"],
        "description": item["title"],
        "quantity": quantity,
        "unit_price": price,
        "total": quantity * price,
    }


def _address(address: dict[str, Any] | None, prefix: str) -> dict[str, Any]:
    renamed = {"zip_code": "postal_code"}
    given = {name: value for name, value in (address or {}).items() if name in ADDRESS_FIELDS}
    return {prefix + renamed.get(name, name): value for name, value in given.items()}


def _at(body: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        body = body.get(name) if isinstance(body, dict) else None
    return body
