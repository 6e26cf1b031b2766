"""The flow `backfill` through Prefect: its plan, its windows, and what it says when it cannot go on."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any

import httpx
import msgspec
import pytest
from pydantic import ValidationError
from sqlalchemy import Engine, func, select

from flows.backfill import Backfill, backfill
from tasks.database import tables
from tasks.database.lease import hold_lease
from tasks.loopback import serve_on_loopback
from tasks.records.windows import finish_window, read_windows
from tasks.ultracart.sandbox.serialize import Money
from tasks.ultracart.sandbox.server import UltraCartSandbox
from tests.flows.running import newest_artifact, result_of, run

END = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
def asked(
    ultracart: UltraCartSandbox, workplace: Engine, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Counter[str]]:
    """Counts what UltraCart is asked, by path; of orders placed, by the start of the window."""
    counts: Counter[str] = Counter()

    def respond(request: httpx.Request) -> httpx.Response:
        body: dict[str, Any] = msgspec.json.decode(request.content) if request.content else {}
        counts[body.get("creation_date_begin", request.url.path.removeprefix("/rest/v2"))] += 1
        return ultracart.respond(request)

    with serve_on_loopback(respond) as url:
        monkeypatch.setenv("ULTRATHIIO_ULTRACART__BASE_URL", f"{url}/rest/v2")
        yield counts


def three_weeks(**choices: Any) -> Backfill:
    """Choose the three weeks up to now, to be read and compared."""
    end = datetime.now(UTC).replace(microsecond=0)
    return Backfill(start=end - timedelta(days=21), end=end, **{"dry_run": False, **choices})


def rows_of(engine: Engine, table: Any) -> int:
    """Count the rows of a table."""
    with engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(table)) or 0


def test_a_plan_names_windows_calls_and_the_finish(workplace: Engine, asked: Counter[str]) -> None:
    """A dry run asks UltraCart nothing and remembers nothing."""
    counts = result_of(backfill, Backfill(start=END - timedelta(days=30), end=END))
    plan = newest_artifact("backfill-plan")

    assert counts == {"windows": 5, "done": 0}
    assert "5 of 5 windows to do, about 32 calls to UltraCart, done about 2026-" in plan
    assert "at least 32: 6 a window, 2 for the catalogue" in plan
    assert "1,000 calls an hour and 10,000 a day, of which 0 and 0 are used now" in plan
    assert "| 2026-10-30 00:00 | 2026-11-01 00:00 | to do |" in plan
    assert not asked
    assert [rows_of(workplace, table) for table in (tables.windows, tables.notifications)] == [0, 0]


def test_a_plan_keeps_to_the_limits_that_are_set(workplace: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """62 calls at 10 an hour, of which ten are free now, take more than five hours."""
    monkeypatch.setenv("ULTRATHIIO_ULTRACART__CALLS_PER_HOUR", "10")

    result_of(backfill, Backfill(start=END - timedelta(days=10), end=END, window_length=1))

    assert "| Time | about 5.2 hours if nobody else calls UltraCart |" in newest_artifact("backfill-plan")


def test_a_plan_tells_what_ultracart_has_deleted(workplace: Engine) -> None:
    """Before its retention there is nothing to read."""
    result_of(backfill, Backfill(start=END - timedelta(days=800), end=END, window_length=92))

    assert "UltraCart deletes rejected orders after 365 days" in newest_artifact("backfill-plan")


def test_what_is_to_come_is_left_out_and_done_when_it_has_come(workplace: Engine) -> None:
    """An end in the future means now; started again it goes on from there."""
    now = datetime.now(UTC)
    options = Backfill(start=now - timedelta(days=1), end=now + timedelta(days=30), dry_run=False)

    first, second = result_of(backfill, options), result_of(backfill, options)

    assert (first["windows"], second["windows"]) == (1, 1)
    assert "which is now" in newest_artifact("backfill-plan")
    with workplace.connect() as connection:
        times = connection.execute(select(tables.windows.c.start_at, tables.windows.c.end_at)).all()
    assert [start for start, _ in times] == [options.start, min(end for _, end in times)]


def test_a_backfill_goes_on_where_it_stopped(workplace: Engine, ultracart: UltraCartSandbox) -> None:
    """Of three windows one is done; when UltraCart is back the other two follow, and none is done twice."""
    options = three_weeks()
    ultracart.is_disabled = True
    assert run(backfill, options).is_failed()
    ultracart.is_disabled = False
    with workplace.begin() as connection:
        first = read_windows(connection, options.job.key)[0].window
        finish_window(connection, options.job.key, first, row_count=7, now=datetime.now(UTC))

    went_on = result_of(backfill, options)
    plan, progress = newest_artifact("backfill-plan"), newest_artifact("backfill-progress")
    nothing_left = result_of(backfill, options)

    assert (went_on["windows"], went_on["done"]) == (2, 2)
    assert went_on["records"] > 50
    assert went_on["calls"] >= 14
    assert "3 in all, 1 done earlier and skipped, 2 to do" in plan
    assert progress == 100.0
    assert (nothing_left["windows"], nothing_left["done"], nothing_left["calls"]) == (0, 0, 0)


def test_finished_windows_are_done_again_on_request(workplace: Engine, asked: Counter[str]) -> None:
    """The plan says so before; another width is another job and has done nothing yet."""
    options = three_weeks(kinds="orders")
    result_of(backfill, options)
    once = Counter(asked)

    result_of(backfill, options.model_copy(update={"again": True, "dry_run": True}))
    plan = newest_artifact("backfill-plan")
    result_of(backfill, options)
    not_again = Counter(asked)
    again = result_of(backfill, options.model_copy(update={"again": True}))
    other_width = result_of(backfill, options.model_copy(update={"window_length": 21, "dry_run": True}))

    assert "3 in all, 3 finished ones to be done again" in plan
    assert not_again == once
    assert (again["windows"], again["done"]) == (3, 3)
    assert asked == once + once
    assert other_width["windows"] == 1


@pytest.mark.parametrize(
    ("choice", "calls", "stored", "compared"),
    [
        ({"kinds": "customers"}, 5, {tables.customers}, 3),
        ({"kinds": "orders"}, 17, {tables.orders}, 3),
        ({"side": "ultracart"}, 20, {tables.customers, tables.orders}, 0),
        ({"side": "thiio"}, 0, {tables.customers, tables.orders}, 0),
    ],
    ids=["customers", "orders", "UltraCart", "Thiio"],
)
def test_only_what_is_chosen_is_read(
    workplace: Engine,
    asked: Counter[str],
    choice: dict[str, str],
    calls: int,
    stored: set[Any],
    compared: int,
) -> None:
    """One side alone is not compared: what the other one holds was not read."""
    result_of(backfill, three_weeks(**choice))

    records = {table for table in (tables.customers, tables.orders) if rows_of(workplace, table)}
    assert (asked.total(), records, rows_of(workplace, tables.reconcile_runs)) == (calls, stored, compared)


def test_an_empty_stretch_takes_few_calls_and_no_comparison(workplace: Engine, asked: Counter[str]) -> None:
    """Six calls a window; then an order that is stored of that time makes its window worth comparing."""
    options = Backfill(
        start=END - timedelta(days=1_000), end=END - timedelta(days=900), window_length=50, dry_run=False
    )

    result_of(backfill, options)

    assert asked.total() == 14
    assert rows_of(workplace, tables.reconcile_runs) == 0


def test_a_record_that_cannot_be_read_leaves_its_window_to_be_done(
    workplace: Engine, ultracart: UltraCartSandbox
) -> None:
    """Everything else is done first; the message names the record, and the next run does only that window."""
    options = three_weeks(kinds="orders", window_length=21)
    order = ultracart.store.orders[ultracart.place_order("nora@example.com")]
    order["creation_dts"] = options.start + timedelta(hours=1)
    total, order["summary"]["total"] = order["summary"]["total"], Money(10**40)

    state = run(backfill, options)
    order["summary"]["total"] = total
    went_on = result_of(backfill, options)

    assert state.is_failed()
    assert "backfill: 1 failed" in state.message
    assert (went_on["windows"], went_on["done"]) == (1, 1)


def test_a_backfill_stops_at_the_day_s_limit_and_goes_on(
    workplace: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says what is done, what is left and when calls go on; later it does just what was left."""
    options = three_weeks()
    monkeypatch.setenv("ULTRATHIIO_ULTRACART__CALLS_PER_DAY", "12")

    stopped = run(backfill, options)
    monkeypatch.delenv("ULTRATHIIO_ULTRACART__CALLS_PER_DAY")
    went_on = result_of(backfill, options)

    assert (stopped.name, stopped.is_cancelled()) == ("WaitingForBudget", True)
    assert "12 calls a day are used up. Calls go on at" in stopped.message
    assert "1 window done, 2 left. Start it again with the same choices" in stopped.message
    assert (went_on["windows"], went_on["done"]) == (2, 2)


