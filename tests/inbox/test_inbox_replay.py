"""Closed events are found for a replay by all that a person may know of them."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, update

from tasks.database import tables
from tasks.inbox import event_queue, prune
from tasks.inbox.events import make_event
from tasks.inbox.prune import Cuts
from tasks.inbox.replay import Choice, ClosedEvent, find_events
from tests.builders import NOON

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
            is_closed = state in ("done", "skipped", "dead")
            values = {"state": state, "closed_at": hour(number) if is_closed else None}
            if state in ("skipped", "dead"):
                values["reason"] = f"Thiio cannot answer: 100 % of {number}."
            connection.execute(update(table).where(table.c.id == number).values(values))
    return any_engine


CHOICES = [
    (Choice(), [3, 8]),
    (Choice(state="done"), [1, 6]),
    (Choice(state="waiting"), []),
    (Choice(state=None), [1, 2, 3, 6, 7, 8]),
    (Choice(state=None, limit=2), [1, 2]),
    (Choice(state=None, ids=[1, 4, 5, 8, 99]), [1, 8]),
    (Choice(ids=[1, 3]), [3]),
    (Choice(state=None, entity_id="DEMO-1"), [2, 7]),
    (Choice(state=None, name="order_ship"), [6, 7, 8]),
    (Choice(state=None, start=hour(2), end=hour(7)), [2, 3, 6]),
    (Choice(state="skipped", name="order_create", entity_id="DEMO-1", start=hour(1)), [2]),
    (Choice(state="skipped", name="order_create", entity_id="DEMO-2"), []),
    (Choice(reason="CANNOT ANSWER"), [3, 8]),
    (Choice(reason="% of 8"), [8]),
    (Choice(reason="100%of"), []),
    (Choice(state="done", reason="answer"), []),
]


def test_closed_events_are_found_by_all_conditions_given(filled: Engine) -> None:
    """Oldest first, at most the limit, the end of a time not included; an open event is never found."""
    with filled.connect() as connection:
        found = [(choice, [event.id for event in find_events(connection, choice)]) for choice, _ in CHOICES]

    assert found == CHOICES


def test_a_found_event_says_what_a_person_must_know(filled: Engine) -> None:
    """The complete row."""
    with filled.connect() as connection:
        [found] = find_events(connection, Choice(ids=[8]))

    assert found == ClosedEvent(
        id=8,
        name="order_ship",
        entity_id="DEMO-2",
        state="dead",
        reason="Thiio cannot answer: 100 % of 8.",
        replays=0,
        received_at=hour(8),
    )


def test_an_event_whose_payload_was_pruned_is_not_found(filled: Engine) -> None:
    """There is nothing left of it to work on; a replay by its id leaves it closed."""
    prune.delete_old(filled, Cuts(payloads=hour(6), events=NOON, dead=None))

    with filled.begin() as connection:
        found = [event.id for event in find_events(connection, Choice(state=None))]
        replayed = event_queue.replay(connection, [1, 2, 3, 6], now=hour(11))

    assert (found, replayed) == ([3, 6, 7, 8], 2)
