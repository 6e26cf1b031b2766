"""The receiver's log as JSON: every line of it, from the first to the last, and with errors."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from flows.commands.local_prefect import free_port, wait_until_answering
from tasks.inbox.log_lines import JsonLine
from tests.inbox.running_receiver import PASSWORD, ULTRACART, USERNAME, client_of, orders, url_of


def line_of(message: str, *values: object, error: Exception | None = None) -> dict[str, Any]:
    """Log a message and read the line that it becomes."""
    information = (type(error), error, error.__traceback__) if error else None
    record = logging.LogRecord("tasks.inbox", logging.WARNING, "", 1, message, values, information)
    text = JsonLine().format(record)
    assert "\n" not in text
    line: dict[str, Any] = json.loads(text)
    return line


def test_a_message_is_one_line() -> None:
    """With its time in UTC; an end of line within it stays within it."""
    line = line_of("%s are away:\nboth", "databases")

    assert (line["level"], line["logger"], line["message"]) == (
        "warning", "tasks.inbox", "databases are away:\nboth",
    )  # fmt: skip
    assert abs((datetime.now(UTC) - datetime.fromisoformat(line["time"])).total_seconds()) < 60
    assert "trace" not in line


def test_an_error_brings_its_trace() -> None:
    """On the same line."""
    try:
        raise ValueError("of all things")
    except ValueError as error:
        line = line_of("something failed", error=error)

    assert "ValueError: of all things" in line["trace"]


def test_every_line_of_a_receiver_is_json(engine: Engine, tmp_path: Path) -> None:
    """Start, a database that cannot take a delivery, and end: nothing in between is text."""
    port = free_port()
    settings = {
        "DATABASE_URL": url_of(engine),
        "RECEIVER__USERNAME": USERNAME,
        "RECEIVER__PASSWORD": PASSWORD,
        "RECEIVER__PORT": str(port),
        "RECEIVER__LOG_FORMAT": "json",
    }
    environment = os.environ | {f"ULTRATHIIO_{name}": value for name, value in settings.items()}
    log = tmp_path / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "flows", "receiver"], env=environment, stdout=output, stderr=output
        )
    try:
        wait_until_answering(f"http://127.0.0.1:{port}/health", process, log)
        with client_of(f"http://127.0.0.1:{port}") as client:
            with engine.begin() as connection:
                connection.exec_driver_sql("DROP TABLE inbox_payloads")
            assert client.post(ULTRACART, json=orders(1)).status_code == 503
        process.send_signal(signal.SIGTERM)
        process.wait(20)
    finally:
        process.kill()
        process.wait()

    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert {"uvicorn.error", "tasks.inbox.intake"} <= {line["logger"] for line in lines}
    assert any("running on" in line["message"] for line in lines)
