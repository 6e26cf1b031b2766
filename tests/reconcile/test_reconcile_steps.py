"""The steps that flows are made of: plain values in and out, one run at a time, nobody's data in Prefect."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, select

from tasks.database import tables
from tasks.database.lease import hold_lease
from tasks.errors import LeaseHeld
from tasks.reconcile.steps import (
    find_pulled_until,
    reconcile_customers_window,
    reconcile_orders_window,
    write_report,
)
from tasks.records.models import Entity
from tasks.records.watermarks import move_watermark
from tests.builders import make_customer, make_order
from tests.reconcile.other_tables import add_event, add_push
from tests.reconcile.two_sides import WINDOW, found_in, make_customer_pair, make_pair, reconcile, store

NAME, STREET, EMAIL, PHONE = "Zacharias", "9 Hidden Lane", "zacharias@example.com", "+12025550143"
HIDDEN = "(see the report)"


@pytest.fixture(autouse=True)
def reports(monkeypatch: pytest.MonkeyPatch, sqlite_url: str, tmp_path: Path) -> Path:
    """Settings in the environment, as an operator has them; gives the reports' folder."""
    monkeypatch.setenv("ULTRATHIIO_DATABASE_URL", sqlite_url)
    monkeypatch.setenv("ULTRATHIIO_REPORT__FOLDER", str(tmp_path / "reports"))
    return tmp_path / "reports"


def make_personal_trouble(engine: Engine) -> None:
    """Fill the ledger with mismatches whose values are personal, and with words of UltraCart's."""
    ultracart, thiio = make_pair()
    theirs = {"first_name": NAME, "line1": STREET, "email_key": EMAIL, "phone": PHONE, "total_cents": 9999}
    store(engine, replace(ultracart, phone="+12093839870"), replace(thiio, **theirs))
    shop, crm = make_customer_pair(2)
    store(engine, shop, replace(crm, line1=STREET), make_customer("9", email=EMAIL, email_key=EMAIL))
    for entity in Entity:
        reconcile(engine, entity)
    with engine.begin() as connection:
        add_push(connection, "17", "rejected", reason=f"{EMAIL} is no address", remedy="Correct it.")
        add_push(connection, "18", "held", reason="Product 305 has no item ID.", remedy="Add | it.")
        add_event(connection, "D-1", "dead")


@pytest.mark.parametrize(
    ("step", "record", "found"),
    [
        (reconcile_orders_window, make_order("D-1"), ("missing_in_thiio", "", "D-1", "")),
        (reconcile_customers_window, make_customer("1"), ("missing_in_thiio", "", "1", "")),
    ],
    ids=["orders", "customers"],
)
def test_a_window_is_compared(engine: Engine, step: Any, record: Any, found: tuple[str, ...]) -> None:
    """The step compares its own entity, and gives the counts as plain numbers."""
    store(engine, record)

    counts = step.fn(WINDOW.start, WINDOW.end)

    assert found_in(engine) == {found}
    assert counts == {
        "run": 1,
        "ultracart": 1,
        "thiio": 0,
        "paired": 0,
        "equal": 0,
        "settling": 0,
        "mismatches": 1,
        "opened": 1,
        "resolved": 0,
    }


@pytest.mark.parametrize(
    ("step", "lease"),
    [(reconcile_orders_window, "reconcile:order"), (reconcile_customers_window, "reconcile:customer")],
    ids=["orders", "customers"],
)
def test_one_run_at_a_time(engine: Engine, step: Any, lease: str) -> None:
    """While another run holds the lease nothing is compared; the other entity's lease does not matter."""
    store(engine, make_order("D-1"))

    with hold_lease(engine, lease), pytest.raises(LeaseHeld, match=f"{lease} is running"):
        step.fn(WINDOW.start, WINDOW.end)

    with engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(tables.reconcile_runs)) == 0
    with hold_lease(engine, "reconcile:something else"):
        assert step.fn(WINDOW.start, WINDOW.end)["run"] == 1


def test_a_window_ends_where_both_sides_were_pulled(engine: Engine) -> None:
    """Now without any pull; else where the slower side's last pull ended."""
    before = datetime.now(UTC)
    unpulled = find_pulled_until.fn()
    with engine.begin() as connection:
        move_watermark(connection, "pull-records:ultracart", before - timedelta(minutes=5), now=before)
        move_watermark(connection, "pull-records:thiio", before - timedelta(hours=3), now=before)

    assert before <= unpulled <= datetime.now(UTC)
    assert find_pulled_until.fn() == before - timedelta(hours=3)


def test_the_report_gives_its_numbers_and_places(engine: Engine, reports: Path) -> None:
    """What the step returns can be written as JSON, and the files it names are there."""
    make_personal_trouble(engine)

    written = write_report.fn()

    assert written["answer"] == "No: 7 mismatches are open."
    # The clock of the step is the real one.
    assert written["numbers"] | {"new in 24 hours": 0, "older than 7 days": 0} == {
        "open mismatches": 7,
        "new in 24 hours": 0,
        "older than 7 days": 0,
        "resolved in 24 hours": 0,
        "money in disagreement": "76.36 USD",
        "phone orders not in UltraCart": 2,
        "events not handled": 1,
        "ignored with a reason": 0,
    }
    assert {kind: Path(place).parent for kind, place in written["files"].items()} == dict.fromkeys(
        ("html", "csv", "parquet", "xlsx"), reports
    )
    assert all(Path(place).is_file() for place in written["files"].values())
    assert json.loads(json.dumps(written)) == written


def test_prefect_is_told_nothing_personal(engine: Engine) -> None:
    """Names, addresses and UltraCart's own words stand in the files only; what is not personal is shown."""
    make_personal_trouble(engine)

    written = write_report.fn()

    shown = written["markdown"] + json.dumps(written["rows"])
    files = "".join(Path(written["files"][kind]).read_text() for kind in ("html", "csv"))
    for secret in (NAME, STREET, EMAIL, PHONE, "Ada", "1 Main St"):
        assert (secret in shown, secret in files) == (False, True), secret
    values = {row["what"]: (row["UltraCart says"], row["Thiio says"]) for row in written["rows"]}
    hidden = (HIDDEN, HIDDEN)
    assert values == {
        "Order with different total": ("23.63 USD", "99.99 USD"),
        "Order with different first name": hidden,
        "Order with different address line 1": hidden,
        "Order with different e-mail": hidden,
        "Order with different phone": hidden,
        "Customer with different address line 1": hidden,
        "Customer missing in Thiio": hidden,
    }
    assert "| 17 | refused by UltraCart | 2026-11-01 12:00 UTC | (see the report) | Correct it. |" in shown
    assert "| 18 | held | 2026-11-01 12:00 UTC | Product 305 has no item ID. | Add \\| it. |" in shown
