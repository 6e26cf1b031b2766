"""A backfill in a process of its own, that can be killed as a worker's can."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
from collections.abc import Mapping
from multiprocessing.process import BaseProcess
from typing import Any

from prefect.settings import PREFECT_API_URL, PREFECT_LOGGING_TO_API_ENABLED, temporary_settings

from flows.backfill import Backfill, backfill

SERVER = multiprocessing.get_context("forkserver")
# Prefect is imported once, not for every process.
SERVER.set_forkserver_preload(["flows.backfill"])


def start_backfill(environment: Mapping[str, str], options: Backfill) -> BaseProcess:
    """Start a process that runs the flow through the tests' Prefect server; exit code 0 if it completed."""
    words = (dict(environment), PREFECT_API_URL.value(), options.model_dump(mode="json"))
    process = SERVER.Process(target=run_backfill, args=words)
    process.start()
    return process


def run_backfill(environment: dict[str, str], api_url: str, choices: dict[str, Any]) -> None:
    """Run it with an operator's settings."""
    os.environ.update(environment)
    with temporary_settings({PREFECT_API_URL: api_url, PREFECT_LOGGING_TO_API_ENABLED: False}):
        running: Any = backfill(options=Backfill(**choices))
        asyncio.run(running)
