"""Two sides of many orders, made by number and stored in bulk: what benchmark, judge and crash are run on.

Of 200 orders one is only in UltraCart, one only in Thiio, and two differ in one to three of the 20 fields;
two more say the same in other letters, or with a cent more or less, which is no difference.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Engine, insert

from tasks.database import tables
from tasks.records.digest import digest_of
from tasks.records.mirror import ORDER_COLUMNS
from tasks.records.models import ORDER_PARTS, Order, OrderStatus, Side, Window

BATCH = 5_000
FIRST_AT = datetime(2024, 11, 1, tzinfo=UTC)
EVERY = timedelta(seconds=6)
STATUSES = (OrderStatus.PROCESSING, OrderStatus.COMPLETED, OrderStatus.ON_HOLD, OrderStatus.UNPAID)
CENTS = (
    "subtotal_cents", "discount_cents", "shipping_cents", "tax_cents", "total_cents", "refunded_cents",
)  # fmt: skip
TEXTS = (
    "email_key", "first_name", "last_name", "phone", "line1", "line2", "city", "state", "postal_code",
    "currency", "payment_method", "gateway_code", "country",
)  # fmt: skip
FIELDS = ("status", *TEXTS, *CENTS)
"""The 20 fields that are compared."""
PARTS = frozenset(ORDER_PARTS) - {"items"}
JSON = {"parts", "tracking_numbers"}
THIIO_IDS = 800_000_000
"""Thiio's id of an order is its number and this."""


def window_of(rows: int) -> Window:
    """Give the window that so many orders were placed in."""
    return Window(FIRST_AT, FIRST_AT + rows * EVERY)


def make_orders(first: int, last: int) -> Iterator[tuple[Order | None, Order | None]]:
    """Give the orders of both sides from a number up to another; None where a side has none."""
    for number in range(first, last):
        ultracart = make_order(number)
        thiio = replace(
            ultracart,
            side=Side.THIIO,
            id=str(THIIO_IDS + number),
            other_side_id=ultracart.id,
            **changes_of(number, ultracart),
        )
        yield (None if number % 200 == 100 else ultracart), (None if number % 200 == 0 else thiio)


def make_order(number: int) -> Order:
    """Make UltraCart's order of a number."""
    dice = random.Random(number)  # noqa: S311  # nothing secret
    texts = {name: f"{name} {dice.randrange(10_000)}" for name in TEXTS[:-4]}
    total = dice.randrange(1_000, 90_000)
    placed_at = FIRST_AT + number * EVERY
    return Order(
        side=Side.ULTRACART,
        id=f"DEMO-{number:012d}",
        as_of=placed_at,
        parts=PARTS,
        placed_at=placed_at,
        status=STATUSES[number % 4],
        **texts,
        currency="USD",
        payment_method="Credit Card",
        gateway_code=f"GATE{number % 7}",
        country="US",
        subtotal_cents=total - 700,
        discount_cents=dice.randrange(500),
        shipping_cents=500,
        tax_cents=200,
        total_cents=total,
        refunded_cents=0,
        is_test=False,
        tracking_numbers=(),
    )


def changes_of(number: int, order: Order) -> dict[str, Any]:
    """Say what Thiio's order says otherwise."""
    dice = random.Random(-number)  # noqa: S311
    match number % 200:
        case 50 | 150:
            names = dice.sample(FIELDS, dice.randrange(1, 4))
            if "currency" in names:  # money of two currencies is not compared
                names = [name for name in names if name not in CENTS]
        case 75:
            return {name: getattr(order, name).upper() for name in ("city", "payment_method")}
        case 175:
            return {"total_cents": order.total_cents + dice.choice((-1, 1))}  # type: ignore[operator]
        case _:
            return {}
    return {name: _other_than(getattr(order, name), name) for name in names}


def _other_than(value: Any, name: str) -> Any:
    if name == "status":
        return OrderStatus.REJECTED
    if name in CENTS:
        return value + 150
    return {"country": "CA", "currency": "CAD"}.get(name, f"{value}?")


def store_orders(engine: Engine, first: int, last: int) -> None:
    """Add orders to a mirror: digests are made as the mirror makes them, the rows go in past its merging."""
    pairs = make_orders(first, last)
    while batch := list(islice(pairs, BATCH)):
        with engine.begin() as connection:
            insert_rows(connection, [row_of(order) for pair in batch for order in pair if order])


def row_of(order: Order) -> dict[str, Any]:
    """Make the row of an order."""
    stamp = order.as_of.isoformat()
    return {name: getattr(order, name) for name in ORDER_COLUMNS} | {
        "side": order.side,
        "parts": dict.fromkeys(sorted(order.parts), stamp),
        "tracking_numbers": [],
        "digest": digest_of(order),
        "stored_at": order.as_of,
    }


def insert_rows(connection: Connection, rows: list[dict[str, Any]]) -> None:
    """Insert rows of orders as fast as the database takes them."""
    if connection.dialect.name != "postgresql":
        connection.execute(insert(tables.orders), rows)
        return
    names = list(rows[0])
    cursor: Any = connection.connection.cursor()
    with cursor.copy(f"COPY orders ({', '.join(names)}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row([json.dumps(value) if name in JSON else value for name, value in row.items()])
