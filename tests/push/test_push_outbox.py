"""The outbox: which transition moves which state, on SQLite and Postgres; no other one is possible."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, select

from tasks.database import tables
from tasks.push import outbox
from tasks.push.outbox import Push, PushState
from tests.push.phone_orders import at

EARLIER, LATER, DUE = at(1), at(2), at(3)
TOTAL = {"total_cents": 1982, "currency": "USD"}


def of(thiio_order_id: str) -> Push:
    """A push as a caller holds it: only the id counts, the state is judged in the database."""
    return Push(
        thiio_order_id=thiio_order_id,
        partner_order_id=f"THIIO-{thiio_order_id}",
        state=PushState.PLANNED,
        body="",
        lookups=0,
        ultracart_order_id=None,
    )


def plan(connection: Connection, id: str, retry_rejected: bool = False) -> Any:
    """Plan with another prefix and total than before."""
    return outbox.plan(
        connection, id, f"NEW-{id}", "{}", now=LATER, retry_rejected=retry_rejected,
        total_cents=2000, currency="USD", fingerprint="{new}",
    )  # fmt: skip


def hold(connection: Connection, id: str, retry_rejected: bool = False) -> Any:
    """Hold, likewise."""
    return outbox.hold(
        connection, id, f"NEW-{id}", reason="No item.", remedy="Add it.", now=LATER,
        retry_rejected=retry_rejected, total_cents=2000, currency="USD",
    )  # fmt: skip


TRANSITIONS: dict[str, Callable[[Connection, str], Any]] = {
    "plan": plan,
    "plan, retry rejected": lambda connection, id: plan(connection, id, True),
    "hold": hold,
    "hold, retry rejected": lambda connection, id: hold(connection, id, True),
    "withdraw": lambda connection, id: outbox.withdraw(connection, id, "Cancelled.", "Nothing.", now=LATER),
    "start_sending": lambda connection, id: outbox.start_sending(connection, of(id), now=LATER),
    "doubt": lambda connection, id: outbox.doubt(connection, of(id), "No answer.", now=LATER),
    "count_lookup": lambda connection, id: outbox.count_lookup(connection, of(id), DUE, now=LATER),
    "plan_again": lambda connection, id: outbox.plan_again(connection, of(id), "Not there.", now=LATER),
    "confirm": lambda connection, id: outbox.confirm(connection, of(id), "DEMO-1", now=LATER),
    "note_change": lambda connection, id: outbox.note_change(connection, of(id), "Other.", "See.", now=LATER),
    "reject": lambda connection, id: outbox.reject(connection, of(id), "No.", "Mend it.", now=LATER),
}

# What each transition makes of each state; an empty field: it does not move.
TABLE = """
transition           | none    | planned | sending   | in_doubt  | confirmed | held    | rejected
plan                 | planned | planned |           |           |           | planned |
plan, retry rejected | planned | planned |           |           |           | planned | planned
hold                 | held    | held    |           |           |           | held    |
hold, retry rejected | held    | held    |           |           |           | held    | held
withdraw             |         | held    |           |           |           | held    |
start_sending        |         | sending |           |           |           |         |
doubt                |         |         | in_doubt  | in_doubt  |           |         |
count_lookup         |         |         | in_doubt  | in_doubt  |           |         |
plan_again           |         |         | planned   | planned   |           |         |
confirm              |         |         | confirmed | confirmed |           |         |
note_change          |         |         |           |           | confirmed |         |
reject               |         |         | rejected  | rejected  |           |         |
"""
STATES, *ROWS = [[field.strip() for field in line.split("|")] for line in TABLE.strip().splitlines()]

NEW_INTENT = {"partner_order_id": "NEW-{id}", "total_cents": 2000, "currency": "USD"}
WRITES: dict[str, dict[str, Any]] = {
    "plan": {**NEW_INTENT, "body": "{}", "fingerprint": "{new}", "reason": None, "remedy": None},
    "hold": {**NEW_INTENT, "body": None, "fingerprint": None, "reason": "No item.", "remedy": "Add it."},
    "withdraw": {"body": None, "fingerprint": None, "reason": "Cancelled.", "remedy": "Nothing."},
    "start_sending": {"attempts": 1, "lookups": 0, "next_lookup_at": None, "sent_at": LATER},
    "doubt": {
        "reason": "No answer.",
        "remedy": "Nothing: it is looked up at UltraCart until it is clear, and is not sent before.",
    },
    "count_lookup": {"lookups": {"sending": 1, "in_doubt": 2}, "next_lookup_at": DUE},
    "plan_again": {"reason": "Not there.", "remedy": None, "sent_at": None, "next_lookup_at": None},
    "confirm": {
        "ultracart_order_id": "DEMO-1",
        "reason": None,
        "remedy": None,
        "closed_at": LATER,
        "next_lookup_at": None,
    },
    "note_change": {"reason": "Other.", "remedy": "See."},
    "reject": {"reason": "No.", "remedy": "Mend it.", "next_lookup_at": None},
}
"""What a transition writes besides the state and the date of the change."""


def bring_to(connection: Connection, state: str) -> None:
    """Make a push whose Thiio id is the name of the state that it is in, by transitions alone."""
    if state == "none":
        return
    known = {"partner_order_id": f"THIIO-{state}", "now": EARLIER, **TOTAL}
    if state == "held":
        outbox.hold(connection, state, reason="No gateway.", remedy="Paste it.", **known)
        return
    outbox.plan(connection, state, body='{"email":"a"}', fingerprint="{old}", **known)
    if state != "planned":
        outbox.start_sending(connection, of(state), now=EARLIER)
    if state in ("in_doubt", "confirmed"):
        outbox.doubt(connection, of(state), "Broken connection.", now=EARLIER)
        outbox.count_lookup(connection, of(state), EARLIER, now=EARLIER)
    if state == "confirmed":
        outbox.confirm(connection, of(state), "DEMO-0", now=EARLIER)
    if state == "rejected":
        outbox.reject(connection, of(state), "Too late.", "Ask.", now=EARLIER)


def read_pushes(connection: Connection) -> dict[str, dict[str, Any]]:
    """The whole outbox, by Thiio's id."""
    rows = connection.execute(select(tables.pushes)).mappings()
    return {row["thiio_order_id"]: dict(row) for row in rows}


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_a_transition_moves_these_states_and_no_others(any_engine: Engine, row: list[str]) -> None:
    """What does not move keeps every column; what moves gets what the transition writes, and no more."""
    name, *after = row
    states = STATES[1:]
    with any_engine.begin() as connection:
        for state in states:
            bring_to(connection, state)
        before = read_pushes(connection)
        assert {id: push["state"] for id, push in before.items()} == {id: id for id in states if id != "none"}
        answers = [TRANSITIONS[name](connection, state) for state in states]
        found = read_pushes(connection)

    moved = {state: moved_to for state, moved_to in zip(states, after, strict=True) if moved_to}
    fresh = {
        "thiio_order_id": "none", "body": None, "attempts": 0, "lookups": 0, "ultracart_order_id": None,
        "planned_at": LATER, "sent_at": None, "closed_at": None, "next_lookup_at": None,
        "released_at": None, "fingerprint": None,
    }  # fmt: skip
    expected = dict(before)
    for state, moved_to in moved.items():
        written = {
            column: value.format(id=state)
            if column == "partner_order_id"
            else value[state]
            if isinstance(value, dict)
            else value
            for column, value in WRITES[name.partition(",")[0]].items()
        }
        stamps = {"state": moved_to, "changed_at": LATER}
        expected[state] = {**before.get(state, fresh), **written, **stamps}
    assert found == expected
    if name.partition(",")[0] in ("plan", "hold"):
        assert answers == [found[state]["state"] for state in states]
    elif name not in ("withdraw", "count_lookup"):
        assert answers == [state in moved for state in states]


