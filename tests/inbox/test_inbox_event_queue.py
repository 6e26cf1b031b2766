"""The inbox as a queue: each transition, on SQLite and on Postgres."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, delete

from tasks.database import tables
from tasks.inbox import event_queue
from tasks.inbox.event_queue import Claim, StoreCounts
from tasks.inbox.events import Event, NewEvent, make_event, make_unreadable
from tests.builders import NOON
from tests.inbox.inbox_rows import read_bodies, read_events

LEASE = 60
LATER = NOON + timedelta(seconds=LEASE / 2)
REASON = "It has a reason."


def new_events(*numbers: int) -> list[NewEvent]:
    """Events of one order each."""
    return [
        make_event("ultracart", "order_ship", "order", f"DEMO-{number}", b'{"n": %d}' % number)
        for number in numbers
    ]


def store(engine: Engine, *events: NewEvent, now: datetime = NOON) -> StoreCounts:
    """Put events into the inbox."""
    with engine.begin() as connection:
        return event_queue.store_events(connection, events, now=now)


def claim(engine: Engine, *, limit: int = 10, now: datetime = NOON) -> Claim:
    """Claim due events."""
    with engine.begin() as connection:
        return event_queue.claim_events(connection, limit=limit, lease_seconds=LEASE, now=now)


def close(engine: Engine, closing: str, claimed: Claim, *ids: int) -> set[int]:
    """Close events by the transition of a name, and give those that were moved."""
    with engine.begin() as connection:
        match closing:
            case "finish":
                return event_queue.finish(connection, claimed.token, ids, now=LATER)
            case "skip":
                return event_queue.skip(connection, claimed.token, ids, REASON, now=LATER)
            case _:
                return event_queue.bury(connection, claimed.token, ids, REASON, now=LATER)


def entity_ids(claimed: Claim) -> list[str | None]:
    """Which orders a claim is of."""
    return [event.entity_id for event in claimed.events]


def test_an_event_is_stored_waiting_and_due(any_engine: Engine) -> None:
    """The complete row, and the object apart from it."""
    counts = store(any_engine, *new_events(1))

    assert counts == StoreCounts(stored=1, duplicates=0)
    assert read_events(
        any_engine, "id", "source", "name", "entity", "entity_id", "digest", "found_by", "state", "reason",
        "attempts", "deliveries", "due_at", "lease_owner", "lease_token", "lease_until", "received_at",
        "last_received_at", "closed_at",
    ) == [
        (1, "ultracart", "order_ship", "order", "DEMO-1", new_events(1)[0].digest, "webhook", "waiting", None,
         0, 1, NOON, None, None, None, NOON, NOON, None)
    ]  # fmt: skip
    assert read_bodies(any_engine) == ['{"n": 1}']


def test_an_event_that_is_known_is_counted(any_engine: Engine) -> None:
    """Its first receipt stays, and its last moves."""
    store(any_engine, *new_events(1))

    counts = store(any_engine, *new_events(1, 2), now=LATER)

    assert counts == StoreCounts(stored=1, duplicates=1)
    assert read_events(any_engine, "entity_id", "deliveries", "received_at", "last_received_at") == [
        ("DEMO-1", 2, NOON, LATER),
        ("DEMO-2", 1, LATER, LATER),
    ]
    assert read_bodies(any_engine) == ['{"n": 1}', '{"n": 2}']


def test_a_long_name_or_a_null_character_is_stored(any_engine: Engine) -> None:
    """What a column cannot hold is cut or written out; the object tells the rest."""
    event = make_event("ultracart", "n" * 200 + "\x00", "order", "\x00" + "i" * 200, b"{}")
    unreadable = make_unreadable("ultracart", b"\x00\xff", "Nobody can read it.")

    store(any_engine, event, unreadable)

    assert read_events(any_engine, "name", "entity_id") == [
        ("n" * 80, "\\x00" + "i" * 116),
        ("unreadable", None),
    ]
    assert read_bodies(any_engine) == ["{}", "\\x00\\xff"]


def test_a_dead_letter_is_closed_from_the_beginning(any_engine: Engine) -> None:
    """No worker is given what nobody can read."""
    store(any_engine, make_unreadable("ultracart", b"hello", REASON))

    assert read_events(any_engine, "state", "reason", "closed_at") == [("dead", REASON, NOON)]
    assert claim(any_engine).events == ()


def test_a_claim_takes_the_oldest_due_events(any_engine: Engine) -> None:
    """At most the limit, in the order they were received, each with its attempt counted and its lease."""
    store(any_engine, *new_events(*range(1, 6)))

    first, second = claim(any_engine, limit=3), claim(any_engine, limit=3)

    assert first.events == tuple(
        Event(id=number, source="ultracart", name="order_ship", entity="order", entity_id=f"DEMO-{number}",
              attempts=1, replays=0, body=f'{{"n": {number}}}')
        for number in (1, 2, 3)
    )  # fmt: skip
    assert entity_ids(second) == ["DEMO-4", "DEMO-5"]
    until = NOON + timedelta(seconds=LEASE)
    assert (first.until, second.until) == (until, until)
    assert read_events(any_engine, "state", "attempts", "lease_token", "lease_until") == [
        *([("leased", 1, first.token, until)] * 3),
        *([("leased", 1, second.token, until)] * 2),
    ]
    assert None not in read_events(any_engine, "lease_owner")


def test_an_event_that_is_not_due_is_not_claimed(any_engine: Engine) -> None:
    """It is from its moment on."""
    store(any_engine, *new_events(1), now=LATER)
    moment_before = LATER - timedelta(microseconds=1)

    assert claim(any_engine, now=moment_before).events == ()
    assert entity_ids(claim(any_engine, now=LATER)) == ["DEMO-1"]
    assert claim(any_engine, now=LATER).events == ()


@pytest.mark.parametrize(
    ("closing", "state", "reason"),
    [("finish", "done", None), ("skip", "skipped", REASON), ("bury", "dead", REASON)],
)
def test_closing_moves_the_events_named(
    any_engine: Engine, closing: str, state: str, reason: str | None
) -> None:
    """They keep their attempt, lose their lease, and never come back; others stay leased."""
    store(any_engine, *new_events(1, 2))
    claimed = claim(any_engine)

    assert close(any_engine, closing, claimed, 1, 99) == {1}

    assert read_events(
        any_engine, "state", "reason", "attempts", "closed_at", "lease_token", "lease_until"
    ) == [
        (state, reason, 1, LATER, None, None),
        ("leased", None, 1, None, claimed.token, NOON + timedelta(seconds=LEASE)),
    ]
    tomorrow = NOON + timedelta(days=1)
    with any_engine.begin() as connection:
        event_queue.recover_expired(connection, max_attempts=3, now=tomorrow)
    assert entity_ids(claim(any_engine, now=tomorrow)) == ["DEMO-2"]


def test_a_retry_waits_until_it_is_due(any_engine: Engine) -> None:
    """The reason is kept, and so is the attempt."""
    store(any_engine, *new_events(1))
    claimed = claim(any_engine)

    with any_engine.begin() as connection:
        moved = event_queue.retry_later(connection, claimed.token, [1, 99], REASON, due_at=LATER)

    assert moved == {1}
    assert read_events(any_engine, "state", "reason", "attempts", "due_at", "lease_token", "closed_at") == [
        ("waiting", REASON, 1, LATER, None, None)
    ]
    assert claim(any_engine, now=LATER - timedelta(seconds=1)).events == ()
    assert [event.attempts for event in claim(any_engine, now=LATER).events] == [2]


def test_giving_back_takes_the_attempt_back(any_engine: Engine) -> None:
    """Of what the claim still holds, and until it is due; what it closed stays closed."""
    store(any_engine, *new_events(1, 2))
    claimed = claim(any_engine)
    close(any_engine, "finish", claimed, 1)

    with any_engine.begin() as connection:
        moved = event_queue.give_back(connection, claimed.token, [1, 2], REASON, due_at=LATER)

    assert moved == {2}
    assert read_events(any_engine, "state", "reason", "attempts", "due_at", "lease_token", "lease_until") == [
        ("done", None, 1, NOON, None, None),
        ("waiting", REASON, 0, LATER, None, None),
    ]
    assert claim(any_engine).events == ()
    assert [event.attempts for event in claim(any_engine, now=LATER).events] == [1]


def test_an_event_without_its_payload_is_not_replayed(any_engine: Engine) -> None:
    """There is nothing left to work on: it stays closed, and is not counted."""
    store(any_engine, *new_events(1, 2))
    close(any_engine, "bury", claim(any_engine), 1, 2)
    with any_engine.begin() as connection:
        connection.execute(delete(tables.inbox_payloads).where(tables.inbox_payloads.c.event_id == 1))

    with any_engine.begin() as connection:
        replayed = event_queue.replay(connection, [1, 2], now=LATER)

    assert replayed == 1
    assert read_events(any_engine, "state", "replays") == [("dead", 0), ("waiting", 1)]


def test_only_closed_events_are_replayed(any_engine: Engine) -> None:
    """With all their tries before them; what waits or is worked on is left alone."""
    store(any_engine, *new_events(*range(1, 6)))
    claimed = claim(any_engine, limit=4)
    for id, closing in enumerate(("finish", "skip", "bury"), start=1):
        close(any_engine, closing, claimed, id)
    before = read_events(any_engine, "state", "attempts", "lease_token")[3:]

    with any_engine.begin() as connection:
        replayed = event_queue.replay(connection, [1, 2, 3, 4, 5, 99], now=LATER)

    assert replayed == 3
    assert (
        read_events(any_engine, "state", "reason", "replays", "attempts", "due_at", "closed_at")[:3]
        == [("waiting", "Put back by a person.", 1, 0, LATER, None)] * 3
    )
    assert read_events(any_engine, "state", "attempts", "lease_token")[3:] == before
    again = claim(any_engine, now=LATER)
    assert entity_ids(again) == ["DEMO-1", "DEMO-2", "DEMO-3", "DEMO-5"]
    assert [event.replays for event in again.events] == [1, 1, 1, 0]
