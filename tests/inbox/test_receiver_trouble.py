"""A receiver whose database is away, locked or behind says so, loses nothing, and goes on by itself."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing, contextmanager
from importlib.metadata import version
from pathlib import Path
from socket import socket

import httpx
import pytest
from sqlalchemy import Engine, text

from tasks.database.engine import open_database, open_engine
from tests.inbox.inbox_rows import read_events
from tests.inbox.running_receiver import (
    ULTRACART,
    client_of,
    orders,
    receiver_settings,
    run_server,
    serve_receiver,
    url_of,
)

AWAY = {"error": "The database cannot take this delivery now. Send it again later."}
FULL = {"error": "Too many deliveries wait to be stored. Send this one again later."}
BEHIND = {"status": "unavailable", "reason": "The tables are not up to date yet."}


@contextmanager
def write_lock(engine: Engine) -> Iterator[None]:
    """Keep every other writer of a SQLite file waiting for a block."""
    with closing(sqlite3.connect(engine.url.database or "", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def wait_until_ready(client: httpx.Client) -> None:
    """Ask until the receiver says that it is ready; as often as an impatient orchestrator would."""
    pause = threading.Event()
    for _ in range(200):
        if client.get("/ready").status_code == 200:
            return
        pause.wait(0.02)
    pytest.fail("the receiver never became ready")


def test_a_database_that_is_not_there_makes_503() -> None:
    """The sender is told when to come again; the process itself is well, but not ready."""
    with socket() as taken:  # bound and not listening: nobody else can come to serve this port
        taken.bind(("127.0.0.1", 0))
        url = f"postgresql+psycopg://user:secret@127.0.0.1:{taken.getsockname()[1]}/ours"
        with serve_receiver(url) as client:
            answer = client.post(ULTRACART, json=orders(1))
            health, ready = client.get("/health"), client.get("/ready")

    assert (answer.status_code, answer.json(), answer.headers["retry-after"]) == (503, AWAY, "10")
    assert (health.status_code, health.json()["status"]) == (200, "ok")
    assert (ready.status_code, ready.json()) == (
        503,
        {"status": "unavailable", "reason": "database: OperationalError"},
    )


def test_a_database_that_comes_later_is_used(tmp_path: Path) -> None:
    """Asked whether it is ready, the receiver makes the tables; a refused delivery is then stored once."""
    file = tmp_path / "ours.sqlite3"
    file.mkdir()  # in the way of the database's file
    with serve_receiver(f"sqlite:///{file}") as client:
        before = [client.get("/ready").status_code, client.post(ULTRACART, json=orders(1)).status_code]
        file.rmdir()
        wait_until_ready(client)
        after = client.post(ULTRACART, json=orders(1))

    assert (before, after.status_code, after.json()) == (
        [503, 503],
        200,
        {"stored": 1, "duplicates": 0},
    )
    engine = open_engine(f"sqlite:///{file}")
    assert read_events(engine, "entity_id", "state") == [("DEMO-1", "waiting")]
    engine.dispose()


def test_a_fresh_database_is_made_ready_at_the_start(fresh_sqlite_url: str) -> None:
    """Nobody has to migrate by hand, and no delivery has to come first."""
    with serve_receiver(fresh_sqlite_url) as client:
        wait_until_ready(client)

        assert (client.get("/ready").json(), client.get("/health").json()) == (
            {"status": "ready"},
            {"status": "ok", "version": version("ultrathiio")},
        )


def test_a_database_of_another_version_is_not_written_to(any_engine: Engine) -> None:
    """A delivery is put off as long as the tables are another version's, and stored once they are ours."""
    with any_engine.begin() as connection:
        ours = connection.scalar(text("SELECT version_num FROM alembic_version"))
        connection.execute(text("UPDATE alembic_version SET version_num = 'ffff'"))
    with serve_receiver(url_of(any_engine)) as client:
        refused, ready = client.post(ULTRACART, json=orders(1)), client.get("/ready")
        stored_before = read_events(any_engine, "id")
        with any_engine.begin() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = :ours"), {"ours": ours})
        taken = client.post(ULTRACART, json=orders(1))

    assert (refused.status_code, refused.json(), refused.headers["retry-after"]) == (503, AWAY, "10")
    assert (ready.status_code, ready.json(), stored_before) == (503, BEHIND, [])
    assert (taken.status_code, read_events(any_engine, "entity_id")) == (200, ["DEMO-1"])


