"""Workers that are slow, dead, or many: no event is lost, none is in two hands; on SQLite and on Postgres."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine

from tasks.database.lease import worker_name
from tasks.inbox import event_queue
from tasks.inbox.due import FROZEN_SECONDS
from tasks.inbox.event_queue import Abandoned, Claim
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


def recover(engine: Engine, now: datetime) -> list[Abandoned]:
    """Take back the events of silent workers; three tries are the last."""
    with engine.begin() as connection:
        return event_queue.recover_expired(connection, max_attempts=3, now=now)


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


def test_a_worker_that_stops_in_a_claim_holds_the_others_up_for_seconds_only(postgres_engine: Engine) -> None:
    """On Postgres its transaction is ended; the others get what it was about to take."""
    events = [make_event("ultracart", "order_ship", "order", str(n), b'{"n": %d}' % n) for n in range(1, 5)]
    with postgres_engine.begin() as connection:
        event_queue.store_events(connection, events, now=NOON)

    with postgres_engine.connect() as frozen:
        event_queue.claim_events(frozen, limit=2, lease_seconds=LEASE, now=NOON)
        started = time.monotonic()
        second = claim(postgres_engine)
        waited = time.monotonic() - started
        frozen.invalidate()

    assert [event.id for event in second.events] == [1, 2, 3, 4]
    assert waited < FROZEN_SECONDS + 5


def test_a_lease_that_ran_out_comes_back(filled: Engine) -> None:
    """Not before its end; then another worker gets the events, and their attempts are counted."""
    first = claim(filled, limit=2)

    assert (recover(filled, END), claim(filled, now=END, limit=40).events[0].id) == ([], 3)
    assert [each.event.id for each in recover(filled, AFTER)] == [1, 2]
    second = claim(filled, now=AFTER, limit=2)

    assert [(event.id, event.attempts) for event in second.events] == [(1, 2), (2, 2)]
    assert second.token != first.token


def test_a_worker_that_was_too_slow_changes_nothing(filled: Engine) -> None:
    """Its token is no longer on the row: whatever it says is not heard, and the new worker goes on."""
    slow = claim(filled, limit=1)
    recover(filled, AFTER)
    quick = claim(filled, now=AFTER, limit=1)
    before = all_rows(filled)

    with filled.begin() as connection:
        moved = [
            event_queue.finish(connection, slow.token, [1], now=AFTER),
            event_queue.skip(connection, slow.token, [1], REASON, now=AFTER),
            event_queue.bury(connection, slow.token, [1], REASON, now=AFTER),
            event_queue.retry_later(connection, slow.token, [1], REASON, due_at=AFTER),
            event_queue.give_back(connection, slow.token, [1], REASON, due_at=AFTER),
            event_queue.renew_lease(connection, slow.token, until=AFTER),
        ]

    assert (moved, all_rows(filled)) == ([set()] * 6, before)
    with filled.begin() as connection:
        assert event_queue.finish(connection, quick.token, [1], now=AFTER) == {1}
    assert read_events(filled, "state")[:2] == ["done", "waiting"]


def test_what_is_new_of_a_record_waits_for_the_worker_that_has_it(filled: Engine) -> None:
    """Others are taken past it, and it comes as soon as its record is free."""
    first = claim(filled, limit=2)
    news = [make_event("ultracart", "order_refund", "order", "1", b"{}"),
            make_event("ultracart", "customer_update", "customer", "2", b"{}")]  # fmt: skip
    with filled.begin() as connection:
        event_queue.store_events(connection, news, now=NOON)
    second = claim(filled)

    assert [event.id for event in second.events] == [*range(3, 41), 42]
    with filled.begin() as connection:
        event_queue.finish(connection, first.token, [1], now=NOON)
    assert [event.id for event in claim(filled).events] == [41]


def test_claims_at_once_do_not_share_out_a_record(postgres_engine: Engine) -> None:
    """On Postgres a second worker waits for the first one's choice, and leaves what belongs with it."""
    records = [("order", "1"), ("order", "1"), ("order", "2"), ("customer", "1"), ("other", None)]
    events = [make_event("ultracart", "event", *record, b'{"n": %d}' % n) for n, record in enumerate(records)]
    with postgres_engine.begin() as connection:
        event_queue.store_events(connection, events, now=NOON)

    with ThreadPoolExecutor(1) as other, postgres_engine.connect() as slow:
        first = event_queue.claim_events(slow, limit=1, lease_seconds=LEASE, now=NOON)
        choosing = other.submit(claim, postgres_engine)
        time.sleep(0.3)
        is_waiting = not choosing.done()
        slow.commit()
        second = choosing.result(FROZEN_SECONDS)

    assert is_waiting
    assert [[event.id for event in each.events] for each in (first, second)] == [[1], [3, 4, 5]]
    with postgres_engine.begin() as connection:
        event_queue.finish(connection, first.token, [1], now=NOON)
    assert [event.id for event in claim(postgres_engine).events] == [2]


