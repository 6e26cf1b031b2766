"""What a later run makes of open mismatches, of records that are too young, and of other terms."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import Engine, select

from tasks.database import tables
from tasks.reconcile.fields import FIELDS, ORDER_FIELDS, FieldKind
from tasks.reconcile.pairing import RULES
from tasks.reconcile.terms import hash_config
from tasks.records.links import link
from tasks.records.models import Entity, Window
from tasks.settings import PushSettings, ReconcileSettings, Settings
from tests.builders import make_order
from tests.reconcile.two_sides import (
    NOW,
    WINDOW,
    found_in,
    in_thiio,
    make_pair,
    make_two_sides,
    reconcile,
    store,
)

LATER = NOW + timedelta(days=60)
NEXT_WINDOW = Window(LATER - timedelta(hours=1), LATER)
"""Far from everything that the tests store."""
MINUTE = timedelta(minutes=1)


def test_what_agrees_again_is_resolved_wherever_it_is(any_engine: Engine) -> None:
    """Open mismatches are judged anew, however far their records are from the run's window."""
    ultracart, thiio = make_two_sides(6)
    changed = [replace(order, total_cents=order.total_cents + 900) for order in thiio[:3]]
    store(any_engine, *ultracart, *changed, *thiio[3:5])
    reconcile(any_engine)
    store(any_engine, thiio[0], replace(thiio[1], is_deleted=True), thiio[5])

    counts = reconcile(any_engine, window=NEXT_WINDOW, now=LATER)

    wrong_total = ("field_differs", "total_cents")
    assert found_in(any_engine, "resolved") == {
        (*wrong_total, ultracart[0].id, thiio[0].id),
        (*wrong_total, ultracart[1].id, thiio[1].id),
        ("missing_in_thiio", "", ultracart[5].id, ""),
    }
    assert found_in(any_engine) == {
        (*wrong_total, ultracart[2].id, thiio[2].id),
        ("field_differs", "is_deleted", ultracart[1].id, thiio[1].id),
    }
    assert (counts.opened, counts.resolved, counts.ultracart) == (1, 3, 0)


def test_what_is_still_wrong_is_seen_again(engine: Engine) -> None:
    """A mismatch outside of the window is not forgotten: it is looked at with every run."""
    store(engine, make_order("D-1"))
    reconcile(engine)

    counts = reconcile(engine, window=NEXT_WINDOW, now=LATER)

    table = tables.mismatches
    with engine.connect() as connection:
        seen = connection.execute(select(table.c.times_seen, table.c.last_seen_at, table.c.state)).one()
    assert (*seen, counts.opened, counts.resolved, counts.mismatches) == (2, LATER, "open", 0, 0, 0)


def test_a_run_can_be_repeated(engine: Engine) -> None:
    """The same run twice leaves the same ledger and the same links."""
    ultracart, thiio = make_two_sides(40)
    store(engine, *ultracart, *thiio[:30])

    first = reconcile(engine)
    again = reconcile(engine)

    with engine.connect() as connection:
        seen = set(connection.scalars(select(tables.mismatches.c.times_seen)))
    assert replace(again, run=first.run) == first
    assert (seen, first.mismatches, first.opened) == ({1}, 10, 10)


def test_an_ignored_mismatch_is_left_alone(engine: Engine) -> None:
    """Neither the run that finds it nor the one that does not changes a person's word."""
    order = make_order("D-1")
    store(engine, order)
    reconcile(engine)
    with engine.begin() as connection:
        connection.execute(tables.mismatches.update().values(state="ignored", reason="known", closed_at=NOW))
    reconcile(engine, now=NOW + MINUTE)
    store(engine, in_thiio(order, "17"))

    counts = reconcile(engine, now=NOW + 2 * MINUTE)

    assert found_in(engine, "ignored") == {("missing_in_thiio", "", "D-1", "")}
    assert (counts.opened, counts.resolved, counts.equal) == (0, 0, 1)


