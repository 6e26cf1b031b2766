"""The report's numbers and words, from nothing compared to a ledger full of trouble."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import Connection, Engine, select

from tasks.database import tables
from tasks.reconcile import ledger
from tasks.reconcile.report_markdown import TABLE_ROWS, make_rows, render_markdown
from tasks.reconcile.report_rows import ROWS_SHOWN, stream_open
from tasks.reconcile.report_words import (
    Verdict,
    answer,
    explanations,
    judge_report,
    list_numbers,
)
from tasks.records.models import Entity, Side
from tests.builders import NOON, make_order
from tests.reconcile.other_tables import add_event, add_push
from tests.reconcile.two_sides import (
    NOW,
    in_thiio,
    make_customer_pair,
    make_pair,
    make_two_sides,
    reconcile,
    report_of,
    store,
)

NOTHING = {
    "open mismatches": 0,
    "new in 24 hours": 0,
    "older than 7 days": 0,
    "resolved in 24 hours": 0,
    "money in disagreement": "–",
    "phone orders not in UltraCart": 0,
    "events not handled": 0,
    "ignored with a reason": 0,
}


def number_of(connection: Connection, ultracart_id: str) -> int:
    """Give the number of the mismatch about an order."""
    table = tables.mismatches
    return connection.scalars(select(table.c.id).where(table.c.ultracart_id == ultracart_id)).one()


def test_nothing_was_compared_yet(any_engine: Engine) -> None:
    """On empty tables the report says so, and names the flows to start."""
    report = report_of(any_engine)

    assert (judge_report(report), answer(report)) == (Verdict.UNKNOWN, "Nothing was compared yet.")
    assert explanations(report) == [
        "No order was compared yet: start reconcile-orders.",
        "No customer was compared yet: start reconcile-customers.",
    ]
    assert list_numbers(report) == NOTHING


def test_two_sides_that_agree(engine: Engine) -> None:
    """Nothing open: the answer is yes, with how many records that means."""
    ultracart, thiio = make_two_sides(12)
    store(engine, *ultracart, *thiio, *make_customer_pair())
    for entity in Entity:
        reconcile(engine, entity)

    report = report_of(engine)

    assert (judge_report(report), answer(report)) == (Verdict.YES, "Yes: what was compared agrees.")
    assert explanations(report) == [
        "Orders in agreement: 12 of 12 (100.0 %).",
        "Customers in agreement: 1 of 1 (100.0 %).",
    ]
    assert list_numbers(report) == NOTHING


def test_what_waits_elsewhere_is_told_too(engine: Engine) -> None:
    """Agreement is not whole while orders are held and events are dead; what goes well is left out."""
    store(engine, *make_pair())
    reconcile(engine)
    with engine.begin() as connection:
        for id, state in (("1", "held"), ("2", "confirmed"), ("3", "rejected"), ("4", "planned")):
            add_push(connection, id, state)
        add_push(connection, "5", "in_doubt", total_cents=4999, currency="USD")
        add_event(connection, "D-1", "dead")

    report = report_of(engine)

    assert judge_report(report) is Verdict.ALMOST
    assert answer(report) == (
        "Almost: what was compared agrees, but 3 phone orders did not reach UltraCart and "
        "1 event could not be handled."
    )
    assert list(map(tuple, report.pushes)) == [
        ("3", "rejected", "why", "what to do", None, None, NOON),
        ("5", "in_doubt", "why", "what to do", 4999, "USD", NOON),
        ("1", "held", "why", "what to do", None, None, NOON),
    ]
    assert list(map(tuple, report.dead)) == [
        (1, "ultracart", "order_create", "order", "D-1", "unreadable", NOON)
    ]
    assert list_numbers(report) == NOTHING | {"phone orders not in UltraCart": 3, "events not handled": 1}


def test_new_and_old_and_gone_are_told_apart(engine: Engine) -> None:
    """By the time each was opened or closed; an ignored one counts apart."""
    days = timedelta(days=1)
    born = NOW - 20 * days
    orders = [make_order(f"D-{number}", as_of=born, placed_at=born) for number in range(6)]
    for ago, order in ((8 * days, 0), (8 * days, 1), (3 * days, 2), (2 * days, 3), (days, 4), (0 * days, 5)):
        store(engine, orders[order])
        reconcile(engine, now=NOW - ago)
    store(engine, in_thiio(orders[1], "81"))
    with engine.begin() as connection:
        ledger.ignore(connection, [number_of(connection, "D-3")], "known", until=NOW + days, now=NOW)
        # Resolved, but longer ago than the report looks back.
        ledger.resolve(connection, [number_of(connection, "D-2")], now=NOW - 2 * days)
    store(engine, in_thiio(orders[2], "82"))
    reconcile(engine, now=NOW + timedelta(minutes=1))

    report = report_of(engine, NOW + timedelta(minutes=1))

    assert list_numbers(report) == NOTHING | {
        "open mismatches": 3,
        "new in 24 hours": 1,
        "older than 7 days": 1,
        "resolved in 24 hours": 1,
        "ignored with a reason": 1,
        "money in disagreement": "70.89 USD",
    }
    assert [(group.count, group.oldest) for group in report.groups] == [(3, NOW - 8 * days)]


def test_money_is_counted_once_an_order_and_apart_by_currency(any_engine: Engine) -> None:
    """A wrong tax is in the wrong total already; of yen there are no hundredths."""
    cheaper = {"tax_cents": 60, "total_cents": 2263}
    for number, (currency, changes) in enumerate(
        [("USD", cheaper), ("USD", {"refunded_cents": 500}), ("JPY", cheaper), ("USD", {"tax_cents": 100})]
    ):
        ultracart, thiio = make_pair(number, currency=currency)
        store(any_engine, ultracart, replace(thiio, **changes))
    store(any_engine, make_order("17", Side.THIIO, other_side_id="D-9", currency="EUR"))
    reconcile(any_engine)

    report = report_of(any_engine)

    assert report.cents == {"USD": 100 + 500, "JPY": 100, "EUR": 2363}
    assert list_numbers(report)["money in disagreement"] == "23.63 EUR, 100 JPY, 6.00 USD"
    assert {(group.kind, group.field): (group.count, dict(group.cents)) for group in report.groups} == {
        ("missing_in_ultracart", ""): (1, {"EUR": 2363}),
        ("field_differs", "tax_cents"): (3, {"USD": 160, "JPY": 100}),
        ("field_differs", "total_cents"): (2, {"USD": 100, "JPY": 100}),
        ("field_differs", "refunded_cents"): (1, {"USD": 500}),
    }


def test_the_largest_of_each_kind_are_shown(any_engine: Engine) -> None:
    """Of many, those with most money come first; a kind with few is not pushed out."""
    orders = [make_order(f"D-{number:03}", total_cents=100 + number) for number in range(ROWS_SHOWN + 5)]
    ultracart, thiio = make_pair()
    store(any_engine, *orders, ultracart, replace(thiio, status=None, city="Fresno"))
    reconcile(any_engine)

    missing, city = report_of(any_engine).groups

    assert (missing.count, len(missing.rows)) == (ROWS_SHOWN + 5, ROWS_SHOWN)
    assert [row.ultracart_id for row in missing.rows[:2]] == ["D-044", "D-043"]
    assert (missing.rows[0].amount_cents, missing.rows[0].currency) == (144, "USD")
    assert [(row.field, row.amount_cents, row.currency) for row in city.rows] == [("city", None, None)]
    with any_engine.connect() as connection:
        assert [row.id for row in stream_open(connection)] == list(range(1, ROWS_SHOWN + 7))


def test_the_table_in_prefect_is_cut_fairly(engine: Engine) -> None:
    """Of many groups each gives its first rows; what is more stands in the files."""
    fields = ("city", "line1", "first_name", "last_name", "postal_code", "total_cents")
    for number in range(50):
        ultracart, thiio = make_pair(number)
        store(engine, ultracart, replace(thiio, **dict.fromkeys(fields[:5], "other"), total_cents=9999))
    reconcile(engine)
    report = report_of(engine)

    rows = make_rows(report)

    counts = [sum(row["what"] == what for row in rows) for what in dict.fromkeys(row["what"] for row in rows)]
    assert (report.open, len(rows), sorted(counts)) == (300, TABLE_ROWS, [33, 33, 33, 33, 34, 34])
    assert "| Order with different city | 50 |" in render_markdown(report, [])
