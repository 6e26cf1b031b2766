"""Workers that are slow, dead, or many: no event is lost, none is in two hands; on SQLite and on Postgres."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine

from tasks.inbox import event_queue
from tasks.inbox.event_queue import Claim
from tasks.inbox.events import make_event
from tests.builders import NOON
from tests.inbox.inbox_rows import read_events

LEASE = 60
END = NOON + timedelta(seconds=LEASE)
AFTER = END + timedelta(microseconds=1)
REASON = "It has a reason."


@pytest.fixture
def filled(any_engine: Engine) -> Engine:
    """An inbox with forty waiting events."""
    events = [make_event("ultracart", "order_ship", "order", str(n), b'{"n": %d}' % n) for n in range(1, 41)]
    with any_engine.begin() as connection:
        event_queue.store_events(connection, events, now=NOON)
    return any_engine


def claim(engine: Engine, *, limit: int = 40, now: datetime = NOON) -> Claim:
    """Claim due events."""
    with engine.begin() as connection:
        return event_queue.claim_events(connection, limit=limit, lease_seconds=LEASE, now=now)


def all_rows(engine: Engine) -> list[object]:
    """All that a transition may change."""
    return read_events(
        engine, "state", "reason", "attempts", "due_at", "lease_token", "lease_until", "closed_at"
    )


def test_claims_at_once_never_share_an_event(filled: Engine) -> None:
    """Eight workers take three at a time until nothing is left: each event is taken once."""

    def take_all(_: int) -> list[int]:
        taken: list[int] = []
        while claimed := claim(filled, limit=3).events:
            taken += [event.id for event in claimed]
        return taken

    with ThreadPoolExecutor(8) as workers:
        taken = [id for ids in workers.map(take_all, range(8)) for id in ids]

    assert sorted(taken) == list(range(1, 41))
    assert read_events(filled, "attempts") == [1] * 40


def test_a_claim_that_is_not_committed_holds_nobody_up(postgres_engine: Engine) -> None:
    """On Postgres a second worker passes over what the first one is about to take."""
    events = [make_event("ultracart", "order_ship", "order", str(n), b'{"n": %d}' % n) for n in range(1, 5)]
    with postgres_engine.begin() as connection:
        event_queue.store_events(connection, events, now=NOON)

    with postgres_engine.connect() as slow:
        first = event_queue.claim_events(slow, limit=2, lease_seconds=LEASE, now=NOON)
        second = claim(postgres_engine)
        slow.rollback()

    assert [[event.id for event in each.events] for each in (first, second)] == [[1, 2], [3, 4]]
    assert [event.id for event in claim(postgres_engine).events] == [1, 2]


def test_a_lease_that_ran_out_comes_back(filled: Engine) -> None:
    """Not before its end; then another worker gets the events, and their attempts are counted."""
    first = claim(filled, limit=2)

    assert claim(filled, now=END, limit=40).events[0].id == 3
    second = claim(filled, now=AFTER, limit=2)

    assert [(event.id, event.attempts) for event in second.events] == [(1, 2), (2, 2)]
    assert second.token != first.token


def test_a_worker_that_was_too_slow_changes_nothing(filled: Engine) -> None:
    """Its token is no longer on the row: whatever it says is not heard, and the new worker goes on."""
    slow = claim(filled, limit=1)
    quick = claim(filled, now=AFTER, limit=1)
    before = all_rows(filled)

    with filled.begin() as connection:
        event_queue.finish(connection, slow.token, [1], now=AFTER)
        event_queue.skip(connection, slow.token, [1], REASON, now=AFTER)
        event_queue.bury(connection, slow.token, [1], REASON, now=AFTER)
        event_queue.retry_later(connection, slow.token, [1], REASON, due_at=AFTER)
        event_queue.give_back(connection, slow.token, reason=REASON)

    assert all_rows(filled) == before
    with filled.begin() as connection:
        event_queue.finish(connection, quick.token, [1], now=AFTER)
    assert read_events(filled, "state")[:2] == ["done", "waiting"]


def test_a_token_moves_only_its_own_events(filled: Engine) -> None:
    """Ids of others in the list are passed over."""
    mine, others = claim(filled, limit=1), claim(filled, limit=1)
    before = all_rows(filled)[1:]

    with filled.begin() as connection:
        event_queue.finish(connection, mine.token, [1, 2, 3], now=NOON)

    assert [event.id for event in others.events] == [2]
    assert (read_events(filled, "state")[0], all_rows(filled)[1:]) == ("done", before)


def test_an_event_that_kills_its_workers_is_buried(filled: Engine) -> None:
    """After its last lease ran out, not before; the others come back as ever."""
    now = NOON
    for _ in range(2):
        claim(filled, limit=1, now=now)
        now += timedelta(seconds=LEASE + 1)
    claim(filled, limit=2, now=now)  # the third time of event 1, the first of event 2
    before, ended = all_rows(filled), now + timedelta(seconds=LEASE + 1)

    def bury(at: datetime) -> int:
        with filled.begin() as connection:
            return event_queue.bury_exhausted(connection, max_attempts=3, now=at)

    assert (bury(now), all_rows(filled)) == (0, before)
    assert (bury(ended), bury(ended)) == (1, 0)
    assert all_rows(filled)[0] == (
        "dead",
        "Its worker ended without a word, for the last of 3 times.",
        3,
        NOON,
        None,
        None,
        ended,
    )
    assert all_rows(filled)[1:] == before[1:]
    assert [(event.id, event.attempts) for event in claim(filled, limit=2, now=ended).events] == [
        (2, 2),
        (3, 1),
    ]