def test_a_token_moves_only_its_own_events(filled: Engine) -> None:
    """Ids of others in the list are passed over."""
    mine, others = claim(filled, limit=1), claim(filled, limit=1)
    before = all_rows(filled)[1:]

    with filled.begin() as connection:
        assert event_queue.finish(connection, mine.token, [1, 2, 3], now=NOON) == {1}

    assert [event.id for event in others.events] == [2]
    assert (read_events(filled, "state")[0], all_rows(filled)[1:]) == ("done", before)


def test_an_event_that_kills_its_workers_is_buried(filled: Engine) -> None:
    """After its last lease ran out, not before; the others come back as ever."""
    now = NOON
    for _ in range(2):
        claim(filled, limit=1, now=now)
        now += timedelta(seconds=LEASE + 1)
        recover(filled, now)
    claim(filled, limit=2, now=now)  # the third time of event 1, the first of event 2
    before, ended = all_rows(filled), now + timedelta(seconds=LEASE + 1)

    assert (recover(filled, now), all_rows(filled)) == ([], before)
    found = recover(filled, ended)

    assert [(each.event.id, each.event.attempts, each.is_dead) for each in found] == [
        (1, 3, True),
        (2, 1, False),
    ]
    assert {each.worker for each in found} == {worker_name()}
    assert recover(filled, ended) == []
    silent = "Its worker ended without a word."
    assert all_rows(filled)[:2] == [
        ("dead", silent, 3, NOON, None, None, ended),
        ("waiting", silent, 1, NOON, None, None, None),
    ]
    assert all_rows(filled)[2:] == before[2:]
    assert [(event.id, event.attempts) for event in claim(filled, limit=2, now=ended).events] == [
        (2, 2),
        (3, 1),
    ]


def test_workers_that_recover_at_once_tell_of_each_event_once(filled: Engine) -> None:
    """Each silent worker is told of by one of them, and its event waits again once."""
    claim(filled)

    with ThreadPoolExecutor(8) as workers:
        found = workers.map(lambda _: recover(filled, AFTER), range(8))
        ids = [each.event.id for some in found for each in some]

    assert sorted(ids) == list(range(1, 41))
    assert read_events(filled, "state", "attempts") == [("waiting", 1)] * 40


def test_a_renewed_lease_holds_on_to_what_is_still_held(filled: Engine) -> None:
    """Not to what was closed, nor to what another worker has: of both it gives no id."""
    slow = claim(filled, limit=3)
    with filled.begin() as connection:
        event_queue.finish(connection, slow.token, [1], now=NOON)
        renewed = event_queue.renew_lease(connection, slow.token, until=END + timedelta(seconds=LEASE))

    assert renewed == {2, 3}
    assert recover(filled, AFTER) == []
    assert len(recover(filled, AFTER + timedelta(seconds=LEASE))) == 2
    claim(filled, limit=2, now=AFTER + timedelta(seconds=LEASE))
    with filled.begin() as connection:
        assert event_queue.renew_lease(connection, slow.token, until=END) == set()
    assert read_events(filled, "state", "attempts")[:4] == [
        ("done", 1),
        ("leased", 2),
        ("leased", 2),
        ("waiting", 0),
    ]
