"""The report in a real browser: light, dark, on a narrow screen and on paper, and for who cannot see it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from tasks.reconcile.report_files import write_files
from tests.in_chromium import LOOKS, find_faults, run_chromium
from tests.reconcile.planted_ledger import DAY, plant_mismatch, plant_pair
from tests.reconcile.test_reconcile_report_links import LINKS
from tests.reconcile.trouble import make_trouble
from tests.reconcile.two_sides import NOW


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A headless Chromium."""
    with run_chromium() as browser:
        yield browser


@pytest.fixture
def report(engine: Engine, tmp_path: Path) -> Path:
    """A report with something in every section."""
    make_trouble(engine)
    with engine.begin() as connection:
        for number in range(100, 130):
            plant_pair(connection, number, linked=NOW - 30 * DAY)
        for number in range(100, 110):
            born = NOW - (number - 100) * 3 * DAY
            plant_mismatch(connection, number, first_seen_at=born, amount_cents=number)
        plant_mismatch(connection, 111, "status", closed_at=NOW, reason="the sides agree again")
    return write_files(engine, tmp_path, NOW, LINKS).html


def open_report(browser: Any, report: Path, look: dict[str, Any]) -> tuple[Any, list[str]]:
    """Open the report; gives the page and the list of what the browser complains of."""
    page = browser.new_page(**look)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: complaints.append(request.url) if "file:" not in request.url else None)
    page.goto(report.as_uri())
    return page, complaints


@pytest.mark.parametrize("look", LOOKS)
def test_anybody_can_read_it(browser: Any, report: Path, look: str) -> None:
    """axe-core finds no serious or critical fault, with all that folds unfolded; nothing is loaded."""
    page, complaints = open_report(browser, report, LOOKS[look])
    page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")

    faults = find_faults(page)

    assert complaints == []
    assert faults == []
    assert page.locator("svg[role=img]").count() == 3


@pytest.mark.parametrize("look", LOOKS)
def test_nothing_stands_out_of_the_screen(browser: Any, report: Path, look: str) -> None:
    """The page itself never scrolls sideways; a wide table does so in its own box."""
    page, _ = open_report(browser, report, LOOKS[look])

    width, room = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert width <= room


def test_the_charts_follow_light_and_dark(browser: Any, report: Path) -> None:
    """The same drawing takes its colours from the page."""
    colours = []
    for look in ("light", "dark"):
        page, _ = open_report(browser, report, LOOKS[look])
        colours.append(page.evaluate("getComputedStyle(document.querySelector('svg text')).fill"))

    assert colours == ["rgb(91, 102, 117)", "rgb(154, 166, 181)"]


def test_it_prints(browser: Any, report: Path) -> None:
    """On paper it is dark on white, in landscape, and keeps its charts."""
    page, _ = open_report(browser, report, {"color_scheme": "dark"})
    page.emulate_media(media="print")

    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.locator("svg[role=img]").first.is_visible()
    assert page.pdf(prefer_css_page_size=True).startswith(b"%PDF")
