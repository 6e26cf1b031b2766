"""Write UltraCart's records into Thiio's tables: repeatable, never older over newer, never an agent's note.

A row keeps the date of the UltraCart snapshot written last (`ultracart_as_of`). An older snapshot changes
nothing. Columns that UltraCart does not speak about belong to the agents and are left alone; where an agent
changed one that it does speak about, UltraCart's value is taken and the delivery says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Table, and_, delete, insert, select, update

from tasks.errors import InvalidRecord
from tasks.records.models import Customer, Order
from tasks.thiio.database import find, rows
from tasks.thiio.database.read import DatabaseReader
from tasks.thiio.translate import Row


class Outcome(StrEnum):
    """What a delivery did."""

    INSERTED = "inserted"
    UPDATED = "updated"
    UNCHANGED = "unchanged"  # Thiio held exactly this
    OLDER = "older"  # Thiio holds a newer snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What was done to which row; `changed` are our names of columns, `remark` is for people."""

    thiio_id: str
    outcome: Outcome
    changed: tuple[str, ...] = ()
    remark: str | None = None


def write_customer(
    connection: Connection, reader: DatabaseReader, customer: Customer, thiio_id: str | None, now: datetime
) -> Delivery:
    """Insert or update a customer's row; a new one takes over the orders that came before it."""
    table = reader.tables.customers
    stored = find.find_customer(connection, table, customer, thiio_id)
    if stored is not None and _is_newer(stored, customer.as_of):
        return Delivery(thiio_id=str(stored["id"]), outcome=Outcome.OLDER)
    values = rows.customer_values(customer, stored)
    if stored is None:
        new = {**values, "created_at": customer.created_at or now}
        delivery = _insert(connection, table, new, customer.as_of, now)
        _take_over_orders(connection, reader.tables.orders, customer, int(delivery.thiio_id))
        return delivery
    return _update(connection, table, stored, values, customer.as_of, now)


def write_order(
    connection: Connection,
    reader: DatabaseReader,
    order: Order,
    thiio_id: str | None,
    partner_order_prefix: str,
    now: datetime,
) -> Delivery:
    """Insert or update an order's row and, where they differ, its lines."""
    table = reader.tables.orders
    stored = find.find_order(connection, table, order, thiio_id, partner_order_prefix)
    if stored is not None and _is_newer(stored, order.as_of):
        return Delivery(thiio_id=str(stored["id"]), outcome=Outcome.OLDER)
    values = rows.order_values(order, stored, reader.words)
    values |= _references(connection, reader, order)
    if stored is None:
        values = _with_defaults(values, rows.new_order_values(order, now))
        delivery = _insert(connection, table, values, order.as_of, now)
        _write_lines(connection, reader, order, int(delivery.thiio_id))
        return delivery
    also = _replace_lines(connection, reader, order, stored)
    return _update(connection, table, stored, values, order.as_of, now, also)


def write_synced(
    connection: Connection, table: Table, thiio_order_id: str, ultracart_order_id: str, now: datetime
) -> Outcome:
    """Write the UltraCart order id on an order; the same id again changes nothing."""
    id = find.row_id(thiio_order_id)
    query = select(table.c.external_order_id).where(table.c.id == id).with_for_update()
    found = connection.execute(query).first()
    if found is None:
        raise InvalidRecord(
            f"Thiio order {thiio_order_id} does not exist; UltraCart order {ultracart_order_id} came of it. "
            "Look for it in Thiio's deleted orders."
        )
    if found[0] == ultracart_order_id:
        return Outcome.UNCHANGED
    if found[0] is not None:
        raise InvalidRecord(
            f"Thiio order {thiio_order_id} is synced as UltraCart order {found[0]}, not "
            f"{ultracart_order_id}. One of the two is a duplicate: reject it in UltraCart."
        )
    taken = connection.scalar(select(table.c.id).where(table.c.external_order_id == ultracart_order_id))
    if taken is not None:
        raise InvalidRecord(
            f"UltraCart order {ultracart_order_id} came of Thiio order {thiio_order_id}, but Thiio order "
            f"{taken} names it. Delete order {taken} in Thiio for good; the next push run marks the other."
        )
    values = {"external_order_id": ultracart_order_id, "updated_at": now}
    connection.execute(update(table).where(table.c.id == id).values(values))
    return Outcome.UPDATED


