"""What must not matter does not: the order of rows, the database, the parts, and how often a run is made."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from shutil import copyfile
from typing import Any

import pytest
from sqlalchemy import Engine

from tasks.database.engine import open_database
from tasks.records.models import Customer, Entity, Order, Window
from tasks.settings import ReconcileSettings, Settings
from tests.reconcile.mess import make_mess
from tests.reconcile.outcome import ledger_of, outcome_of
from tests.reconcile.two_sides import (
    NOW,
    WINDOW,
    reconcile,
    store,
)

MINUTE = timedelta(minutes=1)
SEED = 20261101


def run_over(
    engine: Engine, records: Sequence[Order | Customer], partitions: int = 1
) -> dict[Entity, dict[str, Any]]:
    """Store records, compare orders and customers, and give what that leaves."""
    store(engine, *records)
    return {entity: run_once(engine, entity, partitions) for entity in Entity}


def run_once(engine: Engine, entity: Entity, partitions: int = 1) -> dict[str, Any]:
    """Compare one entity in so many parts."""
    settings = Settings(reconcile=ReconcileSettings(partitions=partitions))
    return outcome_of(engine, reconcile(engine, entity, settings=settings))


@pytest.fixture
def plain(tmp_path: Path, empty_file: Path) -> Iterator[Engine]:
    """A second database, on a SQLite file."""
    copyfile(empty_file, tmp_path / "plain.sqlite3")
    engine = open_database(f"sqlite:///{tmp_path / 'plain.sqlite3'}")
    yield engine
    engine.dispose()


@pytest.fixture
def usual(plain: Engine) -> dict[Entity, dict[str, Any]]:
    """What one run in one part leaves on SQLite."""
    return run_over(plain, make_mess())


def test_the_mess_is_one(usual: dict[Entity, dict[str, Any]]) -> None:
    """The runs that are compared find something of every kind."""
    kinds = {row["kind"] for row in usual[Entity.ORDER]["ledger"]}
    counts = usual[Entity.ORDER]["counts"]

    assert kinds == {"field_differs", "missing_in_thiio", "missing_in_ultracart", "duplicate", "unlinked"}
    assert min(counts["paired"], counts["equal"], counts["settling"], counts["mismatches"]) > 5
    assert usual[Entity.CUSTOMER]["counts"]["mismatches"] > 2


@pytest.mark.parametrize("partitions", [1, 2, 7])
def test_neither_parts_nor_database_matter(
    any_engine: Engine, usual: dict[Entity, dict[str, Any]], partitions: int
) -> None:
    """A window in 1, 2 or 7 parts, on SQLite or Postgres, leaves the same ledger, links and counts."""
    assert run_over(any_engine, make_mess(), partitions) == usual


@pytest.mark.parametrize("seed", [SEED, SEED + 1])
def test_the_order_of_rows_does_not_matter(
    any_engine: Engine, usual: dict[Entity, dict[str, Any]], seed: int
) -> None:
    """Whatever came first, the outcome is the same."""
    records = make_mess()
    random.Random(seed).shuffle(records)  # noqa: S311

    assert run_over(any_engine, records, 2) == usual


def test_a_repeated_run_changes_nothing(any_engine: Engine) -> None:
    """Neither at the same moment nor later, whatever the parts: only what a run has of its own is new."""
    first = run_over(any_engine, make_mess())[Entity.ORDER]
    before = ledger_of(any_engine)

    same = run_once(any_engine, Entity.ORDER, 3)
    later = reconcile(any_engine, now=NOW + MINUTE, window=WINDOW)

    assert same["counts"] == first["counts"]
    assert ledger_of(any_engine) == before
    assert (later.opened, later.resolved, later.mismatches) == (0, 0, first["counts"]["mismatches"])


def test_neither_do_the_cuts_of_windows(engine: Engine, usual: dict[Entity, dict[str, Any]]) -> None:
    """Runs over windows that touch leave the ledger and the links of one run over all."""
    dice = random.Random(SEED)  # noqa: S311
    cuts = sorted(WINDOW.start + dice.random() * (WINDOW.end - WINDOW.start) for _ in range(6))
    store(engine, *make_mess())
    run_once(engine, Entity.CUSTOMER)

    for number, times in enumerate(zip([WINDOW.start, *cuts], [*cuts, WINDOW.end], strict=True)):
        counts = reconcile(engine, window=Window(*times), now=NOW + number * timedelta(seconds=1))

    outcome, expected = outcome_of(engine, counts), usual[Entity.ORDER]
    assert (outcome["ledger"], outcome["links"]) == (expected["ledger"], expected["links"])