def test_a_backfill_waits_for_a_comparison_that_is_at_work(workplace: Engine) -> None:
    """An hourly run is let through; then the window is compared."""
    options = three_weeks(kinds="orders", window_length=21)

    with ThreadPoolExecutor(1) as another:
        working = Event()
        another.submit(hold_for, 3.0, workplace, working)
        working.wait()
        counts = result_of(backfill, options)

    assert (counts["windows"], counts["done"]) == (1, 1)
    assert rows_of(workplace, tables.reconcile_runs) == 1


def hold_for(seconds: float, engine: Engine, working: Event) -> None:
    """Hold the lease of reconcile-orders for a while, as a run of it does."""
    with hold_lease(engine, "reconcile:order"):
        working.set()
        time.sleep(seconds)


@pytest.mark.parametrize(
    ("choices", "words"),
    [
        ({"start": END, "end": END}, r"'Until' .* must be later than 'From'"),
        (
            {"start": END + timedelta(days=9_999), "end": END + timedelta(days=10_000)},
            "'From' .* in the past",
        ),
        (
            {"start": END - timedelta(days=900), "end": END, "window_length": 1, "window_unit": "hours"},
            "That makes 21,600 windows; 10,000 are the most",
        ),
        ({"start": END - timedelta(days=9), "end": END, "window_length": 0}, "greater than or equal to 1"),
    ],
    ids=["no stretch", "the future", "too many windows", "no width"],
)
def test_what_cannot_be_meant_is_refused_in_words(choices: dict[str, Any], words: str) -> None:
    """The sentence names the fields as the form does."""
    with pytest.raises(ValidationError, match=words):
        Backfill(**choices)
