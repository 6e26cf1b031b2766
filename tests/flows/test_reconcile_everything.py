"""The weekly comparison of everything, and a step that waits for a lease."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from prefect import flow, task
from sqlalchemy import Engine, select

from flows.pull_records import pull_records
from flows.reconcile_customers import reconcile_customers
from flows.reconcile_orders import reconcile_orders
from tasks.database import tables
from tasks.database.steps import patient
from tasks.errors import LeaseHeld, SetupError
from tasks.reconcile.options import CompareOptions
from tasks.records.mirror import save_orders
from tasks.records.models import Side
from tasks.records.watermarks import move_watermark
from tests.builders import make_order
from tests.flows.running import result_of, run

EVERYTHING = CompareOptions(everything=True)


def test_everything_is_compared_whatever_its_date(workplace: Engine) -> None:
    """An order of ten years ago is missed by the hourly run and found by the weekly; no watermark moves."""
    old = datetime(2016, 11, 1, tzinfo=UTC)
    result_of(pull_records)
    hourly = result_of(reconcile_orders)
    with workplace.begin() as connection:
        save_orders(connection, [make_order("OLD-1", placed_at=old, as_of=old)])
        before = connection.execute(select(tables.watermarks)).all()

    still_hourly = result_of(reconcile_orders)
    weekly = result_of(reconcile_orders, EVERYTHING)

    assert (hourly["mismatches"], still_hourly["mismatches"], weekly["mismatches"]) == (0, 0, 1)
    assert weekly["ultracart"] > hourly["ultracart"]
    with workplace.connect() as connection:
        starts = connection.scalars(select(tables.reconcile_runs.c.start_at)).all()
        moved = connection.execute(select(tables.watermarks)).all()
    assert starts[-1] == old
    assert {row.name: row.reached_at for row in moved if row.name != "reconcile:orders"} == {
        row.name: row.reached_at for row in before if row.name != "reconcile:orders"
    }


def test_everything_ends_where_both_sides_were_pulled(workplace: Engine) -> None:
    """An order that came by webhook since is not missing on the side that nobody has read yet."""
    pulled = datetime.now(UTC) - timedelta(hours=2)
    with workplace.begin() as connection:
        for side in Side:
            move_watermark(connection, f"pull-records:{side}", pulled, now=pulled)
        young = pulled + timedelta(hours=1)
        save_orders(connection, [make_order("D-1", placed_at=young, as_of=young)])

    assert result_of(reconcile_orders, EVERYTHING)["mismatches"] == 0
    assert result_of(reconcile_customers, EVERYTHING)["ultracart"] == 0


@pytest.mark.parametrize(("error", "tries"), [(LeaseHeld("held"), 3), (SetupError("wrong"), 1)])
def test_a_patient_step_waits_for_a_lease_and_for_nothing_else(error: Exception, tries: int) -> None:
    """Whatever else goes wrong would only go wrong again."""
    tried: list[Any] = []

    @task
    def step() -> None:
        tried.append(error)
        raise error

    @flow
    async def once() -> None:
        patient(step).with_options(retries=2, retry_delay_seconds=0)()

    state = run(once)

    assert state.is_failed()
    assert len(tried) == tries
