"""One installation: our database, Thiio's, and the processes between them, as the environment tells them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine

from flows.commands.local_prefect import free_port
from tasks.database.engine import open_database
from tasks.thiio.sandbox.server import ThiioSandbox
from tasks.ultracart.sandbox.server import UltraCartSandbox
from tests.inbox.crash import worker
from tests.inbox.crash.processes import Kept
from tests.inbox.crash.stream import SHOP
from tests.inbox.running_receiver import PASSWORD, USERNAME

PROJECT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True, slots=True)
class Site:
    """What is compared at the end: `engine` reads our tables, `thiio` holds Thiio's."""

    url: str
    engine: Engine
    thiio: ThiioSandbox
    receiver: Kept
    workers: tuple[Kept, ...]

    def tend(self) -> None:
        """See to it that all processes run."""
        for process in (self.receiver, *self.workers):
            process.tend()


@contextmanager
def open_site(
    folder: Path, database_url: str, ultracart: UltraCartSandbox, *, workers: int
) -> Iterator[Site]:
    """Set up an installation for a block; its processes run once `tend` is called, and are ended with it."""
    folder.mkdir()
    engine = open_database(database_url)
    thiio = ThiioSandbox(folder / "thiio", SHOP)
    port = free_port()
    environment = _environment(database_url, port, ultracart, thiio)
    receiver = Kept(
        "receiver",
        [sys.executable, "-m", "flows", "receiver"],
        "Uvicorn running on",
        folder / "receiver.log",
        environment,
    )
    command = [sys.executable, "-m", worker.__name__]
    names = [f"worker-{number}" for number in range(1, workers + 1)]
    kept = tuple(Kept(name, command, worker.READY, folder / f"{name}.log", environment) for name in names)
    site = Site(f"http://127.0.0.1:{port}", engine, thiio, receiver, kept)
    try:
        yield site
    finally:
        for process in (receiver, *kept):
            process.stop()
        engine.dispose()
        thiio.close()


def _environment(
    database_url: str, port: int, ultracart: UltraCartSandbox, thiio: ThiioSandbox
) -> dict[str, str]:
    settings = {
        "DATABASE_URL": database_url,
        "RECEIVER__PORT": port,
        "RECEIVER__USERNAME": USERNAME,
        "RECEIVER__PASSWORD": PASSWORD,
        "THIIO__DATABASE_URL": thiio.database_url,
        "ULTRACART__BASE_URL": ultracart.base_url,
        "ULTRACART__SIMPLE_KEY": ultracart.simple_key,
        # A killed worker's turn to call, like its lease, must end within the test.
        "ULTRACART__TIMEOUT_SECONDS": 0.5,
        "INBOX__LEASE_SECONDS": 5,
        "INBOX__RETRY_BASE_SECONDS": 0.2,
        "INBOX__RETRY_CAP_SECONDS": 1,
        "INBOX__PAUSE_SECONDS": 1,
        # Nothing is wrong with the events: however often their workers die, none of them may.
        "INBOX__MAX_ATTEMPTS": 50,
    }
    clean = {name: value for name, value in os.environ.items() if not name.startswith("ULTRATHIIO_")}
    ours = {f"ULTRATHIIO_{name}": str(value) for name, value in settings.items()}
    return clean | ours | {"PYTHONPATH": str(PROJECT), "PYTHONUNBUFFERED": "1"}
