"""A backfill that a person cancels in Prefect's UI: a real server, a real worker, its real signal."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from prefect.settings import PREFECT_API_URL
from sqlalchemy import Engine, func, select

from flows.backfill import Backfill, backfill
from flows.commands.local_prefect import child
from tasks.database import tables
from tasks.loopback import serve_on_loopback
from tasks.ultracart.sandbox.server import UltraCartSandbox
from tests.flows.running import result_of
from tests.flows.test_deploy import PROJECT, prefect

POOL = "cancelled"
"""No schedule of prefect.yaml reaches it."""
PATIENCE_SECONDS = 120
ANSWER_SECONDS = 0.3


@pytest.fixture
def slow_shop(
    workplace: Engine, ultracart: UltraCartSandbox, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """UltraCart takes a while to answer, so that a window is in work for seconds."""

    def respond(request: httpx.Request) -> httpx.Response:
        time.sleep(ANSWER_SECONDS)
        return ultracart.respond(request)

    with serve_on_loopback(respond) as url:
        monkeypatch.setenv("ULTRATHIIO_ULTRACART__BASE_URL", f"{url}/rest/v2")
        yield


@pytest.fixture
def worker(slow_shop: None, tmp_path: Path) -> Iterator[None]:
    """A worker that takes runs from the tests' Prefect server."""
    prefect("work-pool", "create", POOL, "--type", "process", "--overwrite")
    prefect("deploy", "flows.backfill.backfill", "--name", POOL, "--pool", POOL, "--no-prompt")
    environment = {
        "PREFECT_API_URL": str(PREFECT_API_URL.value()),
        "PREFECT_WORKER_QUERY_SECONDS": "1",
        "ULTRATHIIO_HOME": str(PROJECT),
    }
    words = ["prefect", "worker", "start", "--pool", POOL, "--limit", "1"]
    with child(words, environment, tmp_path / "worker.log", cwd=PROJECT):
        yield
    named = httpx.get(f"{PREFECT_API_URL.value()}/deployments/name/backfill/{POOL}").json()
    httpx.delete(f"{PREFECT_API_URL.value()}/deployments/{named['id']}").raise_for_status()


def ask(path: str, **body: Any) -> dict[str, Any]:
    """Ask Prefect's API as its UI does."""
    answer = httpx.post(f"{PREFECT_API_URL.value()}{path}", json=body)
    answer.raise_for_status()
    told: dict[str, Any] = answer.json()
    return told


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until something has happened."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)


def windows_done(engine: Engine) -> int:
    """Count the windows that are done."""
    with engine.connect() as connection:
        query = select(func.count()).where(tables.windows.c.state == "done")
        return connection.scalar(query) or 0


@pytest.mark.timeout(300)  # two starts of Prefect's command line, a worker and its process
def test_a_cancelled_backfill_leaves_the_window_in_work_to_be_done(workplace: Engine, worker: None) -> None:
    """Nothing is held, nothing is half marked; a plan says that just the rest is left."""
    end = datetime.now(UTC).replace(microsecond=0)
    options = Backfill(start=end - timedelta(days=80), end=end, window_length=4, dry_run=False)
    named = httpx.get(f"{PREFECT_API_URL.value()}/deployments/name/backfill/{POOL}").json()
    made = ask(
        f"/deployments/{named['id']}/create_flow_run", parameters={"options": options.model_dump(mode="json")}
    )

    wait_for(lambda: windows_done(workplace) >= 1)
    ask(f"/flow_runs/{made['id']}/set_state", state={"type": "CANCELLING"})
    wait_for(lambda: state_of(made["id"]) == "CANCELLED")
    done = windows_done(workplace)
    rest = result_of(backfill, options.model_copy(update={"dry_run": True}))

    assert 1 <= done == windows_done(workplace) < 20
    assert rest["windows"] == 20 - done
    with workplace.connect() as connection:
        assert connection.execute(select(tables.leases)).all() == []


def state_of(flow_run_id: str) -> str:
    """Give the type of a run's state."""
    found = httpx.get(f"{PREFECT_API_URL.value()}/flow_runs/{flow_run_id}").json()
    return str(found["state_type"])
