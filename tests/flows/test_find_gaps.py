"""The flow `find-gaps` through Prefect: the state it ends in is what an automation listens to."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from sqlalchemy import Engine, func, select

from flows.find_gaps import FindGaps, find_gaps
from flows.process_inbox import process_inbox
from tasks.database import tables
from tasks.database.lease import hold_lease
from tasks.loopback import serve_on_loopback
from tasks.thiio.sandbox.server import ThiioSandbox
from tasks.ultracart.sandbox.server import UltraCartSandbox
from tests.flows.running import newest_artifact, result_of, run

FIND = FindGaps(dry_run=False)


@pytest.fixture
def stranger(
    workplace: Engine, ultracart: UltraCartSandbox, monkeypatch: pytest.MonkeyPatch
) -> Iterator[UltraCartSandbox]:
    """A shop of an hour ago, whose webhook is answered 200 by something that stores nothing."""
    ultracart.store.clock = lambda: datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
    with serve_on_loopback(lambda request: httpx.Response(200)) as url:
        ultracart.register_webhook(url, "user", "secret")
        monkeypatch.setenv("ULTRATHIIO_ULTRACART__WEBHOOK_URL", url)
        yield ultracart


def count_rows(engine: Engine, name: str) -> int:
    """Count the rows of one of our tables."""
    with engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(tables.metadata.tables[name])) or 0


def test_losses_end_the_run_under_a_name_of_their_own(
    workplace: Engine, stranger: UltraCartSandbox, thiio: ThiioSandbox
) -> None:
    """Completed, named LossesFound; then process-inbox brings the order to Thiio; the next run is at rest."""
    order_id = stranger.place_order("nora@example.com")
    stranger.deliver()

    state = run(find_gaps, FIND)
    page = newest_artifact("lost-webhooks")
    worked = result_of(process_inbox)
    again = run(find_gaps, FIND)

    assert (state.is_completed(), state.name) == (True, "LossesFound")
    assert "1 order, 1 of them recovered" in state.message
    assert state.result()["lost_orders"] == 1
    assert order_id in page
    assert "3 calls to UltraCart" in page
    assert worked["done"] == 1
    assert thiio.find_order(order_id)["email"] == "nora@example.com"
    assert (again.name, again.result()["lost_orders"], again.result()["calls"]) == ("Completed", 0, 2)


def test_a_dry_run_only_looks(workplace: Engine, stranger: UltraCartSandbox) -> None:
    """The form begins with it: losses are named, nothing is stored."""
    order_id = stranger.place_order("nora@example.com")
    stranger.deliver()

    state = run(find_gaps)

    assert state.name == "LossesFound"
    assert f"| {order_id} | Not read again: this run only looked. |" in newest_artifact("lost-webhooks")
    assert [count_rows(workplace, name) for name in ("inbox_events", "watermarks")] == [0, 0]


def test_a_webhook_that_is_switched_off_fails_the_run(workplace: Engine, stranger: UltraCartSandbox) -> None:
    """After everything else was done, with the remedy."""
    stranger.place_order("nora@example.com")
    stranger.deliver()
    [webhook] = stranger.store.webhooks.values()
    webhook.resource |= {"disabled": True, "consecutive_failures": 10}

    state = run(find_gaps, FIND)

    assert state.is_failed()
    assert "UltraCart has switched off webhook 8001 after 10 failures in a row" in state.message
    assert "1 order, 1 of them recovered" in state.message
    assert count_rows(workplace, "inbox_events") == 1


def test_a_run_without_calls_left_says_when_it_goes_on(
    workplace: Engine, stranger: UltraCartSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The watermark stays, so the next run finds what this one could not read."""
    stranger.place_order("nora@example.com")
    stranger.deliver()
    monkeypatch.setenv("ULTRATHIIO_ULTRACART__CALLS_PER_DAY", "2")

    stopped = run(find_gaps, FIND)
    monkeypatch.delenv("ULTRATHIIO_ULTRACART__CALLS_PER_DAY")

    assert (stopped.name, stopped.is_cancelled()) == ("WaitingForBudget", True)
    assert "2 calls a day are used up. Calls go on at" in stopped.message
    assert "Nothing was stored" in stopped.message
    assert [count_rows(workplace, name) for name in ("inbox_events", "watermarks")] == [0, 0]
    assert result_of(find_gaps, FIND)["recovered"] == 1


def test_two_searches_do_not_overlap(workplace: Engine, stranger: UltraCartSandbox) -> None:
    """The second one ends as Cancelled."""
    with hold_lease(workplace, "find-gaps"):
        state = run(find_gaps, FIND)

    assert state.is_cancelled()


def test_without_an_address_the_run_names_the_setting(workplace: Engine) -> None:
    """Which webhook is ours cannot be told otherwise."""
    state = run(find_gaps, FIND)

    assert state.is_failed()
    assert "ULTRATHIIO_ULTRACART__WEBHOOK_URL is empty" in state.message
