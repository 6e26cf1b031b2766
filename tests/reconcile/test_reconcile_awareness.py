"""What the two systems are known to do, and what is therefore no mismatch: a test a habit."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from tasks.reconcile.explain import explain_pairs
from tasks.reconcile.fields import Tolerances
from tasks.reconcile.likely_cause import RecordPair
from tasks.reconcile.scope import Scope
from tasks.reconcile.screen import screen
from tasks.reconcile.terms import make_terms
from tasks.records.digest import digest_of
from tasks.records.models import ORDER_PARTS, Entity, Order, OrderStatus, Side
from tasks.settings import Settings
from tests.builders import NOON, make_customer, make_line, make_order
from tests.reconcile.other_tables import add_push
from tests.reconcile.planted import ORDER_CHANGES, SAME_ORDER, Change
from tests.reconcile.two_sides import (
    NOW,
    WINDOW,
    found_in,
    in_thiio,
    make_customer_pair,
    make_pair,
    reconcile,
    report_of,
    store,
)

DAY = timedelta(days=1)
LATER = NOW + timedelta(hours=1)


def test_retention_ultracart_clears_rejected_orders_after_a_year(any_engine: Engine) -> None:
    """Thiio keeps them for ever; a rejected order of a year and a day ago is not missed, one of a year is."""
    for id, days in (("17", 366), ("18", 364)):
        moment = NOW - days * DAY
        rejected = {"status": OrderStatus.REJECTED, "rejected_at": moment, "placed_at": moment}
        store(any_engine, make_order(id, Side.THIIO, other_side_id=f"D-{id}", **rejected))

    reconcile(any_engine)

    assert found_in(any_engine) == {("missing_in_ultracart", "", "", "18")}


def test_cache_lag_what_was_just_ordered_may_not_show_yet(any_engine: Engine) -> None:
    """UltraCart's cache lacks the last minutes: Thiio's order waits a quarter of an hour, then it is told."""
    store(any_engine, make_order("17", Side.THIIO, other_side_id="D-1", as_of=NOW - timedelta(minutes=5)))

    soon = reconcile(any_engine)
    after = reconcile(any_engine, now=NOW + timedelta(minutes=11))

    assert (soon.settling, soon.mismatches, after.settling, after.mismatches) == (1, 0, 0, 1)


def test_absent_expansions_a_part_never_seen_is_never_compared(any_engine: Engine) -> None:
    """A webhook asks for some parts only: the others are compared once they are read."""
    ultracart, thiio = make_pair()
    nothing = {name: None for part, names in ORDER_PARTS.items() if part != "core" for name in names}
    store(any_engine, replace(ultracart, parts=frozenset({"core"}), **nothing))
    store(any_engine, replace(thiio, total_cents=1, city="Rome", lines=(make_line(item_id="TOY"),)))
    before = reconcile(any_engine)
    store(any_engine, replace(ultracart, parts=frozenset({"core", "summary"})))

    reconcile(any_engine, now=LATER)

    assert (before.paired, before.equal, before.mismatches) == (1, 1, 0)
    assert found_in(any_engine) == {("field_differs", "total_cents", ultracart.id, thiio.id)}


def test_test_orders_are_no_sales(any_engine: Engine) -> None:
    """A test is not missed on the other side; that only one side calls it a test is told."""
    ultracart, thiio = make_pair(is_test=True)
    other, copy = make_pair(2)
    store(any_engine, make_order("D-9", is_test=True), ultracart, replace(thiio, total_cents=1))
    store(any_engine, replace(other, is_test=True), copy)

    reconcile(any_engine)

    assert found_in(any_engine) == {("field_differs", "is_test", other.id, copy.id)}


def test_rebills_are_orders_of_their_own(any_engine: Engine) -> None:
    """Same customer, items and total as the original: no duplicate of it, and missed if it is lost."""
    original, copy = make_pair(1)
    rebill = replace(original, id="DEMO-2", original_order_id=original.id, placed_at=NOON + DAY / 2)
    store(any_engine, original, copy, rebill, in_thiio(rebill, "80002"), replace(rebill, id="DEMO-3"))

    counts = reconcile(any_engine)

    assert (counts.paired, counts.equal) == (2, 2)
    assert found_in(any_engine) == {("missing_in_thiio", "", "DEMO-3", "")}


def test_merged_customers_are_told_until_both_sides_have_merged(any_engine: Engine) -> None:
    """A merge deletes one profile and moves its orders: the other side's copy is told, until it goes too."""
    kept, absorbed = make_customer_pair(1), make_customer_pair(2)
    ultracart, thiio = make_pair(customer_id=absorbed[0].id)
    store(any_engine, *kept, *absorbed, ultracart, replace(thiio, customer_id=absorbed[1].id))
    reconcile(any_engine, Entity.CUSTOMER)
    store(any_engine, replace(absorbed[0], is_deleted=True), replace(ultracart, customer_id=kept[0].id))

    reconcile(any_engine, Entity.CUSTOMER, now=LATER)
    orders = reconcile(any_engine, now=LATER)
    told = found_in(any_engine)
    store(any_engine, replace(absorbed[1], is_deleted=True))
    reconcile(any_engine, Entity.CUSTOMER, now=LATER + DAY)

    assert told == {("field_differs", "is_deleted", absorbed[0].id, absorbed[1].id)}
    assert (orders.equal, found_in(any_engine)) == (1, set())


