"""Our copy of both sides' customers and orders: store what was seen, read it back.

The mirror is written here only. Older never overwrites newer: see `merge`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Generic

from sqlalchemy import Connection, Row, delete, select, text

from tasks.database import tables
from tasks.database.upsert import upsert
from tasks.records.digest import digest_of, plain_quantity
from tasks.records.merge import Record, Stamps, contradicted_parts, merge, stamps_of
from tasks.records.models import Customer, Order, OrderLine, OrderStatus, Side

MIRROR_LOCK = 8_734_022
"""Number of the Postgres advisory lock under which the mirror is written; any number of our own does."""
BATCH = 500
"""Ids in one IN list: well below the number of parameters that either database allows."""

CUSTOMER_COLUMNS = [field.name for field in fields(Customer) if field.name not in ("side", "parts")]
ORDER_COLUMNS = [field.name for field in fields(Order) if field.name not in ("side", "parts", "lines")]


@dataclass(frozen=True, slots=True)
class Saved(Generic[Record]):
    """The merged records, one an id; `doubtful` are the ids of which two snapshots of one date disagree."""

    records: list[Record]
    doubtful: frozenset[str]


def save_customers(
    connection: Connection, customers: Iterable[Customer], *, keep_on_tie: bool = False
) -> Saved[Customer]:
    """Merge snapshots into the mirror; with `keep_on_tie` what is stored stays where dates are equal."""
    _wait_for_turn(connection)
    merged: list[Customer] = []
    doubtful: set[str] = set()
    for side, batch in _batches(customers):
        stored = _stored_customers(connection, side, [customer.id for customer in batch])
        joined = _join(batch, stored, keep_on_tie, doubtful)
        upsert(connection, tables.customers, [_customer_row(*pair) for pair in joined])
        merged += [customer for customer, _ in joined]
    return Saved(merged, frozenset(doubtful))


def save_orders(
    connection: Connection, orders: Iterable[Order], *, keep_on_tie: bool = False
) -> Saved[Order]:
    """Merge snapshots with their lines into the mirror; see `save_customers`."""
    _wait_for_turn(connection)
    merged: list[Order] = []
    doubtful: set[str] = set()
    for side, batch in _batches(orders):
        stored = _stored_orders(connection, side, [order.id for order in batch])
        joined = _join(batch, stored, keep_on_tie, doubtful)
        upsert(connection, tables.orders, [_order_row(*pair) for pair in joined])
        _replace_lines(connection, side, [order for order, _ in joined])
        merged += [order for order, _ in joined]
    return Saved(merged, frozenset(doubtful))


def _wait_for_turn(connection: Connection) -> None:
    """Let one transaction at a time merge, as SQLite does anyway.

    Two that insert the same new record at once could not see each other's, and the later would overwrite
    the newer. One writer stores thousands a second; UltraCart gives out 23 orders a second at most.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SELECT pg_advisory_xact_lock({MIRROR_LOCK})"))


def find_customers(connection: Connection, side: Side, ids: Sequence[str]) -> dict[str, Customer]:
    """Read customers of one side by id; unknown ids are left out."""
    return {
        key: customer
        for batch in _chunks(list(ids))
        for key, (customer, _) in _stored_customers(connection, side, batch, lock=False).items()
    }


def find_orders(connection: Connection, side: Side, ids: Sequence[str]) -> dict[str, Order]:
    """Read orders of one side, with their lines, by id; unknown ids are left out."""
    return {
        key: order
        for batch in _chunks(list(ids))
        for key, (order, _) in _stored_orders(connection, side, batch, lock=False).items()
    }


def _join(
    batch: list[Record],
    stored: dict[str, tuple[Record, Stamps]],
    keep_on_tie: bool,
    doubtful: set[str],
) -> list[tuple[Record, Stamps]]:
    joined = dict(stored)
    doubts: dict[str, frozenset[str]] = {}
    for record in sorted(batch, key=lambda record: record.as_of):
        if known := joined.get(record.id):
            contradicted = contradicted_parts(*known, record)
            # What is newer settles what was in doubt before it.
            older = doubts.get(record.id, frozenset()) - _newer_parts(known[1], record)
            doubts[record.id] = older | contradicted
            joined[record.id] = merge(*known, record, keep_on_tie=keep_on_tie)
        else:
            joined[record.id] = (record, stamps_of(record))
    doubtful |= {id for id, parts in doubts.items() if parts}
    return list(joined.values())


def _newer_parts(stamps: Stamps, record: Customer | Order) -> frozenset[str]:
    return frozenset(part for part in record.parts if part in stamps and stamps[part] < record.as_of)