def test_many_small_windows_find_what_one_large_window_finds(engine: Engine) -> None:
    """A pair or record on the border of windows is neither lost nor told twice."""
    ultracart, thiio = make_two_sides(90)
    thiio = [replace(order, total_cents=order.total_cents + 7) for order in thiio[10:50]] + thiio[50:]
    store(engine, *ultracart[:80], *thiio)
    starts = [WINDOW.start + timedelta(days=day) for day in range(0, 30, 5)]

    counts = [
        reconcile(engine, window=Window(start, start + timedelta(days=5)), now=NOW + number * MINUTE)
        for number, start in enumerate(starts)
    ]

    found = found_in(engine)
    assert len(found) == sum(run.opened for run in counts) == sum(run.mismatches for run in counts)
    assert reconcile(engine, now=NOW + timedelta(hours=1)).opened == 0
    assert found_in(engine) == found


def test_the_tolerance_is_a_setting(engine: Engine) -> None:
    """What is within it is equal, to the cent."""
    for number, more in enumerate((5, 6)):
        ultracart, thiio = make_pair(number)
        store(engine, ultracart, replace(thiio, total_cents=thiio.total_cents + more))

    counts = reconcile(engine, settings=Settings(reconcile=ReconcileSettings(total_tolerance_cents=5)))

    assert found_in(engine) == {("field_differs", "total_cents", "DEMO-1", "80001")}
    assert (counts.paired, counts.equal, counts.mismatches) == (2, 1, 1)


def test_two_runs_of_one_hash_judged_alike() -> None:
    """What changes a verdict changes the hash; how far a window reaches does not."""
    usual = Settings()
    further = Settings(reconcile=ReconcileSettings(first_window_days=90, overlap_minutes=5))
    money, time, quiet, retention = (
        Settings(reconcile=ReconcileSettings(**{name: 77}))
        for name in (
            "total_tolerance_cents", "date_tolerance_minutes", "settle_minutes", "rejected_retention_days"
        )
    )  # fmt: skip
    prefix = Settings(push=PushSettings(partner_order_prefix="CALL-"))
    others = [hash_config(settings) for settings in (money, time, quiet, retention, prefix)]

    assert hash_config(usual) == hash_config(further)
    assert len({hash_config(usual), *others}) == 6


def test_every_change_of_fields_or_rules_changes_the_hash() -> None:
    """A field or rule more or less, in another order, or of another kind is another verdict."""
    usual = Settings()
    total = next(field for field in ORDER_FIELDS if field.name == "total_cents")
    orders = RULES[Entity.ORDER]
    by_fields = [
        {**FIELDS, Entity.ORDER: ORDER_FIELDS[1:]},
        {**FIELDS, Entity.CUSTOMER: (*FIELDS[Entity.CUSTOMER], total)},
        {**FIELDS, Entity.ORDER: (replace(total, tolerance=None),)},
        {**FIELDS, Entity.ORDER: (total,)},
        {**FIELDS, Entity.ORDER: (replace(total, kind=FieldKind.TEXT),)},
    ]
    by_rules = [
        {**RULES, Entity.ORDER: orders[1:]},
        {**RULES, Entity.ORDER: orders[::-1]},
        {**RULES, Entity.ORDER: (replace(orders[0], has_prefix=False), *orders[1:])},
        {**RULES, Entity.ORDER: (replace(orders[0], thiio_column="email_key"), *orders[1:])},
    ]
    hashes = [hash_config(usual, fields=fields) for fields in by_fields]
    hashes += [hash_config(usual, rules=rules) for rules in by_rules]

    assert hash_config(usual) == hash_config(usual, dict(FIELDS), dict(RULES))
    assert len({hash_config(usual), *hashes}) == 1 + len(hashes)


def test_a_link_to_a_deleted_pair_is_no_mismatch(engine: Engine) -> None:
    """What both sides deleted is over."""
    ultracart, thiio = make_pair(1, is_deleted=True)
    store(engine, ultracart, replace(thiio, total_cents=1))
    with engine.begin() as connection:
        link(connection, Entity.ORDER, ultracart.id, thiio.id, "delivered")

    counts = reconcile(engine)

    assert (found_in(engine), counts.paired, counts.ultracart) == (set(), 0, 0)


def test_test_orders_of_both_sides_are_not_compared(engine: Engine) -> None:
    """A test is no sale, whatever it says."""
    ultracart, thiio = make_pair(1, is_test=True)
    store(engine, ultracart, replace(thiio, total_cents=1))

    counts = reconcile(engine)

    assert (found_in(engine), counts.paired) == (set(), 0)
