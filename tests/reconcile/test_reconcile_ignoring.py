"""A person's word on a mismatch, over runs: until when it holds, what ends it, where it is shown."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from tasks.errors import InvalidRecord
from tasks.reconcile.ignoring import set_aside, take_back
from tasks.reconcile.report_details import read_details
from tasks.reconcile.report_html import render_html
from tasks.reconcile.report_links import Links
from tasks.reconcile.report_markdown import render_markdown
from tests.builders import make_order
from tests.reconcile.test_reconcile_again import MINUTE, NEXT_WINDOW
from tests.reconcile.test_reconcile_ledger import read
from tests.reconcile.two_sides import NOW, WINDOW, found_in, in_thiio, make_pair, reconcile, report_of, store

DAY = timedelta(days=1)
MISSING = ("missing_in_thiio", "", "D-1", "")


def ignore(engine: Engine, *ids: int, reason: str = "A sample.", days: int = 30) -> str:
    """Set mismatches aside at `NOW`."""
    with engine.begin() as connection:
        return set_aside(connection, ids, reason, days, now=NOW)


def test_an_ignored_one_opens_at_the_first_run_after_its_time(any_engine: Engine) -> None:
    """Wherever its record is; it counts as opened, and is then judged like any other."""
    store(any_engine, make_order("D-1"), make_order("D-2"))
    reconcile(any_engine)
    ignore(any_engine, 1)
    ignore(any_engine, 2)
    before = reconcile(any_engine, window=NEXT_WINDOW, now=NOW + 30 * DAY - MINUTE)
    still = found_in(any_engine, "ignored")
    store(any_engine, in_thiio(make_order("D-2"), "82"))

    after = reconcile(any_engine, window=NEXT_WINDOW, now=NOW + 30 * DAY)

    assert (before.opened, len(still), after.resolved) == (0, 2, 1)
    assert found_in(any_engine) == {MISSING}
    [row] = [row for row in read(any_engine) if row["state"] == "open"]
    assert row["reason"] == (
        "open again: the time for which it was ignored is over; it was ignored with the reason: A sample."
    )
    assert row["first_seen_at"] == row["last_seen_at"] == NOW + 30 * DAY


def test_other_values_open_it_at_once(any_engine: Engine) -> None:
    """The total that a person let pass is not the one that is there now."""
    ultracart, thiio = make_pair()
    store(any_engine, ultracart, replace(thiio, total_cents=1))
    reconcile(any_engine)
    ignore(any_engine, 1)
    same = reconcile(any_engine, now=NOW + MINUTE)
    store(any_engine, replace(thiio, total_cents=2))

    other = reconcile(any_engine, now=NOW + 2 * MINUTE)

    assert (same.opened, other.opened) == (0, 1)
    assert found_in(any_engine) == {("field_differs", "total_cents", ultracart.id, thiio.id)}


def test_windows_that_overlap_count_nothing_twice(engine: Engine) -> None:
    """Neither what is opened, nor what is opened again."""
    store(engine, make_order("D-1"))
    halves = (replace(WINDOW, end=NOW - DAY / 2), WINDOW)
    first = [
        reconcile(engine, window=window, now=NOW + number * MINUTE) for number, window in enumerate(halves)
    ]
    ignore(engine, 1, days=1)

    later = [
        reconcile(engine, window=window, now=NOW + DAY + number * MINUTE)
        for number, window in enumerate(halves)
    ]

    assert ([run.opened for run in first], [run.opened for run in later]) == ([1, 0], [1, 0])
    [row] = read(engine)
    assert (row["times_seen"], row["first_seen_at"]) == (4, NOW + DAY)


def test_what_is_taken_back_is_open(engine: Engine) -> None:
    """At once, and says so."""
    store(engine, make_order("D-1"))
    reconcile(engine)
    said = ignore(engine, 1)
    with engine.begin() as connection:
        told = take_back(connection, [1])

    assert said.startswith(
        "Ignored until 2026-12-02 12:00 UTC, or until a value changes: 1. Reason: A sample."
    )
    assert told == "Open again: 1."
    assert found_in(engine) == {MISSING}


@pytest.mark.parametrize(
    ("ids", "reason", "days", "told"),
    [
        ((), "A sample.", 30, "No mismatch is named."),
        ((1,), "  ", 30, "The reason is empty."),
        ((1,), "A sample.", 367, "367 days cannot be used. Write a number from 1 to 366."),
        ((1,), "A sample.", 0, "0 days cannot be used."),
        ((1, 9), "A sample.", 30, "Mismatch 9 is not open."),
    ],
)
def test_a_word_that_cannot_be_used_changes_nothing(
    engine: Engine, ids: tuple[int, ...], reason: str, days: int, told: str
) -> None:
    """It names the value and the remedy."""
    store(engine, make_order("D-1"))
    reconcile(engine)

    with pytest.raises(InvalidRecord, match=told):
        ignore(engine, *ids, reason=reason, days=days)

    assert found_in(engine) == {MISSING}


def test_the_report_shows_what_is_ignored(engine: Engine) -> None:
    """With number, time and reason, in the file and in Prefect; a reason is no markup."""
    store(engine, make_order("D-1"), make_order("D-2"))
    reconcile(engine)
    ignore(engine, 2, days=2, reason="<b>Seen</b> | by hand")
    ignore(engine, 1)

    report = report_of(engine)

    assert [(row.id, row.reason) for row in report.ignored_rows] == [
        (2, "<b>Seen</b> | by hand"),
        (1, "A sample."),
    ]
    with engine.connect() as connection:
        details = read_details(connection, report)
    page = render_html(report, details, Links(), ["all.csv"])
    markdown = render_markdown(report, [])
    assert "Ignored by a person" in page
    assert "&lt;b&gt;Seen&lt;/b&gt;" in page
    assert "<b>Seen" not in page
    row = "| 2 | Order missing in Thiio | D-2 | – | 2026-11-04 | \\<b\\>Seen\\</b\\> \\| by hand |"
    assert row in markdown
