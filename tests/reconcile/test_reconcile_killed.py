"""A run that is killed at any moment, and made again, leaves what one undisturbed run leaves."""

from __future__ import annotations

import multiprocessing
import random
import signal
import time
from collections.abc import Iterator
from multiprocessing.synchronize import Event
from pathlib import Path
from shutil import copyfile

import pytest
from sqlalchemy import Engine, func, select

from tasks.database import tables
from tasks.database.engine import open_database
from tasks.reconcile.run import RunCounts
from tasks.settings import ReconcileSettings, Settings
from tests.reconcile.mess import make_mess
from tests.reconcile.outcome import outcome_of
from tests.reconcile.two_sides import reconcile, store

KILLS = 8
ORDERS = 600
SEED = 20261102
PROCESSES = multiprocessing.get_context("forkserver")
"""Clean processes that start in no time: a server has imported all they need, and forks."""
PROCESSES.set_forkserver_preload([__name__])


def run_in_parts(url: str, begins: Event | None = None) -> RunCounts:
    """Make one whole run, in three parts; say when it begins."""
    engine = open_database(url)
    if begins:
        begins.set()
    settings = Settings(reconcile=ReconcileSettings(partitions=3))
    counts = reconcile(engine, settings=settings)
    engine.dispose()
    return counts


@pytest.fixture
def plain(tmp_path: Path, empty_file: Path) -> Iterator[Engine]:
    """A second database, on a SQLite file."""
    copyfile(empty_file, tmp_path / "plain.sqlite3")
    engine = open_database(f"sqlite:///{tmp_path / 'plain.sqlite3'}")
    yield engine
    engine.dispose()


@pytest.mark.timeout(300)
def test_a_killed_run_is_made_good_by_the_next(any_engine: Engine, plain: Engine) -> None:
    """SIGKILL at random moments of a run, again and again, then one run to its end."""
    store(plain, *make_mess(ORDERS))
    store(any_engine, *make_mess(ORDERS))
    started = time.monotonic()
    expected = outcome_of(plain, reconcile(plain))
    seconds = time.monotonic() - started
    url = any_engine.url.render_as_string(hide_password=False)
    dice = random.Random(SEED)  # noqa: S311
    killed = 0
    while killed < KILLS:
        begins = PROCESSES.Event()
        process = PROCESSES.Process(target=run_in_parts, args=(url, begins))
        process.start()
        begins.wait()
        process.join(dice.uniform(0, seconds))
        process.kill()
        process.join()
        killed += process.exitcode == -signal.SIGKILL
        if process.exitcode == 0:
            seconds *= 0.8

    outcome = outcome_of(any_engine, run_in_parts(url))

    with any_engine.connect() as connection:
        runs = tables.reconcile_runs
        begun, ended = connection.execute(select(func.count(), func.count(runs.c.ended_at))).one()
    assert begun - ended > KILLS // 2
    # What a killed run has opened, the last one finds open.
    assert outcome["counts"] | {"opened": 0} == expected["counts"] | {"opened": 0}
    assert (outcome["ledger"], outcome["links"]) == (expected["ledger"], expected["links"])
