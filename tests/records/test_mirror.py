"""The mirror keeps the newest of what was seen, whatever the order of arrival."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest
from sqlalchemy import Engine

from tasks.records.mirror import find_customers, find_orders, save_customers, save_orders
from tasks.records.models import OrderStatus, Side
from tests.builders import NOON, make_customer, make_line, make_order


def test_an_order_comes_back_as_it_was_stored(any_engine: Engine) -> None:
    """What is saved is what is found, lines included."""
    order = make_order(tracking_numbers=("1Z1",), lines=(make_line(), make_line(position=2, item_id="KIT")))

    with any_engine.begin() as connection:
        save_orders(connection, [order])

    with any_engine.connect() as connection:
        assert find_orders(connection, Side.ULTRACART, ["DEMO-1", "NO-1"]) == {"DEMO-1": order}


def test_a_customer_comes_back_as_it_was_stored(any_engine: Engine) -> None:
    """What is saved is what is found."""
    with any_engine.begin() as connection:
        save_customers(connection, [make_customer()])

    with any_engine.connect() as connection:
        assert find_customers(connection, Side.ULTRACART, ["1"]) == {"1": make_customer()}


@pytest.mark.parametrize("arrival", list(permutations(range(3))), ids=lambda order: "".join(map(str, order)))
def test_snapshots_give_the_same_order_in_any_order_of_arrival(
    engine: Engine, arrival: tuple[int, ...]
) -> None:
    """A refund that comes before its order, and a ship event without amounts, end in one state."""
    created = make_order()
    shipped = replace(
        make_order(as_of=NOON + timedelta(hours=1), status=OrderStatus.COMPLETED, stage="Completed Order"),
        parts=frozenset({"core", "shipping"}),
        tracking_numbers=("1Z1",),
        total_cents=None,
        lines=None,
    )
    refunded = make_order(
        as_of=NOON + timedelta(hours=2),
        status=OrderStatus.COMPLETED,
        refunded_cents=500,
        stage="Completed Order",
    )
    refunded = replace(refunded, parts=frozenset({"core", "summary"}), lines=None, tracking_numbers=None)
    history = [created, shipped, refunded]

    for at in arrival:
        with engine.begin() as connection:
            save_orders(connection, [history[at]])

    with engine.connect() as connection:
        assert find_orders(connection, Side.ULTRACART, ["DEMO-1"])["DEMO-1"] == make_order(
            as_of=NOON + timedelta(hours=2),
            status=OrderStatus.COMPLETED,
            stage="Completed Order",
            refunded_cents=500,
            tracking_numbers=("1Z1",),
        )