def test_a_restart_of_the_database_is_not_noticed(postgres_engine: Engine) -> None:
    """Connections that died in between are replaced before they are used."""
    with serve_receiver(url_of(postgres_engine)) as client:
        client.post(ULTRACART, json=orders(1))
        with postgres_engine.begin() as connection:
            ended = connection.scalars(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            ).all()
        answer = client.post(ULTRACART, json=orders(2))

    assert (len(ended) > 0, answer.status_code) == (True, 200)
    assert read_events(postgres_engine, "entity_id") == ["DEMO-1", "DEMO-2"]


def test_a_full_queue_makes_503_at_once(engine: Engine) -> None:
    """While the database is locked two deliveries may be held; the others need not wait, the held ones do."""
    with serve_receiver(url_of(engine), queue_size=1) as client, ThreadPoolExecutor(6) as senders:
        client.post(ULTRACART, json=orders(0))  # the writer is at work
        with write_lock(engine):
            calls = [senders.submit(client.post, ULTRACART, json=orders(number)) for number in range(1, 7)]
            turned_away = first_completed(calls, 4)
            stored_before = read_events_without_lock(engine)
        answers = [call.result() for call in calls]

    for answer in turned_away:
        assert (answer.status_code, answer.json(), answer.headers["retry-after"]) == (503, FULL, "10")
    assert stored_before == ["DEMO-0"]
    taken = [f"DEMO-{at + 1}" for at, answer in enumerate(answers) if answer.status_code == 200]
    assert taken != []
    assert sorted(read_events(engine, "entity_id")) == ["DEMO-0", *taken]


def first_completed(calls: list[Future[httpx.Response]], count: int) -> list[httpx.Response]:
    """Wait for the first answers that come in."""
    done: set[Future[httpx.Response]] = set()
    while len(done) < count:
        more, _ = wait(set(calls) - done, timeout=10, return_when=FIRST_COMPLETED)
        assert more, "nobody was answered while the database was locked"
        done |= more
    return [call.result() for call in done]


def read_events_without_lock(engine: Engine) -> list[str]:
    """Read the ids of the stored orders while another connection holds the write lock."""
    with closing(sqlite3.connect(engine.url.database or "")) as reader:
        return [id for (id,) in reader.execute("SELECT entity_id FROM inbox_events ORDER BY id")]


def test_the_answer_waits_for_the_commit_even_at_the_end(engine: Engine) -> None:
    """A receiver that is told to stop first stores what it took, and says so."""
    settings = receiver_settings(url_of(engine))
    with ThreadPoolExecutor(3) as senders, run_server(settings) as (server, url), client_of(url) as client:
        client.post(ULTRACART, json=orders(0))
        with write_lock(engine):
            calls = [senders.submit(client.post, ULTRACART, json=orders(number)) for number in (1, 2, 3)]
            answered, _ = wait(calls, timeout=0.4)
            server.should_exit = True
        answers = [call.result() for call in calls]

    assert (answered, [answer.status_code for answer in answers]) == (set(), [200] * 3)
    assert sorted(read_events(engine, "entity_id")) == ["DEMO-0", "DEMO-1", "DEMO-2", "DEMO-3"]


def test_what_the_database_refuses_turns_nobody_else_away(postgres_database_url: str) -> None:
    """Deliveries that share a commit with one that cannot be stored are stored without it."""
    engine = open_database(postgres_database_url)
    with engine.begin() as connection:
        connection.execute(
            text("ALTER TABLE inbox_events ADD CONSTRAINT no_demo_3 CHECK (entity_id <> 'DEMO-3')")
        )
    with serve_receiver(postgres_database_url) as client, ThreadPoolExecutor(6) as senders:
        with engine.begin() as connection:
            connection.execute(text("LOCK TABLE inbox_events IN EXCLUSIVE MODE"))
            calls = [senders.submit(client.post, ULTRACART, json=orders(number)) for number in range(6)]
            wait(calls, timeout=0.4)  # long enough for most to meet in one batch; it holds for any
        answers = [call.result() for call in calls]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 503, 200, 200]
    assert sorted(read_events(engine, "entity_id")) == ["DEMO-0", "DEMO-1", "DEMO-2", "DEMO-4", "DEMO-5"]
    engine.dispose()