def _batches(records: Iterable[Record]) -> Iterable[tuple[Side, list[Record]]]:
    by_side: dict[Side, list[Record]] = {}
    for record in records:
        by_side.setdefault(record.side, []).append(record)
    # In order of id, so that two writers on Postgres meet row locks in the same order.
    for side, group in by_side.items():
        group.sort(key=lambda record: record.id)
        yield from ((side, batch) for batch in _chunks(group))


def _chunks(values: list[Any]) -> Iterable[list[Any]]:
    return (values[at : at + BATCH] for at in range(0, len(values), BATCH))


def _stored_customers(
    connection: Connection, side: Side, ids: Sequence[str], *, lock: bool = True
) -> dict[str, tuple[Customer, Stamps]]:
    table = tables.customers
    query = select(table).where(table.c.side == side, table.c.id.in_(ids))
    rows = connection.execute(query.with_for_update() if lock else query)
    return {row.id: (customer_from(row), _read_stamps(row.parts)) for row in rows}


def _stored_orders(
    connection: Connection, side: Side, ids: Sequence[str], *, lock: bool = True
) -> dict[str, tuple[Order, Stamps]]:
    table = tables.orders
    query = select(table).where(table.c.side == side, table.c.id.in_(ids))
    rows = connection.execute(query.with_for_update() if lock else query).all()
    lines = read_lines(connection, side, [row.id for row in rows])
    return {row.id: (order_from(row, lines.get(row.id, ())), _read_stamps(row.parts)) for row in rows}


def read_lines(
    connection: Connection, side: Side, order_ids: Sequence[str]
) -> dict[str, tuple[OrderLine, ...]]:
    """Read the lines of orders of one side, in order of position."""
    table = tables.order_lines
    lines: dict[str, tuple[OrderLine, ...]] = {}
    query = select(table).where(table.c.side == side, table.c.order_id.in_(order_ids))
    for row in connection.execute(query.order_by(table.c.order_id, table.c.position)):
        values = row._asdict()
        values.pop("side")
        order_id = values.pop("order_id")
        line = OrderLine(**{**values, "quantity": Decimal(values["quantity"])})
        lines[order_id] = (*lines.get(order_id, ()), line)
    return lines


def customer_from(row: Row[Any]) -> Customer:
    """Make a customer of a row of `customers`."""
    values = {name: getattr(row, name) for name in CUSTOMER_COLUMNS}
    return Customer(side=Side(row.side), parts=frozenset(row.parts), **values)


def order_from(row: Row[Any], lines: tuple[OrderLine, ...]) -> Order:
    """Make an order of a row of `orders` and its lines."""
    values = {name: getattr(row, name) for name in ORDER_COLUMNS}
    values["status"] = OrderStatus(row.status) if row.status else None
    values["tracking_numbers"] = None if row.tracking_numbers is None else tuple(row.tracking_numbers)
    parts = frozenset(row.parts)
    return Order(side=Side(row.side), parts=parts, lines=lines if "items" in parts else None, **values)


def _customer_row(customer: Customer, stamps: Stamps) -> dict[str, Any]:
    row = {name: getattr(customer, name) for name in CUSTOMER_COLUMNS}
    return row | _common(customer, stamps)


def _order_row(order: Order, stamps: Stamps) -> dict[str, Any]:
    row = {name: getattr(order, name) for name in ORDER_COLUMNS}
    if order.tracking_numbers is not None:
        row["tracking_numbers"] = list(order.tracking_numbers)
    return row | _common(order, stamps)


def _common(record: Customer | Order, stamps: Stamps) -> dict[str, Any]:
    return {
        "side": record.side,
        "parts": {part: stamp.isoformat() for part, stamp in sorted(stamps.items())},
        "digest": digest_of(record),
        "stored_at": datetime.now(UTC),
    }


def _read_stamps(parts: dict[str, str]) -> Stamps:
    return {part: datetime.fromisoformat(stamp) for part, stamp in parts.items()}


def _replace_lines(connection: Connection, side: Side, orders: Sequence[Order]) -> None:
    table = tables.order_lines
    seen = [order for order in orders if order.lines is not None]
    if not seen:
        return
    ids = [order.id for order in seen]
    connection.execute(delete(table).where(table.c.side == side, table.c.order_id.in_(ids)))
    upsert(
        connection, table, [_line_row(side, order.id, line) for order in seen for line in order.lines or ()]
    )


def _line_row(side: Side, order_id: str, line: OrderLine) -> dict[str, Any]:
    return {
        "side": side,
        "order_id": order_id,
        "position": line.position,
        "item_id": line.item_id,
        "product_id": line.product_id,
        "description": line.description,
        "quantity": plain_quantity(line.quantity),
        "unit_price_cents": line.unit_price_cents,
        "total_cents": line.total_cents,
        "is_component": line.is_component,
    }
