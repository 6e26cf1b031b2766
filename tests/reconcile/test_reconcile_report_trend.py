"""The course of the last 90 days, from the times in the ledger and in the links."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

from sqlalchemy import Engine, insert

from tasks.database import tables
from tasks.reconcile.report_chart import draw_png, draw_svg, make_charts
from tasks.reconcile.report_sections import draw_trend, tell_trend
from tasks.reconcile.report_trend import DAYS, read_trend
from tests.reconcile.planted_ledger import DAY, plant_mismatch, plant_pair
from tests.reconcile.two_sides import NOW, report_of

MIDNIGHT = datetime(2026, 11, 1, tzinfo=UTC)
"""Between the last day but one and yesterday: NOW is noon of 2 November."""


def test_every_figure_of_every_day(any_engine: Engine) -> None:
    """Four days with births, deaths, a pair that differs twice and one that was missing before its link."""
    start = MIDNIGHT - 2 * DAY
    with any_engine.begin() as connection:
        for number in (1, 2, 3):
            plant_pair(connection, number, linked=start)
        # Twice the same pair; on 31 October both are open, from then on one, of 100.
        plant_mismatch(connection, 1, first_seen_at=start + DAY, amount_cents=100)
        plant_mismatch(connection, 1, "status", first_seen_at=start + DAY, closed_at=MIDNIGHT)
        # Opened and resolved within one day: no evening saw it.
        plant_mismatch(connection, 2, first_seen_at=start, closed_at=start + DAY / 2, amount_cents=999)
        # Missing from the first day, linked on the third, seen as resolved on the fourth.
        plant_pair(connection, 4, linked=MIDNIGHT + DAY / 2, currency="JPY")
        plant_mismatch(
            connection, 4, "", kind="missing_in_thiio", thiio_id="", first_seen_at=start, amount_cents=50,
            closed_at=NOW,
        )  # fmt: skip
        # A subtotal is a mismatch and no money of its own.
        plant_mismatch(connection, 3, "subtotal_cents", first_seen_at=NOW, amount_cents=7)
        # A customer counts among the mismatches only.
        plant_mismatch(connection, 9, "city", entity="customer", first_seen_at=NOW)

        trend = read_trend(connection, NOW)

    assert [(f"{day.day}", day.open, day.known, day.agreeing, day.cents) for day in trend] == [
        ("2026-10-30", 1, 4, 3, {"JPY": 50, "USD": 0}),
        ("2026-10-31", 3, 4, 2, {"JPY": 50, "USD": 100}),
        ("2026-11-01", 2, 4, 2, {"JPY": 50, "USD": 100}),
        ("2026-11-02", 3, 4, 2, {"JPY": 0, "USD": 100}),
    ]


def test_the_last_day_is_the_report_itself(any_engine: Engine) -> None:
    """What the chart ends with is what the numbers above it say."""
    with any_engine.begin() as connection:
        for number in range(9):
            plant_pair(connection, number, linked=NOW - number * DAY)
        for number in range(5):
            plant_mismatch(connection, number, first_seen_at=NOW - number * DAY, amount_cents=10)
            plant_mismatch(connection, number, "status", first_seen_at=NOW - number * DAY)
        for number, kind in ((20, "missing_in_thiio"), (21, "unlinked")):
            plant_mismatch(connection, number, "", kind=kind, thiio_id="", amount_cents=3)

        last = read_trend(connection, NOW)[-1]

    report = report_of(any_engine)
    standing = report.standings[0]
    assert (last.open, last.cents) == (report.open, dict(report.cents)) == (12, {"USD": 56})
    assert (last.known, last.agreeing) == (standing.known, standing.agreeing) == (11, 4)


def test_ninety_days_are_told(engine: Engine) -> None:
    """What is older is counted in, not shown."""
    with engine.begin() as connection:
        plant_pair(connection, 1, linked=NOW - 200 * DAY)
        plant_mismatch(connection, 1, first_seen_at=NOW - 100 * DAY)
        plant_mismatch(connection, 1, "status", first_seen_at=NOW - 100 * DAY, closed_at=NOW - 95 * DAY)

        trend = read_trend(connection, NOW)

    assert (len(trend), trend[0].day, trend[-1].day) == (DAYS, (NOW - 89 * DAY).date(), NOW.date())
    assert {(day.open, day.known, day.agreeing) for day in trend} == {(1, 1, 0)}


def test_one_day_is_no_trend(engine: Engine) -> None:
    """On the first day there is a sentence instead of a chart, and before it nothing."""
    with engine.begin() as connection:
        before = read_trend(connection, NOW)
        plant_mismatch(connection, 1, first_seen_at=NOW - timedelta(hours=1))
        first = read_trend(connection, NOW)

    assert (before, draw_trend(before), tell_trend(before)) == ([], "", "")
    assert "two days" in draw_trend(first)
    assert "<svg" not in draw_trend(first)


def test_a_run_that_found_nothing_begins_the_history(engine: Engine) -> None:
    """Days on which everything agreed are days of the trend."""
    run = {"entity": "order", "start_at": NOW, "end_at": NOW, "config_hash": "0"}
    with engine.begin() as connection:
        connection.execute(insert(tables.reconcile_runs).values(run | {"started_at": NOW - 3 * DAY}))

        trend = read_trend(connection, NOW)

    assert [(day.open, day.known, day.cents) for day in trend] == [(0, 0, {})] * 4
    assert [chart.told for chart in make_charts(trend)] == ["0", "100.0 %"]


def test_a_chart_is_read_aloud_and_follows_the_page(engine: Engine) -> None:
    """An image with a title and a description, letters as text, colours of the page, nothing to load."""
    with engine.begin() as connection:
        for number in range(10):
            plant_pair(connection, number, linked=NOW - 9 * DAY)
            plant_mismatch(connection, number, first_seen_at=NOW - number * DAY, amount_cents=123_456)
        trend = read_trend(connection, NOW)

    drawn = [draw_svg(chart, [day.day for day in trend]) for chart in make_charts(trend)]

    assert drawn[0] == draw_svg(make_charts(trend)[0], [day.day for day in trend])
    for svg, told in zip(drawn, ("10", "0.0 %", "12,345.60 USD"), strict=True):
        root = ElementTree.fromstring(svg)  # noqa: S314  # our own drawing
        words = {
            element.get("id"): element.text for element in root.iter() if element.tag in ("title", "desc")
        }
        assert root.get("role") == "img"
        assert words[root.get("aria-labelledby")].endswith(told)
        assert "2026-10-24 to 2026-11-02" in words[root.get("aria-describedby")]
        assert [element.text for element in root.iter("text")]
        assert "var(--mark)" in svg
        assert not any(word in svg for word in ("http", "<style", "#0102", "#0203", "#0304", "#0405"))
    png = draw_png(trend)
    assert png.startswith(b"\x89PNG")
    assert len(png) < 80_000
