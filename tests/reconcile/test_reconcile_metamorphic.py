"""What must not matter does not: the order of rows, the database, the parts, and how often a run is made."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from shutil import copyfile
from typing import Any

import pytest
from sqlalchemy import Engine

from tasks.database.engine import open_database
from tasks.records.models import Customer, Entity, Order, OrderStatus, Window
from tasks.settings import ReconcileSettings, Settings
from tests.builders import make_order
from tests.reconcile.outcome import ledger_of, outcome_of
from tests.reconcile.two_sides import (
    NOW,
    WINDOW,
    in_thiio,
    make_customer_pair,
    make_two_sides,
    reconcile,
    store,
)

MINUTE = timedelta(minutes=1)
SEED = 20261101


def make_mess(count: int = 60) -> list[Order | Customer]:
    """Two sides with some of everything: pairs, differences, lone and young records, conflicts, deletions."""
    ultracart, thiio = make_two_sides(count)
    for number in range(0, count, 10):
        thiio[number] = replace(thiio[number], total_cents=ultracart[number].total_cents + 99)  # type: ignore[operator]
        thiio[number + 1] = replace(thiio[number + 1], city="Oslo", status=OrderStatus.UNKNOWN)
        thiio[number + 2] = replace(thiio[number + 2], other_side_id=None)
        ultracart[number + 2] = replace(
            ultracart[number + 2], partner_order_id=f"THIIO-{thiio[number + 2].id}"
        )
        # A refund after the window's end, of an order placed in it; a change in it, of one placed before it.
        thiio[number + 3] = replace(thiio[number + 3], as_of=NOW + 9 * MINUTE, refunded_cents=500)
        thiio[number + 4] = replace(thiio[number + 4], placed_at=WINDOW.start - MINUTE, tax_cents=1)
        thiio[number + 5] = replace(thiio[number + 5], as_of=NOW - MINUTE, tax_cents=1)
        thiio[number + 6] = replace(thiio[number + 6], is_deleted=True)
    # Two Thiio orders name one of UltraCart's, in parts of the window that are far from each other.
    rivals = [in_thiio(ultracart[7], f"rival-{n}") for n in (1, 2)]
    rivals[1] = replace(rivals[1], placed_at=WINDOW.start + MINUTE, as_of=WINDOW.start + MINUTE)
    customers = [record for number in range(9) for record in make_customer_pair(number)]
    twin = replace(customers[0], id="twin")
    moved = replace(customers[3], city="Bergen", as_of=NOW - timedelta(days=2))
    return [
        *ultracart[: count - 5], *thiio[5:], *thiio[:3], *rivals, make_order("D-alone"),
        *customers[:3], moved, *customers[4:12], *customers[13:], twin,
    ]  # fmt: skip


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

    for number, times in enumerate(zip([WINDOW.start, *cuts], [*cuts, WINDOW.end], strict=True)):
        counts = reconcile(engine, window=Window(*times), now=NOW + number * timedelta(seconds=1))

    outcome, expected = outcome_of(engine, counts), usual[Entity.ORDER]
    assert (outcome["ledger"], outcome["links"]) == (expected["ledger"], expected["links"])
