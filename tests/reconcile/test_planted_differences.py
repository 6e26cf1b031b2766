"""Of two sides with planted differences, exactly the planted ones are found: nothing more, nothing less."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine, func, select

from tasks.database import tables
from tasks.records.models import Entity, Order, OrderStatus
from tests.builders import make_line
from tests.reconcile.two_sides import (
    NOW,
    WINDOW,
    found_in,
    make_customer_pair,
    make_two_sides,
    reconcile,
    store,
)

Change = Callable[[Order], Order]
CHANGES: dict[str, Change] = {
    "total_cents": lambda order: replace(order, total_cents=order.total_cents + 2),
    "refunded_cents": lambda order: replace(order, refunded_cents=500),
    "status": lambda order: replace(order, status=OrderStatus.UNPAID),
    "email_key": lambda order: replace(order, email_key="bob@example.com"),
    "tracking_numbers": lambda order: replace(order, tracking_numbers=("9Z9",)),
    "gateway_code": lambda order: replace(order, gateway_code="PAYPAL"),
    "lines": lambda order: replace(order, lines=(*order.lines, make_line(position=9, item_id="EXTRA"))),
}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_exactly_the_planted_differences_are_found(any_engine: Engine, seed: int) -> None:
    """Among 300 orders, every planted difference is named by its field, and nothing else is."""
    ultracart, thiio = make_two_sides(300, seed)
    rng = random.Random(seed)  # noqa: S311  # nothing secret
    chosen = rng.sample(range(300), 40)
    lost_in_thiio, lost_in_ultracart, changed = chosen[:10], chosen[10:20], chosen[20:]
    expected = {("missing_in_thiio", "", ultracart[at].id, "") for at in lost_in_thiio}
    for at in lost_in_ultracart:
        thiio[at] = replace(thiio[at], status=OrderStatus.PROCESSING)
        expected.add(("missing_in_ultracart", "", "", thiio[at].id))
    for at in changed:
        field = rng.choice(list(CHANGES))
        thiio[at] = CHANGES[field](thiio[at])
        expected.add(("field_differs", field, ultracart[at].id, thiio[at].id))
    store(
        any_engine,
        *(order for at, order in enumerate(ultracart) if at not in lost_in_ultracart),
        *(order for at, order in enumerate(thiio) if at not in lost_in_thiio),
    )

    counts = reconcile(any_engine)

    assert found_in(any_engine) == expected
    assert counts.mismatches == counts.opened == 40
    assert (counts.ultracart, counts.thiio, counts.paired, counts.equal) == (290, 290, 280, 260)


def test_reported_amounts_add_up_to_the_difference_of_both_sides(engine: Engine) -> None:
    """Missing orders and differing totals together are UltraCart's sum less Thiio's, to the cent."""
    ultracart, thiio = make_two_sides(60)
    thiio = [replace(order, status=OrderStatus.COMPLETED) for order in thiio]
    ultracart = [replace(order, status=OrderStatus.COMPLETED) for order in ultracart]
    ultracart, thiio = ultracart[5:], thiio[:-7]
    thiio[20:30] = [replace(order, total_cents=order.total_cents - 333) for order in thiio[20:30]]
    store(engine, *ultracart, *thiio)

    reconcile(engine)

    table = tables.mismatches
    with engine.connect() as connection:
        reported = connection.scalar(select(func.sum(table.c.amount_cents)))
    assert reported == sum(order.total_cents for order in ultracart) - sum(
        order.total_cents for order in thiio
    )


def test_two_sides_that_agree_have_no_mismatch(any_engine: Engine) -> None:
    """No false alarm: order of lines, upper case and the side's own words are no differences."""
    ultracart, thiio = make_two_sides(200)
    store(any_engine, *ultracart, *thiio)

    counts = reconcile(any_engine)

    assert found_in(any_engine) == set()
    assert (counts.paired, counts.equal, counts.settling) == (200, 200, 0)


def test_customers_are_compared_too(any_engine: Engine) -> None:
    """A customer is paired by e-mail address; what differs or is missing is told."""
    pairs = [make_customer_pair(number) for number in range(1, 7)]
    same, moved, renamed, only_ours, only_theirs, deleted = pairs
    store(
        any_engine,
        *same,
        moved[0], replace(moved[1], city="Boston", postal_code="02101"),
        renamed[0], replace(renamed[1], last_name="BYRON", first_name="Augusta"),
        only_ours[0],
        only_theirs[1],
        deleted[0], deleted[1],
    )  # fmt: skip
    reconcile(any_engine, Entity.CUSTOMER)
    store(any_engine, replace(deleted[1], is_deleted=True, as_of=NOW - timedelta(hours=1)))

    reconcile(any_engine, Entity.CUSTOMER, now=NOW + timedelta(minutes=1))

    assert found_in(any_engine) == {
        ("field_differs", "city", "2", "5002"),
        ("field_differs", "postal_code", "2", "5002"),
        ("field_differs", "first_name", "3", "5003"),
        ("missing_in_thiio", "", "4", ""),
        ("missing_in_ultracart", "", "", "5005"),
        ("field_differs", "is_deleted", "6", "5006"),
    }


def test_more_than_a_page_is_judged(engine: Engine) -> None:
    """Pages of differing pairs and of lone records follow one another without gap or repetition."""
    ultracart, thiio = make_two_sides(1_250)
    thiio = [replace(order, status=OrderStatus.UNPAID) for order in thiio[:1_210]]
    store(engine, *ultracart, *thiio)

    counts = reconcile(engine)

    assert (counts.mismatches, counts.equal) == (1_250, 0)
    assert len(found_in(engine)) == 1_250


def test_a_run_is_kept_with_its_counts(engine: Engine) -> None:
    """The row of a run tells its window, what it counted and by which terms."""
    ultracart, thiio = make_two_sides(20)
    store(engine, *ultracart, *thiio[:-1])

    counts = reconcile(engine)

    with engine.connect() as connection:
        row = connection.execute(select(tables.reconcile_runs)).one()._asdict()
    assert len(row.pop("config_hash")) == 16
    assert row.pop("ended_at") is not None
    assert row == {
        "id": counts.run,
        "entity": "order",
        "start_at": WINDOW.start,
        "end_at": WINDOW.end,
        "ultracart_count": 20,
        "thiio_count": 19,
        "paired_count": 19,
        "equal_count": 19,
        "mismatch_count": 1,
        "settling_count": 0,
        "started_at": NOW,
        "run_id": None,
    }
