"""A window that is compared in parts, on threads or on a Dask cluster, leaves what one part leaves."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from shutil import copyfile
from typing import Any

import pytest
from sqlalchemy import Engine

from flows.reconcile_orders import reconcile_orders
from tasks.database.engine import open_database
from tasks.reconcile.options import CompareOptions
from tasks.reconcile.run import RunCounts
from tests.flows.running import result_of, run
from tests.reconcile.mess import make_mess
from tests.reconcile.outcome import outcome_of
from tests.reconcile.two_sides import WINDOW, store

needs_dask = pytest.mark.skipif(
    find_spec("prefect_dask") is None, reason="needs prefect-dask: pip install 'ultrathiio[dask]'"
)


def compare_in(engine: Engine) -> dict[str, Any]:
    """Store the mess, let the flow compare its orders, and give what that leaves."""
    store(engine, *make_mess())
    counts = result_of(reconcile_orders, CompareOptions(start=WINDOW.start, end=WINDOW.end))
    return outcome_of(engine, RunCounts(**counts))


@pytest.mark.timeout(300)
@pytest.mark.parametrize("task_runner", ["threads", pytest.param("dask", marks=needs_dask)])
def test_parts_are_compared_side_by_side(
    workplace: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, empty_file: Path, task_runner: str
) -> None:
    """Ledger, links and counts are the same."""
    expected = compare_in(workplace)
    copyfile(empty_file, tmp_path / "in_parts.sqlite3")
    monkeypatch.setenv("ULTRATHIIO_DATABASE_URL", f"sqlite:///{tmp_path / 'in_parts.sqlite3'}")
    monkeypatch.setenv("ULTRATHIIO_RECONCILE__PARTITIONS", "3")
    monkeypatch.setenv("ULTRATHIIO_RECONCILE__TASK_RUNNER", task_runner)
    engine = open_database(f"sqlite:///{tmp_path / 'in_parts.sqlite3'}")

    outcome = compare_in(engine)
    engine.dispose()

    assert outcome == expected


def test_a_cluster_that_does_not_answer_fails_the_run(
    workplace: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run ends Failed, the lease is given back, and the next run compares."""
    pytest.importorskip("prefect_dask", reason="needs prefect-dask: pip install 'ultrathiio[dask]'")
    store(workplace, *make_mess())
    monkeypatch.setenv("ULTRATHIIO_RECONCILE__PARTITIONS", "2")
    monkeypatch.setenv("ULTRATHIIO_RECONCILE__TASK_RUNNER", "dask")
    monkeypatch.setenv("ULTRATHIIO_RECONCILE__DASK_ADDRESS", "tcp://127.0.0.1:1")
    monkeypatch.setenv("DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT", "2s")
    options = CompareOptions(start=WINDOW.start, end=WINDOW.end)

    assert run(reconcile_orders, options).is_failed()

    monkeypatch.delenv("ULTRATHIIO_RECONCILE__TASK_RUNNER")
    assert result_of(reconcile_orders, options)["mismatches"] > 5
