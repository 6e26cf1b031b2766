"""The work of a run grows with its records, not with their square: counted in steps of SQLite's machine."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from pathlib import Path
from shutil import copyfile
from typing import Any

import pytest
from sqlalchemy import event

from tasks.database.engine import open_engine
from tasks.records.models import Entity
from tasks.settings import Settings
from tests.reconcile.order_rows import store_orders, window_of
from tests.reconcile.two_sides import reconcile

FEW, MANY = 1_000, 4_000
COUNTED_STEPS = 100
SMALL_PAGE = 25
"""So that few orders make many pages."""


def steps_of_runs(path: Path, rows: int) -> Iterator[int]:
    """Give the steps, in hundreds, of the first run, which links all pairs, and of a later one."""
    engine = open_engine(f"sqlite:///{path}")
    store_orders(engine, 0, rows)
    engine.dispose()
    steps = count()

    @event.listens_for(engine, "connect")
    def _count(connection: Any, _record: object) -> None:
        connection.set_progress_handler(lambda: next(steps) < 0, COUNTED_STEPS)

    window = window_of(rows)
    for number in range(2):
        before = next(steps)
        now = window.end + timedelta(days=1, minutes=number)
        counts = reconcile(engine, Entity.ORDER, window=window, now=now, settings=Settings())
        assert counts.paired == rows * 99 // 100
        yield next(steps) - before
    engine.dispose()


@pytest.mark.parametrize("run", [0, 1], ids=["the first run", "a later run"])
def test_four_times_the_orders_are_about_four_times_the_work(
    tmp_path: Path, empty_file: Path, monkeypatch: pytest.MonkeyPatch, run: int
) -> None:
    """A query that goes through a whole side for each page or record would make it sixteen times."""
    monkeypatch.setattr("tasks.reconcile.judge.PAGE", SMALL_PAGE)
    steps = {}
    for rows in (FEW, MANY):
        path = tmp_path / f"{rows}.sqlite3"
        copyfile(empty_file, path)
        steps[rows] = list(steps_of_runs(path, rows))[run]

    assert 3 < steps[MANY] / steps[FEW] < 5