def _take_over_orders(connection: Connection, table: Table, customer: Customer, id: int) -> None:
    if customer.email_key:
        is_theirs = and_(table.c.customer_id.is_(None), find.same_email(table, customer.email_key))
        connection.execute(update(table).where(is_theirs).values(customer_id=id))


def _references(connection: Connection, reader: DatabaseReader, order: Order) -> dict[str, int]:
    found: dict[str, int | None] = {}
    if "customer" in order.parts or "billing" in order.parts:
        found["customer_id"] = find.find_customer_id(connection, reader.tables.customers, order)
    if "payment" in order.parts:
        found["gateway_id"] = find.find_gateway_id(connection, reader.tables.gateways, order.gateway_code)
    return {name: id for name, id in found.items() if id is not None}


def _is_newer(stored: Row, as_of: datetime) -> bool:
    return stored["ultracart_as_of"] is not None and stored["ultracart_as_of"] > as_of


def _with_defaults(values: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    return {**defaults, **{name: value for name, value in values.items() if value is not None}}


def _insert(
    connection: Connection, table: Table, values: dict[str, Any], as_of: datetime, now: datetime
) -> Delivery:
    stamps = {"updated_at": now, "ultracart_as_of": as_of, "ultracart_synced_at": now}
    result = connection.execute(insert(table).values({**values, **stamps}))
    id = result.inserted_primary_key[0]  # type: ignore[index]  # an INSERT of one row always has one
    return Delivery(thiio_id=str(id), outcome=Outcome.INSERTED, changed=tuple(sorted(values)))


def _update(
    connection: Connection,
    table: Table,
    stored: Row,
    values: dict[str, Any],
    as_of: datetime,
    now: datetime,
    also: tuple[str, ...] = (),
) -> Delivery:
    """Write what differs; `also` names what was changed outside this row."""
    changed = {name: value for name, value in values.items() if stored[name] != value}
    names = tuple(sorted([*changed, *also]))
    stamps: dict[str, Any] = {} if stored["ultracart_as_of"] == as_of else {"ultracart_as_of": as_of}
    if names:
        stamps |= {"ultracart_as_of": as_of, "updated_at": now, "ultracart_synced_at": now}
    if stamps:
        connection.execute(update(table).where(table.c.id == stored["id"]).values({**changed, **stamps}))
    return Delivery(
        thiio_id=str(stored["id"]),
        outcome=Outcome.UPDATED if names else Outcome.UNCHANGED,
        changed=names,
        remark=_agents_change(stored, names),
    )


def _agents_change(stored: Row, names: tuple[str, ...]) -> str | None:
    synced_at = stored["ultracart_synced_at"]
    if not names or synced_at is None or stored["updated_at"] <= synced_at:
        return None
    return f"Changed in Thiio since the last delivery; now as in UltraCart: {', '.join(names)}."


def _replace_lines(
    connection: Connection, reader: DatabaseReader, order: Order, stored: Row
) -> tuple[str, ...]:
    if order.lines is None:
        return ()
    known = reader.orders_by_id(connection, [stored["id"]])[0]
    if rows.same_lines(order.lines, known.lines or ()):
        return ()
    table = reader.tables.order_lines
    connection.execute(delete(table).where(table.c.order_id == stored["id"]))
    _write_lines(connection, reader, order, stored["id"])
    return ("lines",)


def _write_lines(connection: Connection, reader: DatabaseReader, order: Order, order_id: int) -> None:
    item_ids = [line.item_id for line in order.lines or ()]
    products = find.find_products(connection, reader.tables, reader.item_keys, item_ids)
    values = rows.line_values(order.lines or (), order_id, products, order.currency)
    if values:
        connection.execute(insert(reader.tables.order_lines), values)
