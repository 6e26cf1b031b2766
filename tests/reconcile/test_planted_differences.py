"""Of two sides with planted differences, exactly the planted ones are found: nothing more, nothing less."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine, func, select

from tasks.database import tables
from tasks.reconcile.fields import FIELDS
from tasks.records.models import Entity, OrderStatus, Side
from tests.builders import make_customer, make_order
from tests.reconcile.other_tables import add_push
from tests.reconcile.planted import CUSTOMER_CHANGES, ORDER_CHANGES, SAME_CUSTOMER, SAME_ORDER
from tests.reconcile.two_sides import (
    NOW,
    WINDOW,
    found_in,
    make_customer_pair,
    make_two_sides,
    reconcile,
    store,
)

NEXT = NOW + timedelta(hours=1)
ALL_CHANGES = {Entity.ORDER: ORDER_CHANGES, Entity.CUSTOMER: CUSTOMER_CHANGES}
Found = set[tuple[str, str, str, str]]


@pytest.mark.parametrize("entity", list(Entity))
def test_every_compared_field_has_a_planted_change(entity: Entity) -> None:
    """Whoever adds a field to the table of compared fields plants a change of it too."""
    assert set(ALL_CHANGES[entity]) == {field.name for field in FIELDS[entity]}


@pytest.mark.parametrize("seed", [1, 2])
def test_exactly_what_is_planted_in_orders_is_found(any_engine: Engine, seed: int) -> None:
    """Every change of every field, every kind of mismatch: all are named, and nothing else is."""
    changes = [(field, change) for field, all_of_it in ORDER_CHANGES.items() for change in all_of_it]
    same = list(SAME_ORDER.values())
    total = len(changes) + len(same) + 60
    ultracart, thiio = make_two_sides(total, seed)
    numbers = list(range(total))
    random.Random(seed).shuffle(numbers)  # noqa: S311  # nothing secret
    store(any_engine, *ultracart, *thiio)
    first = reconcile(any_engine)
    expected: Found = set()
    for field, change in changes:
        at = numbers.pop()
        store(any_engine, change(thiio[at]))
        expected.add(("field_differs", field, ultracart[at].id, thiio[at].id))
    for change in same:
        store(any_engine, change(thiio[numbers.pop()]))
    expected |= plant_lone_orders(any_engine)

    counts = reconcile(any_engine, now=NEXT)

    assert (first.mismatches, first.equal) == (0, total)
    assert found_in(any_engine) == expected
    assert counts.mismatches == counts.opened == len(expected)
    assert counts.equal == total - len(changes)


def plant_lone_orders(engine: Engine) -> Found:
    """Plant orders of one side, those that two others claim, and some that are nobody's concern."""
    age = {"placed_at": NOW - timedelta(days=2), "as_of": NOW - timedelta(days=2)}
    long_ago = NOW - timedelta(days=400)
    refused = {"status": OrderStatus.REJECTED, "rejected_at": long_ago}
    store(
        engine,
        make_order("LOST", **age),
        make_order("REBILL", original_order_id="DEMO-1", **age),
        make_order("SHARED", **age),
        *(make_order(id, Side.THIIO, other_side_id="SHARED", **age) for id in ("91", "92")),
        make_order("PUSHED", partner_order_id="THIIO-93", **age),
        # UltraCart places a pushed order when it arrives.
        make_order("93", Side.THIIO, **age | {"placed_at": NOW - timedelta(days=3)}),
        make_order("94", Side.THIIO, other_side_id="GONE", **age),
        make_order("95", Side.THIIO, **age),
        # No mismatches:
        make_order("QUOTE", status=OrderStatus.QUOTE, **age),
        make_order("TEST", is_test=True, **age),
        make_order("YOUNG", placed_at=NEXT, as_of=NEXT),
        make_order("DELETED", is_deleted=True, **age),
        make_order("96", Side.THIIO, other_side_id="CLEARED", **age | refused),
        make_order("97", Side.THIIO, **age | {"status": OrderStatus.REJECTED}),
        make_order("98", Side.THIIO, **age),
        make_order("99", Side.THIIO, is_test=True, **age),
    )
    with engine.begin() as connection:
        add_push(connection, "98", "planned")
    return {
        ("missing_in_thiio", "", "LOST", ""),
        ("missing_in_thiio", "", "REBILL", ""),
        ("duplicate", "", "SHARED", ""),
        ("unlinked", "", "PUSHED", "93"),
        ("missing_in_ultracart", "", "", "94"),
        ("missing_in_ultracart", "", "", "95"),
    }


@pytest.mark.parametrize("seed", [1, 2])
def test_exactly_what_is_planted_in_customers_is_found(any_engine: Engine, seed: int) -> None:
    """Every change of every field of linked customers, lone ones, and those who share an address or phone."""
    changes = [(field, change) for field, all_of_it in CUSTOMER_CHANGES.items() for change in all_of_it]
    same = list(SAME_CUSTOMER.values())
    numbers = list(range(1, len(changes) + len(same) + 30))
    pairs = {number: make_customer_pair(number, line2="Suite 5") for number in numbers}
    random.Random(seed).shuffle(numbers)  # noqa: S311  # nothing secret
    store(any_engine, *(record for pair in pairs.values() for record in pair))
    first = reconcile(any_engine, Entity.CUSTOMER)
    expected: Found = set()
    for field, change in changes:
        shop, crm = pairs[numbers.pop()]
        store(any_engine, change(crm))
        expected.add(("field_differs", field, shop.id, crm.id))
    for change in same:
        store(any_engine, change(pairs[numbers.pop()][1]))
    expected |= plant_lone_customers(any_engine)

    counts = reconcile(any_engine, Entity.CUSTOMER, now=NEXT)

    assert (first.mismatches, first.equal) == (0, len(pairs))
    assert found_in(any_engine) == expected
    assert counts.mismatches == counts.opened == len(expected)


def plant_lone_customers(engine: Engine) -> Found:
    """Plant customers of one side, and some who share an e-mail address or a phone."""
    both, phone = {"email": "both@example.com", "email_key": "both@example.com"}, "+442079460958"
    store(
        engine,
        make_customer("901", email="a@example.com", email_key="a@example.com"),
        make_customer("902", Side.THIIO, email="b@example.com", email_key="b@example.com"),
        make_customer("903", **both),
        *(make_customer(id, Side.THIIO, **both) for id in ("904", "905")),
        make_customer("906", email=None, email_key=None, phone=phone),
        *(make_customer(id, Side.THIIO, email=None, email_key=None, phone=phone) for id in ("907", "908")),
        # No mismatches: paired by phone, too young, deleted.
        *(make_customer("909", side, email=None, email_key=None, phone="+12025550199") for side in Side),
        make_customer("910", email="c@example.com", email_key="c@example.com", as_of=NEXT),
        make_customer("911", Side.THIIO, email="d@example.com", email_key="d@example.com", is_deleted=True),
    )
    return {
        ("missing_in_thiio", "", "901", ""),
        ("missing_in_ultracart", "", "", "902"),
        ("duplicate", "", "903", ""),
        ("duplicate", "", "906", ""),
    }


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
