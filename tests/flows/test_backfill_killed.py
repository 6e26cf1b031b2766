"""A backfill whose process is killed again and again ends as one that nobody disturbed."""

from __future__ import annotations

import os
import random
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from sqlalchemy import Engine, select

from flows.backfill import Backfill
from tasks.database import tables
from tasks.database.engine import open_database
from tasks.loopback import serve_on_loopback
from tasks.thiio.sandbox.server import ThiioSandbox
from tasks.ultracart.sandbox.server import UltraCartSandbox
from tests.flows.backfill_process import start_backfill

SEED = 20_261_125
KILLS = 5
MOST_STARTS = 20
LONGEST_WAIT_SECONDS = 0.3
"""From a call to the kill: by then its page is stored, the window compared and marked, or not."""
COMPARED = (
    tables.customers, tables.orders, tables.order_lines, tables.links, tables.mismatches, tables.windows,
    tables.products, tables.product_metadata, tables.gateways,
)  # fmt: skip
OF_THE_RUN = {
    "id",
    "stored_at",
    "linked_at",
    "first_seen_at",
    "last_seen_at",
    "times_seen",
    "closed_at",
    "done_at",
}
"""Columns that say when and how often something was seen."""


@dataclass(slots=True)
class Asked:
    """When UltraCart was asked for the orders that were placed in a window, by the window's start."""

    url: str = ""
    calls: int = 0
    windows: list[tuple[datetime, datetime]] = field(default_factory=list)

    def note(self, request: httpx.Request) -> None:
        """Note one call."""
        self.calls += 1
        body: dict[str, Any] = msgspec.json.decode(request.content) if request.content else {}
        if begin := body.get("creation_date_begin"):
            self.windows.append((datetime.fromisoformat(begin) + timedelta(seconds=1), datetime.now(UTC)))


@pytest.fixture
def asked(ultracart: UltraCartSandbox) -> Iterator[Asked]:
    """Stands before UltraCart and notes what it is asked."""
    asked = Asked()

    def respond(request: httpx.Request) -> httpx.Response:
        asked.note(request)
        return ultracart.respond(request)

    with serve_on_loopback(respond) as url:
        asked.url = f"{url}/rest/v2"
        yield asked


def ours(environment: dict[str, str], file: Path, empty: Path) -> Engine:
    """Make a database of ours that the environment's process will use."""
    shutil.copyfile(empty, file)
    environment["ULTRATHIIO_DATABASE_URL"] = f"sqlite:///{file}"
    return open_database(environment["ULTRATHIIO_DATABASE_URL"])


def contents(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    """Give all rows of what a backfill leaves behind, but not when it was written."""
    found = {}
    with engine.connect() as connection:
        for table in COMPARED:
            columns = [column for column in table.c if column.name not in OF_THE_RUN]
            found[table.name] = sorted((tuple(row) for row in connection.execute(select(*columns))), key=repr)
    return found


def run_to_the_end(
    environment: dict[str, str], options: Backfill, asked: Asked, dice: random.Random, calls: int
) -> int:
    """Start it again whenever it ends, kill it after up to so many calls; tells how often it was killed."""
    kills = 0
    for _ in range(MOST_STARTS):
        process = start_backfill(environment, options)
        if kills < KILLS:
            kill_at = asked.calls + dice.randint(1, calls)
            while process.is_alive() and asked.calls < kill_at:
                time.sleep(0.005)
            process.join(dice.uniform(0, LONGEST_WAIT_SECONDS))
            if process.is_alive():
                process.kill()
                kills += 1
        process.join()
        if process.exitcode == 0:
            return kills
    raise AssertionError("it never came to its end")


def test_a_backfill_that_is_killed_ends_like_one_that_is_not(
    workplace: Engine,
    ultracart: UltraCartSandbox,
    thiio: ThiioSandbox,
    asked: Asked,
    tmp_path: Path,
    empty_file: Path,
) -> None:
    """Same records, links, mismatches and windows; no window is read again once it is done."""
    dice = random.Random(SEED)  # noqa: S311  # chooses when to kill
    end = datetime.now(UTC).replace(microsecond=0)
    options = Backfill(start=end - timedelta(days=28), end=end, window_length=4, dry_run=False)
    for order_id in dice.sample(sorted(ultracart.store.orders)[-60:], 8):
        row = thiio.find_order(order_id)
        thiio.edit_order_total(str(row["id"]), int(row["total"] * 100) + 7)
    for number in range(3):
        ultracart.place_order(f"new{number}@example.com")
    environment = {name: value for name, value in os.environ.items() if name.startswith("ULTRATHIIO_")}
    environment["ULTRATHIIO_ULTRACART__BASE_URL"] = asked.url

    undisturbed = ours(environment, tmp_path / "undisturbed.sqlite3", empty_file)
    process = start_backfill(environment, options)
    process.join()
    assert process.exitcode == 0
    calls = asked.calls
    asked.windows.clear()

    killed = ours(environment, tmp_path / "killed.sqlite3", empty_file)
    # A call whose caller was killed holds the turn for as long as it might take.
    environment["ULTRATHIIO_ULTRACART__TIMEOUT_SECONDS"] = "1"
    kills = run_to_the_end(environment, options, asked, dice, 2 * calls // KILLS)

    assert kills >= KILLS // 2
    assert contents(killed) == contents(undisturbed)
    assert len(contents(killed)["mismatches"]) >= 8
    with killed.connect() as connection:
        query = select(tables.windows.c.start_at, tables.windows.c.done_at)
        done = {start: done_at for start, done_at in connection.execute(query)}
    assert len(done) == 7
    assert [(start, at) for start, at in asked.windows if at > done[start]] == []
