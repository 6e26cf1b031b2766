"""Everything that runs: each part a process of its own, on a free port of 127.0.0.1, ended by its id."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
from sqlalchemy import Engine, make_url

from flows.commands.local_prefect import child, free_port, prefect_environment, wait_until_answering
from tasks.database.engine import open_database
from tasks.sandbox import Sandboxes, start_sandboxes
from tests.conftest import execute, url_of
from tests.inbox.running_receiver import PASSWORD, USERNAME
from tests.topology.postgres import run_postgres

PROJECT = Path(__file__).resolve().parents[2]
POOL = "batch"
RECEIVERS, WORKERS = ("receiver-1", "receiver-2"), ("worker-1", "worker-2")
LEASE_SECONDS = 10
"""So long the events of a dead worker stay in its hands; five minutes in production."""


@dataclass(slots=True)
class Part:
    """A process of the site, and its log."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def kill(self) -> None:
        """Kill it and all that it started, at once, as when its machine goes away."""
        with suppress(psutil.NoSuchProcess):
            leader = psutil.Process(self.process.pid)
            leader.suspend()  # it must start nothing more, nor see its children die
            for each in [*leader.children(recursive=True), leader]:
                with suppress(psutil.NoSuchProcess):
                    each.kill()
        self.process.wait()

    def process_ids(self) -> set[int]:
        """Give the ids of it and of all that it started."""
        with suppress(psutil.NoSuchProcess):
            leader = psutil.Process(self.process.pid)
            return {leader.pid, *(each.pid for each in leader.children(recursive=True))}
        return set()


@dataclass(slots=True)
class Site:
    """All parts by name; `urls` are the receivers', `engine` reads our tables."""

    stack: ExitStack
    folder: Path
    engine: Engine
    sandboxes: Sandboxes
    urls: dict[str, str]
    parts: dict[str, Part]

    def start(self, name: str) -> None:
        """Start a receiver or a worker."""
        if name in self.urls:
            port = self.urls[name].rpartition(":")[2]
            self._start(name, ["flows", "receiver"], {"ULTRATHIIO_RECEIVER__PORT": port})
        else:
            words = ["prefect", "worker", "start", "--pool", POOL, "--type", "process", "--name", name]
            self._start(name, [*words, "--limit", "1"], {})

    def start_prefect(self) -> None:
        """Start Prefect's server."""
        self._start("prefect-server", ["prefect", "server", "start"], {})

    def wait(self, name: str) -> None:
        """Wait until a receiver or Prefect's server answers."""
        url = f"{self.urls[name]}/ready" if name in self.urls else f"{os.environ['PREFECT_API_URL']}/health"
        wait_until_answering(url, self.parts[name].process, self.parts[name].log)

    def _start(self, name: str, words: list[str], environment: dict[str, str]) -> None:
        log = self.folder / f"{name}.log"
        process = self.stack.enter_context(child(words, environment, log, cwd=self.folder))
        self.parts[name] = Part(name, process, log)


@contextmanager
def open_site(folder: Path) -> Iterator[Site]:
    """Start all parts for a block, with deployments registered; the environment tells where they are."""
    with ExitStack() as stack:
        server_url = stack.enter_context(run_postgres())
        for name in ("ultrathiio", "prefect"):
            execute(server_url, f"CREATE DATABASE {name}")
        engine = open_database(url_of(server_url, "ultrathiio"))
        stack.callback(engine.dispose)
        sandboxes = stack.enter_context(start_sandboxes(folder / "sandbox"))
        urls = {name: f"http://127.0.0.1:{free_port()}" for name in RECEIVERS}
        os.environ.update(prefect_environment(folder, free_port()))
        os.environ.update(_environment(folder, server_url, sandboxes, urls))
        site = Site(stack, folder, engine, sandboxes, urls, {})
        site.start_prefect()
        for name in RECEIVERS:
            site.start(name)
        for name in ("prefect-server", *RECEIVERS):
            site.wait(name)
        _prefect("work-pool", "create", POOL, "--type", "process", "--overwrite")
        _prefect("deploy", "--all", "--no-prompt")
        # A Dask cluster, scheduler and workers, has its place here: before the workers whose runs use it.
        for name in WORKERS:
            site.start(name)
        yield site
        # Asked to stop, a worker waits for its runs; here nobody waits for them.
        for name in WORKERS:
            site.parts[name].kill()


def _environment(folder: Path, server_url: str, sandboxes: Sandboxes, urls: dict[str, str]) -> dict[str, str]:
    prefect_url = make_url(url_of(server_url, "prefect")).set(drivername="postgresql+asyncpg")
    receiver = next(iter(urls.values()))
    return {
        **sandboxes.environment(),
        "PYTHONPATH": str(PROJECT),
        "PREFECT_SERVER_DATABASE_CONNECTION_URL": prefect_url.render_as_string(hide_password=False),
        "PREFECT_WORKER_QUERY_SECONDS": "2",
        "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",
        "ULTRATHIIO_HOME": str(PROJECT),
        "ULTRATHIIO_DATABASE_URL": url_of(server_url, "ultrathiio"),
        "ULTRATHIIO_RECEIVER__USERNAME": USERNAME,
        "ULTRATHIIO_RECEIVER__PASSWORD": PASSWORD,
        "ULTRATHIIO_ULTRACART__WEBHOOK_URL": f"{receiver}/webhooks/ultracart",
        "ULTRATHIIO_ULTRACART__TIMEOUT_SECONDS": "5",
        "ULTRATHIIO_INBOX__LEASE_SECONDS": str(LEASE_SECONDS),
        "ULTRATHIIO_RECONCILE__SETTLE_MINUTES": "0",
        "ULTRATHIIO_RECONCILE__FIRST_WINDOW_DAYS": "120",
        "ULTRATHIIO_PUSH__LOOKUP_WAIT_SECONDS": "0.2",
        "ULTRATHIIO_REPORT__FOLDER": str(folder / "reports"),
    }


def _prefect(*words: str) -> None:
    command = [sys.executable, "-m", "prefect", *words]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