def test_deleted_customers_leave_their_address_to_others(any_engine: Engine) -> None:
    """Who signs up anew after a deletion is paired anew, and the deleted ones are nobody's candidates."""
    old, new = make_customer_pair(1, is_deleted=True), make_customer_pair(2)
    address = {"email": old[0].email, "email_key": old[0].email_key}
    store(any_engine, *old, *(replace(customer, **address) for customer in new))

    counts = reconcile(any_engine, Entity.CUSTOMER)

    assert (counts.paired, counts.equal, found_in(any_engine)) == (1, 1, set())


def test_orders_in_flight_are_not_missing(any_engine: Engine) -> None:
    """A phone order that push-orders is about to send, or doubts, is told by it and not as missing."""
    states = ("planned", "sending", "in_doubt", "held", "rejected")
    store(any_engine, *(make_order(state, Side.THIIO) for state in states))
    with any_engine.begin() as connection:
        for state in states:
            add_push(connection, state, state)

    assert (reconcile(any_engine).mismatches, found_in(any_engine)) == (0, set())


def test_a_pushed_order_has_a_date_of_its_own_on_each_side(any_engine: Engine) -> None:
    """By our partner order id, or by the push where the webhook did not name it; neither costs a fetch."""
    ultracart, thiio = make_pair()
    other, copy = make_pair(2, partner_order_id="THIIO-80002")
    copy = replace(copy, placed_at=NOON - DAY)
    store(any_engine, ultracart, replace(thiio, placed_at=NOON - DAY), other, copy)
    with any_engine.begin() as connection:
        add_push(connection, thiio.id, "confirmed", ultracart_order_id=ultracart.id)

    reconcile(any_engine)

    with any_engine.begin() as connection:
        terms = make_terms(connection, Settings(), WINDOW, NOW)
        looked_at = list(screen(connection, Scope(Entity.ORDER, WINDOW), Side.ULTRACART, terms))
    assert (looked_at, found_in(any_engine)) == ([], set())


def test_money_of_another_currency_is_taken_out_of_the_sums(any_engine: Engine) -> None:
    """Once one side counts in euros, only that is told: a difference of dollars and euros has no amount."""
    ultracart, thiio = make_pair()
    store(any_engine, ultracart, replace(thiio, total_cents=9999))
    reconcile(any_engine)
    before = report_of(any_engine).cents
    store(any_engine, replace(thiio, total_cents=9999, currency="EUR"))

    reconcile(any_engine, now=LATER)

    assert before == {"USD": 9999 - 2363}
    assert (report_of(any_engine).cents, found_in(any_engine)) == (
        {},
        {("field_differs", "currency", ultracart.id, thiio.id)},
    )


CHANGES = st.lists(
    st.sampled_from([*SAME_ORDER.values(), *(each for some in ORDER_CHANGES.values() for each in some)]),
    max_size=3,
)


@settings(max_examples=300, deadline=None, database=None)
@given(ours=CHANGES, theirs=CHANGES)
def test_equal_digests_hide_no_difference(ours: list[Change], theirs: list[Change]) -> None:
    """Whatever was changed on either side: where digests are equal, no field but a time differs."""
    ultracart, thiio = make_pair(phone="+12093839870", shipped_at=NOON, rejected_at=NOON, refunded_at=NOON)
    pair = RecordPair(changed(ultracart, ours), changed(thiio, theirs))

    found = explain_pairs(Entity.ORDER, [pair], Tolerances(cents=0, time=400 * DAY))

    assert not found or digest_of(pair.ultracart) != digest_of(pair.thiio)


def changed(order: Order, changes: list[Change]) -> Order:
    """Change an order step by step; a step that needs a value which is gone is left out."""
    for change in changes:
        try:
            order = change(order)
        except (TypeError, IndexError):
            continue
    return order


def test_a_customer_of_thiio_alone_may_be_a_lead(any_engine: Engine) -> None:
    """Guests and leads have no profile in UltraCart: told once, with that as the likely cause."""
    store(any_engine, make_customer("51", Side.THIIO))

    reconcile(any_engine, Entity.CUSTOMER)

    assert found_in(any_engine) == {("missing_in_ultracart", "", "", "51")}
