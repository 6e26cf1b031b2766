"""Two sides that agree, as orders and customers; a test plants what it wants to be found."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, select

from tasks.database import tables
from tasks.reconcile.report import Report, read_report
from tasks.reconcile.run import RunCounts, reconcile_window
from tasks.records.mirror import save_customers, save_orders
from tasks.records.models import Customer, Entity, Order, OrderStatus, Side, Window
from tasks.settings import Settings
from tests.builders import NOON, make_customer, make_line, make_order

NOW = NOON + timedelta(days=1)
WINDOW = Window(NOON - timedelta(days=30), NOW)
STATUSES = (OrderStatus.PROCESSING, OrderStatus.COMPLETED, OrderStatus.ON_HOLD, OrderStatus.REJECTED)


def make_pair(number: int = 1, **changes: object) -> tuple[Order, Order]:
    """The same order on both sides: DEMO-1 in UltraCart, 80001 in Thiio, which names it."""
    ultracart = make_order(f"DEMO-{number}", **changes)
    return ultracart, in_thiio(ultracart, str(80000 + number))


def in_thiio(order: Order, thiio_id: str) -> Order:
    """Thiio's copy of an UltraCart order."""
    return replace(
        order, side=Side.THIIO, id=thiio_id, other_side_id=order.id, partner_order_id=None, stage=None
    )


def make_customer_pair(number: int = 1, **changes: object) -> tuple[Customer, Customer]:
    """The same customer on both sides, by an e-mail address of their own."""
    email = f"customer{number}@example.com"
    ultracart = make_customer(str(number), **{"email": email, "email_key": email, **changes})
    return ultracart, replace(ultracart, side=Side.THIIO, id=str(5000 + number))


def make_two_sides(count: int, seed: int = 7) -> tuple[list[Order], list[Order]]:
    """Give `count` orders of each side that agree, of all sorts, spread over the window."""
    rng = random.Random(seed)  # noqa: S311  # nothing secret
    pairs = []
    for number in range(count):
        placed_at = WINDOW.start + timedelta(minutes=rng.randrange(29 * 24 * 60))
        lines = tuple(
            make_line(
                position=position, item_id=f"ITEM{rng.randrange(9)}", unit_price_cents=rng.randrange(9999)
            )
            for position in range(1, rng.randrange(2, 6))
        )
        ultracart, thiio = make_pair(
            number,
            placed_at=placed_at,
            as_of=placed_at,
            status=rng.choice(STATUSES),
            total_cents=rng.randrange(100, 90_000),
            tracking_numbers=("1Z1", "1Z2")[: rng.randrange(3)],
            phone="+12093839870",
            line2="Suite 5",
            shipped_at=placed_at + timedelta(days=1),
            rejected_at=placed_at + timedelta(days=2),
            refunded_at=placed_at + timedelta(days=3),
            lines=lines,
        )
        # Neither the order of lines nor upper case is a difference.
        pairs.append((ultracart, replace(thiio, lines=lines[::-1], city="SAN JOSE")))
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


def store(engine: Engine, *records: Order | Customer) -> None:
    """Put records of either side into the mirror."""
    with engine.begin() as connection:
        save_orders(connection, [record for record in records if isinstance(record, Order)])
        save_customers(connection, [record for record in records if isinstance(record, Customer)])


def reconcile(
    engine: Engine,
    entity: Entity = Entity.ORDER,
    *,
    window: Window = WINDOW,
    now: datetime = NOW,
    settings: Settings | None = None,
) -> RunCounts:
    """Run a reconciliation on the clock of the test."""
    return reconcile_window(engine, settings or Settings(), entity, window, now=now)


def found_in(engine: Engine, state: str = "open") -> set[tuple[str, str, str, str]]:
    """Read the ledger: kind, field and both ids of the mismatches in a state."""
    table = tables.mismatches
    query = select(table.c.kind, table.c.field, table.c.ultracart_id, table.c.thiio_id)
    with engine.connect() as connection:
        return {tuple(row) for row in connection.execute(query.where(table.c.state == state))}


def report_of(engine: Engine, now: datetime = NOW) -> Report:
    """Read the report of a moment."""
    with engine.connect() as connection:
        return read_report(connection, now)


def read_links(connection: Connection) -> set[tuple[str, str, str]]:
    """Read the links: UltraCart id, Thiio id, rule."""
    table = tables.links
    rows = connection.execute(select(table.c.ultracart_id, table.c.thiio_id, table.c.rule))
    return {tuple(row) for row in rows}
