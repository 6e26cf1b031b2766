"""The receiver as a process of its own: what it needs to start, what it holds, and how it ends."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from threading import Event

import httpx
import pytest
from sqlalchemy import Engine

from tasks.errors import SetupError
from tasks.inbox.receiver import create_app
from tasks.settings import load_settings
from tests.inbox.inbox_rows import read_events
from tests.inbox.running_receiver import PASSWORD, ULTRACART, USERNAME, client_of, orders, url_of

START = "from tasks.inbox.receiver import run_receiver; from tasks.settings import load_settings; "
START += "run_receiver(load_settings())"


@contextmanager
def receiver_process(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start a receiver from the environment alone; yield the process and its address."""
    for name, value in {
        "DATABASE_URL": url_of(engine),
        "RECEIVER__USERNAME": USERNAME,
        "RECEIVER__PASSWORD": PASSWORD,
        "RECEIVER__PORT": "0",
    }.items():
        monkeypatch.setenv(f"ULTRATHIIO_{name}", value)
    process = subprocess.Popen([sys.executable, "-c", START], stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    with process, process.stderr as log:
        try:
            found = (re.search(r"running on (http://127\.0\.0\.1:\d+)", line) for line in log)
            yield process, next(match[1] for match in found if match)
        finally:
            process.kill()


def test_what_was_answered_survives_a_kill(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that dies right after its answer has stored what it answered for."""
    with receiver_process(engine, monkeypatch) as (process, url), client_of(url) as client:
        answer = client.post(ULTRACART, json=orders(1))
        process.kill()

    assert (answer.status_code, process.returncode) == (200, -signal.SIGKILL)
    assert read_events(engine, "entity_id", "state") == [("DEMO-1", "waiting")]


def test_a_signal_ends_it_in_order(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """An orchestrator's SIGTERM is obeyed, and what was taken before is there."""
    with receiver_process(engine, monkeypatch) as (process, url), client_of(url) as client:
        answer = client.post(ULTRACART, json=orders(1))
        process.send_signal(signal.SIGTERM)
        process.wait(10)

    # The server raises the signal again once it has closed in order.
    assert (answer.status_code, process.returncode) == (200, -signal.SIGTERM)
    assert read_events(engine, "entity_id") == ["DEMO-1"]


def test_a_signal_amid_the_traffic_loses_nothing_that_was_answered(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Senders that come while it ends hear 200 and are stored, or hear that they must come again."""
    with receiver_process(engine, monkeypatch) as (process, url), ThreadPoolExecutor(8) as senders:
        calls = [senders.submit(send_until_refused, url, 1_000 * number) for number in range(8)]
        Event().wait(1.0)
        process.send_signal(signal.SIGTERM)
        process.wait(20)
        taken = [id for call in calls for id in call.result()]

    assert (len(taken) > 8, process.returncode) == (True, -signal.SIGTERM)
    assert set(taken) <= set(read_events(engine, "entity_id"))


def send_until_refused(url: str, first: int) -> list[str]:
    """Send order after order; give the ids of those that were answered with 200."""
    taken = []
    with client_of(url) as client, suppress(httpx.HTTPError):
        for number in range(first, first + 1_000):
            if client.post(ULTRACART, json=orders(number)).status_code != 200:
                break
            taken.append(f"DEMO-{number}")
    return taken


def test_it_imports_neither_prefect_nor_pandas() -> None:
    """A receiver starts fast and stays small."""
    code = "import json, sys, tasks.inbox.receiver; print(json.dumps(sorted(sys.modules)))"

    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    modules = json.loads(answer.stdout)
    assert "tasks.inbox.receiver" in modules
    heavy = {"prefect", "pandas", "numpy", "alembic", "httpx", "phonenumbers", "fastapi"}
    assert {name.split(".")[0] for name in modules} & heavy == set()


@pytest.mark.parametrize("missing", ["username", "password"])
def test_no_receiver_runs_without_credentials(missing: str) -> None:
    """The error names the variable that is empty."""
    receiver = {"username": USERNAME, "password": PASSWORD, missing: ""}

    with pytest.raises(SetupError, match=f"ULTRATHIIO_RECEIVER__{missing.upper()} is empty"):
        create_app(load_settings(receiver=receiver))
