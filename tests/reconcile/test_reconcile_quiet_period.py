"""Records that are too young to be judged, and sides that were not read far enough."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine

from tasks.reconcile.terms import read_up_to
from tasks.records.models import Customer, Entity, Order, Side, Window
from tasks.records.watermarks import move_watermark
from tasks.settings import ReconcileSettings, Settings
from tests.builders import make_customer, make_order
from tests.reconcile.two_sides import (
    NOW,
    WINDOW,
    found_in,
    in_thiio,
    make_pair,
    reconcile,
    store,
)

MINUTE = timedelta(minutes=1)


def pulled(engine: Engine, side: str, reached: datetime) -> None:
    """Note that a side was pulled up to a time."""
    with engine.begin() as connection:
        move_watermark(connection, f"pull-records:{side}", reached, now=reached)


def test_a_record_in_motion_keeps_its_mismatch_open(engine: Engine) -> None:
    """A pair that was changed minutes ago is neither found nor resolved: its copy may be on the way."""
    ultracart, thiio = make_pair()
    store(engine, ultracart, replace(thiio, total_cents=9999))
    reconcile(engine)
    store(engine, replace(thiio, as_of=NOW + timedelta(hours=1)))

    soon = reconcile(engine, now=NOW + timedelta(minutes=70))
    after = reconcile(engine, now=NOW + timedelta(minutes=80))

    assert (soon.resolved, after.resolved) == (0, 1)


YOUNG: list[Sequence[Order | Customer]] = [
    [make_order("D-1", as_of=NOW - 14 * MINUTE)],
    [make_order("17", Side.THIIO, other_side_id="D-1", as_of=NOW - 14 * MINUTE)],
    [make_order("D-1"), in_thiio(make_order("D-1", total_cents=9, as_of=NOW - 14 * MINUTE), "17")],
    [
        make_order("D-1"),
        *(in_thiio(make_order("D-1"), id) for id in ("17", "18")),
        in_thiio(make_order("D-1", as_of=NOW - 14 * MINUTE), "19"),
    ],
]


@pytest.mark.parametrize("records", YOUNG, ids=["only in UltraCart", "only in Thiio", "differs", "conflict"])
def test_what_is_too_young_is_not_judged_yet(engine: Engine, records: Sequence[Order]) -> None:
    """A change of less than 15 minutes counts as settling; two minutes later it is a mismatch."""
    store(engine, *records)

    soon = reconcile(engine)
    after = reconcile(engine, now=NOW + 2 * MINUTE)

    assert (soon.settling, soon.mismatches, after.settling, after.mismatches) == (1, 0, 0, 1)


def test_the_quiet_period_is_a_setting(engine: Engine) -> None:
    """Without one everything that was read is judged."""
    store(engine, make_order("D-1", as_of=NOW))

    reconcile(engine, settings=Settings(reconcile=ReconcileSettings(settle_minutes=0)))

    assert found_in(engine) == {("missing_in_thiio", "", "D-1", "")}


def test_nothing_is_missing_on_a_side_that_was_not_read(engine: Engine) -> None:
    """With a pull that is behind, only what is older than the pull is judged; a window by hand reaches on."""
    store(engine, make_order("D-1", as_of=NOW - timedelta(hours=3)))
    pulled(engine, "ultracart", NOW)
    pulled(engine, "thiio", NOW - timedelta(hours=4))
    read = Window(WINDOW.start, NOW - timedelta(hours=4))

    behind = reconcile(engine, window=read)
    by_hand = reconcile(engine, now=NOW + MINUTE)

    assert (behind.mismatches, by_hand.mismatches) == (0, 1)


def test_both_sides_are_read_up_to_where_the_slower_one_was(engine: Engine) -> None:
    """Without any pull it is now; a pull from a clock that is ahead does not reach beyond now."""
    with engine.connect() as connection:
        before = read_up_to(connection, NOW)
    pulled(engine, "ultracart", NOW + MINUTE)
    with engine.connect() as connection:
        ahead = read_up_to(connection, NOW)
    pulled(engine, "thiio", NOW - MINUTE)
    with engine.connect() as connection:
        after = read_up_to(connection, NOW)

    assert (before, ahead, after) == (NOW, NOW, NOW - MINUTE)


def test_customers_who_share_an_address_for_a_moment_stay_open(engine: Engine) -> None:
    """A known conflict with a record in motion is neither resolved nor told anew."""
    store(engine, make_customer("1"), *(make_customer(id, Side.THIIO) for id in ("51", "52")))
    reconcile(engine, Entity.CUSTOMER)
    store(engine, make_customer("52", Side.THIIO, as_of=NOW, city="Fresno"))

    counts = reconcile(engine, Entity.CUSTOMER, now=NOW + MINUTE)

    assert found_in(engine) == {("duplicate", "", "1", "")}
    assert (counts.settling, counts.opened, counts.resolved) == (1, 0, 0)
