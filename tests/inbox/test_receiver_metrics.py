"""GET /metrics tells what the receiver did and what waits, fast and whatever the database does."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import Engine, insert, text, update

from tasks.database import tables
from tasks.inbox import metrics
from tests.inbox.running_receiver import (
    THIIO,
    ULTRACART,
    orders,
    serve_receiver,
    url_of,
)
from tests.inbox.test_receiver_trouble import wait_until_ready, write_lock

MANY = 300_000


def read(client: httpx.Client) -> dict[str, float]:
    """Read all figures: `name{label}` → value."""
    answer = client.get("/metrics")
    assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (200, "text/plain")
    return {
        sample.name.removeprefix("ultrathiio_")
        + "".join(f"{{{value}}}" for value in sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_it_tells_what_was_taken_and_what_was_turned_away(any_receiver: httpx.Client) -> None:
    """Events by source, duplicates, rejected requests by status, and the commits that it took."""
    any_receiver.post(ULTRACART, json=orders(1, 2))
    any_receiver.post(ULTRACART, json=orders(2, 3))
    any_receiver.post(THIIO, json={"event": "x"})
    any_receiver.post(ULTRACART, content="hello")
    any_receiver.post(ULTRACART, content="")
    any_receiver.post(ULTRACART, json=[], auth=("nobody", "x"))

    seen = read(any_receiver)

    expected = {
        "received_events_total{ultracart}": 5,
        "received_events_total{thiio}": 1,
        "duplicate_events_total{ultracart}": 1,
        "duplicate_events_total{thiio}": 0,
        "rejected_requests_total{400}": 2,
        "rejected_requests_total{401}": 1,
        "deliveries_waiting": 0,
        "commit_seconds_count": 4,
        "deliveries_a_commit_sum": 4,
        "inbox_events{waiting}": 4,
        "inbox_events{leased}": 0,
        "inbox_events{dead}": 1,
        "dead_letters": 1,
        "database_up": 1,
    }
    assert {name: seen[name] for name in expected} == expected
    assert 0 < seen["commit_seconds_sum"] < 60
    assert 0 <= seen["oldest_waiting_event_seconds"] < 60


def test_two_receivers_in_a_process_count_for_themselves(engine: Engine) -> None:
    """Neither tells what the other did, and nothing of the process's global registry."""
    with serve_receiver(url_of(engine)) as one, serve_receiver(url_of(engine)) as other:
        one.post(ULTRACART, json=orders(1))

        told = read(one)
        assert told["received_events_total{ultracart}"] == 1
        assert read(other)["received_events_total{ultracart}"] == 0
        assert not [name for name in told if name.startswith(("python_", "process_"))]


def test_an_age_is_never_negative(any_engine: Engine, any_receiver: httpx.Client) -> None:
    """A clock that was set back makes an event seem to come from the future; an old one has its age."""
    any_receiver.post(ULTRACART, json=orders(1))
    ages = []
    for hours in (3, -3):
        came = datetime.now(UTC) + timedelta(hours=hours)
        with any_engine.begin() as connection:
            connection.execute(update(tables.inbox_events).values(received_at=came, due_at=came))
        ages.append(read(any_receiver)["oldest_waiting_event_seconds"])

    assert (ages[0], 3 * 3_600 <= ages[1] < 3 * 3_600 + 60) == (0, True)


def test_a_database_that_is_away_does_not_fail_it(tmp_path: Path) -> None:
    """It is told to be down, without figures of the inbox; once it is there they are back."""
    file = tmp_path / "ours.sqlite3"
    file.mkdir()  # in the way of the database's file
    with serve_receiver(f"sqlite:///{file}") as client:
        client.post(ULTRACART, json=orders(1))
        away = read(client)
        file.rmdir()
        wait_until_ready(client)
        client.post(ULTRACART, json=orders(1))
        back = read(client)

    assert (away["database_up"], away["rejected_requests_total{503}"]) == (0, 1)
    assert not [name for name in away if name.startswith(("inbox_events", "oldest"))]
    assert (back["database_up"], back["inbox_events{waiting}"]) == (1, 1)


def test_a_database_that_hangs_is_not_waited_for(postgres_engine: Engine) -> None:
    """The scrape is answered in time, however long another transaction holds the table."""
    with serve_receiver(url_of(postgres_engine)) as client:
        wait_until_ready(client)
        with postgres_engine.begin() as connection:
            connection.execute(text("LOCK TABLE inbox_events IN ACCESS EXCLUSIVE MODE"))
            started = time.monotonic()
            hanging = [read(client)["database_up"] for _ in range(2)]
            seconds = time.monotonic() - started
        time.sleep(0.2)
        after = read(client)["database_up"]

    assert (hanging, after) == ([0, 0], 1)
    assert seconds < 2 * metrics.READ_SECONDS + 4


def test_a_writer_does_not_keep_it_waiting(engine: Engine, receiver: httpx.Client) -> None:
    """Readiness and figures are read beside a long transaction, as is right for SQLite's WAL."""
    receiver.post(ULTRACART, json=orders(1))
    with write_lock(engine):
        started = time.monotonic()
        told, ready = read(receiver), receiver.get("/ready")
        seconds = time.monotonic() - started

    assert (told["inbox_events{waiting}"], ready.status_code, seconds < 2) == (1, 200, True)


def test_it_stays_cheap_with_many_closed_events(any_engine: Engine, any_receiver: httpx.Client) -> None:
    """Neither their number nor the waiting one behind them makes the database read them all."""
    fill(any_engine, MANY)
    any_receiver.post(ULTRACART, json=orders(1))
    read(any_receiver)
    started = time.monotonic()

    told = read(any_receiver)

    assert (told["inbox_events{waiting}"], told["dead_letters"]) == (1, 0)
    assert time.monotonic() - started < 0.5
    with any_engine.connect() as connection:
        plan = explain(connection)
    assert "ix_inbox_events_state_due_at" in plan
    assert "Seq Scan" not in plan


def fill(engine: Engine, count: int) -> None:
    """Insert closed events by the database itself."""
    now = datetime.now(UTC)
    row = {
        "source": "ultracart", "name": "x", "entity": "order", "digest": "0", "found_by": "webhook",
        "state": "done", "attempts": 1, "deliveries": 1, "replays": 0, "due_at": now, "received_at": now,
        "last_received_at": now,
    }  # fmt: skip
    names = [name for name in row if name != "digest"]
    digits = (
        f"SELECT generate_series(1, {count}) AS n"
        if engine.dialect.name == "postgresql"
        else f"WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c LIMIT {count}) SELECT n FROM c"
    )
    listed = ", ".join(names)
    with engine.begin() as connection:
        connection.execute(insert(tables.inbox_events).values(row))
        connection.execute(
            text(
                f"INSERT INTO inbox_events ({listed}, digest) SELECT {listed}, CAST(d.n AS TEXT) "
                f"FROM inbox_events, ({digits}) AS d"
            )
        )
    if engine.dialect.name == "postgresql":
        with engine.begin() as connection:
            connection.execute(text("ANALYZE inbox_events"))


def explain(connection) -> str:
    """Give the database's plan of the query that counts the waiting events."""
    query = str(metrics.count_of("waiting").compile(connection, compile_kwargs={"literal_binds": True}))
    words = "EXPLAIN" if connection.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN"
    return "\n".join(str(row) for row in connection.execute(text(f"{words} {query}")))
