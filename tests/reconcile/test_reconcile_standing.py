"""How an entity stands, and what its last run counted."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import Engine, insert, update

from tasks.database import tables
from tasks.reconcile.report_words import (
    explanations,
    show_share,
)
from tasks.records.models import Entity, Side
from tests.builders import NOON, make_order
from tests.reconcile.two_sides import (
    NOW,
    WINDOW,
    make_pair,
    make_two_sides,
    reconcile,
    report_of,
    store,
)


def test_how_an_entity_stands(any_engine: Engine) -> None:
    """Of pairs and lone records, how many are without an open mismatch; and what the last run counted."""
    ultracart, thiio = make_two_sides(10)
    thiio[0] = replace(thiio[0], total_cents=1, tax_cents=1)
    store(any_engine, *ultracart[:9], *thiio[:8], make_order("D-young", as_of=NOW))
    reconcile(any_engine, now=NOW)

    standing, customers = report_of(any_engine).standings

    assert (standing.entity, standing.known, standing.agreeing) == (Entity.ORDER, 9, 7)
    assert (customers.entity, customers.known, customers.agreeing, customers.last_run) == (
        Entity.CUSTOMER, 0, 0, None
    )  # fmt: skip
    run = standing.last_run
    assert run is not None
    assert (run.start_at, run.end_at, run.is_latest) == (WINDOW.start, WINDOW.end, True)
    assert (run.ultracart, run.thiio, run.paired, run.equal, run.missing, run.settling) == (10, 8, 8, 7, 1, 1)
    assert show_share(run.equal, run.judged) == "77.7 %"


def test_a_linked_record_whose_counterpart_is_gone_is_counted_once(engine: Engine) -> None:
    """It is a pair that disagrees, not a pair that agrees and a lone record."""
    ultracart, thiio = make_pair()
    store(engine, ultracart, thiio)
    reconcile(engine)
    with engine.begin() as connection:
        connection.execute(tables.orders.delete().where(tables.orders.c.side == Side.THIIO))
    reconcile(engine, now=NOW + timedelta(minutes=1))

    standing = report_of(engine).standings[0]

    assert (standing.known, standing.agreeing) == (1, 0)


def test_a_comparison_that_is_old_or_did_not_end_is_told(engine: Engine) -> None:
    """Yesterday's answer is not today's; a later run that was killed is no answer at all."""
    store(engine, *make_pair())
    reconcile(engine)
    runs = tables.reconcile_runs
    with engine.begin() as connection:
        connection.execute(update(runs).values(ended_at=NOW - timedelta(hours=25)))
        row = {"entity": "order", "start_at": NOON, "end_at": NOW, "config_hash": "", "started_at": NOW}
        connection.execute(insert(runs).values(row))

    report = report_of(engine)

    assert explanations(report)[1] == (
        "The orders were last compared on 2026-11-01 11:00 UTC: start reconcile-orders."
    )
    assert [standing.last_run.is_latest for standing in report.standings if standing.last_run] == [False]
