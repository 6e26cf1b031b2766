"""Closed events are found for a replay, and old ones are deleted; what is open or dead stays."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, insert, update

from tasks.database import tables
from tasks.inbox import event_queue, prune
from tasks.inbox.events import make_event
from tasks.inbox.replay import Choice, find_events
from tests.builders import NOON
from tests.inbox.inbox_rows import read_bodies, read_events, read_notifications

STATES = ("done", "skipped", "dead", "waiting", "leased")


def hour(number: int) -> datetime:
    """When event `number` was received and closed."""
    return NOON + timedelta(hours=number)


@pytest.fixture
def filled(any_engine: Engine) -> Engine:
    """Ten events, one an hour from NOON + 1 h on: of five orders two each, and of each state two."""
    table = tables.inbox_events
    with any_engine.begin() as connection:
        for number in range(1, 11):
            name = "order_create" if number <= 5 else "order_ship"
            id, state = f"DEMO-{(number - 1) % 5}", STATES[(number - 1) % 5]
            event = make_event("ultracart", name, "order", id, b'{"n": %d}' % number)
            event_queue.store_events(connection, [event], now=hour(number))
            closed_at = hour(number) if state in ("done", "skipped", "dead") else None
            connection.execute(
                update(table).where(table.c.id == number).values(state=state, closed_at=closed_at)
            )
    return any_engine


CHOICES = [
    (Choice(), [3, 8]),
    (Choice(state="done"), [1, 6]),
    (Choice(state="waiting"), []),
    (Choice(state=None), [1, 2, 3, 6, 7, 8]),
    (Choice(state=None, limit=2), [1, 2]),
    (Choice(state=None, ids=[1, 4, 5, 8, 99]), [1, 8]),
    (Choice(state=None, entity_id="DEMO-1"), [2, 7]),
    (Choice(state=None, name="order_ship"), [6, 7, 8]),
    (Choice(state=None, start=hour(2), end=hour(7)), [2, 3, 6]),
    (Choice(state="skipped", name="order_create", entity_id="DEMO-1", start=hour(1)), [2]),
    (Choice(state="skipped", name="order_create", entity_id="DEMO-2"), []),
]


def test_closed_events_are_found_by_all_conditions_given(filled: Engine) -> None:
    """Oldest first, at most the limit, the end of a time not included; an open event is never found."""
    with filled.connect() as connection:
        found = [(choice, find_events(connection, choice)) for choice, _ in CHOICES]

    assert found == CHOICES


def test_old_events_go_with_their_payloads(filled: Engine) -> None:
    """Closed before the cut and understood; a count beforehand says the same and deletes nothing."""
    note = {"direction": "in", "system": "ultracart", "operation": "order_create", "status": "successful"}
    with filled.begin() as connection:
        connection.execute(
            insert(tables.notifications), [note | {"created_at": hour(number)} for number in range(1, 11)]
        )
    before = read_events(filled, "id")

    with filled.begin() as connection:
        counted = prune.count_old(connection, hour(7))
    assert (read_events(filled, "id"), len(read_notifications(filled, "id"))) == (before, 10)
    with filled.begin() as connection:
        deleted = prune.delete_old(connection, hour(7))

    assert counted == deleted == {"events": 3, "notifications": 6}
    assert read_events(filled, "id", "state") == [
        (3, "dead"),
        (4, "waiting"),
        (5, "leased"),
        (7, "skipped"),
        (8, "dead"),
        (9, "waiting"),
        (10, "leased"),
    ]
    assert read_bodies(filled) == [f'{{"n": {number}}}' for number in (3, 4, 5, 7, 8, 9, 10)]
    assert read_notifications(filled, "created_at") == [hour(number) for number in (7, 8, 9, 10)]


def test_a_deleted_event_that_comes_again_is_new(filled: Engine) -> None:
    """Its digest is free again."""
    first = make_event("ultracart", "order_create", "order", "DEMO-0", b'{"n": 1}')
    with filled.begin() as connection:
        prune.delete_old(connection, hour(2))
        counts = event_queue.store_events(connection, [first], now=hour(11))

    assert (counts.stored, read_events(filled, "id", "state")[-1]) == (1, (11, "waiting"))


def test_the_cut_is_days_before_now() -> None:
    """Whole days of 24 hours."""
    assert prune.cut_for(datetime(2026, 11, 11, 12, tzinfo=UTC), 10) == datetime(2026, 11, 1, 12, tzinfo=UTC)
