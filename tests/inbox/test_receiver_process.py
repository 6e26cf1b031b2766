"""The receiver as a process of its own: what it needs to start, what it holds, and how it ends."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

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


def test_it_imports_neither_prefect_nor_pandas() -> None:
    """A receiver starts fast and stays small."""
    code = "import json, sys, tasks.inbox.receiver; print(json.dumps(sorted(sys.modules)))"

    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    modules = json.loads(answer.stdout)
    assert "tasks.inbox.receiver" in modules
    assert {name.split(".")[0] for name in modules} & {"prefect", "pandas", "numpy", "alembic"} == set()


@pytest.mark.parametrize("missing", ["username", "password"])
def test_no_receiver_runs_without_credentials(missing: str) -> None:
    """The error names the variable that is empty."""
    receiver = {"username": USERNAME, "password": PASSWORD, missing: ""}

    with pytest.raises(SetupError, match=f"ULTRATHIIO_RECEIVER__{missing.upper()} is empty"):
        create_app(load_settings(receiver=receiver))