def test_the_states_are_these() -> None:
    """A new state must be put into the table above."""
    assert set(STATES[2:]) == {str(state) for state in PushState}


def test_pushes_are_found_oldest_intent_first(any_engine: Engine) -> None:
    """By state, all or those of some orders, with what the sending needs of them."""
    with any_engine.begin() as connection:
        for id, day in (("9", 3), ("10", 1), ("11", 2), ("12", 2)):
            outbox.plan(connection, id, f"THIIO-{id}", f'{{"n":{id}}}', now=at(day), **TOTAL)
        outbox.start_sending(connection, of("11"), now=LATER)
        planned = outbox.find_pushes(connection, (PushState.PLANNED,))
        chosen = outbox.find_pushes(connection, (PushState.PLANNED,), order_ids=["9", "11", "77"])
        unclear = outbox.find_pushes(connection, outbox.UNCLEAR)
        none = outbox.find_pushes(connection, (PushState.PLANNED,), order_ids=[])

    assert [push.thiio_order_id for push in planned] == ["10", "12", "9"]
    assert chosen == [
        Push(
            thiio_order_id="9",
            partner_order_id="THIIO-9",
            state=PushState.PLANNED,
            body='{"n":9}',
            lookups=0,
            ultracart_order_id=None,
            **TOTAL,
        )
    ]
    assert [(push.thiio_order_id, push.state) for push in unclear] == [("11", PushState.SENDING)]
    assert none == []


def test_attempts_are_counted_and_look_ups_start_anew(any_engine: Engine) -> None:
    """Look-ups belong to the last sending."""
    with any_engine.begin() as connection:
        bring_to(connection, "in_doubt")
        for _ in range(2):
            outbox.count_lookup(connection, of("in_doubt"), DUE, now=EARLIER)
        looked_up = read_pushes(connection)["in_doubt"]
        outbox.plan_again(connection, of("in_doubt"), "Not there.", now=EARLIER)
        outbox.start_sending(connection, of("in_doubt"), now=LATER)
        again = read_pushes(connection)["in_doubt"]

    assert [(push["attempts"], push["lookups"]) for push in (looked_up, again)] == [(1, 3), (2, 0)]


def test_two_runs_do_not_take_the_same_push(any_engine: Engine) -> None:
    """The second one is told that it is not planned any more, even if it read it as planned."""
    with any_engine.begin() as connection:
        bring_to(connection, "planned")
        [push] = outbox.find_pushes(connection, (PushState.PLANNED,))
    taken = []
    for _ in range(2):
        with any_engine.begin() as connection:
            taken.append(outbox.start_sending(connection, push, now=LATER))

    assert taken == [True, False]
