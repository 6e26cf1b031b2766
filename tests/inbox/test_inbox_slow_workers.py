"""A worker that is slow, too slow, or killed between two deliveries: what it delivered, and what is told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
import time_machine
from sqlalchemy import update

from tasks.database import tables
from tasks.database.lease import worker_name
from tasks.inbox.event_queue import Claim
from tasks.inbox.outcomes import TAKEN_OVER, ApplyCounts
from tasks.records.models import Entity
from tests.inbox.fussy_thiio import another, failing, fuss
from tests.inbox.inbox_rows import read_events, read_notifications
from tests.inbox.workplace import Workplace

NORA = "nora@example.com"


class Killed(BaseException):
    """What a worker's process ends with; nobody catches it."""


def place(workplace: Workplace, count: int) -> list[str]:
    """Place orders whose events wait in the inbox."""
    ids = [workplace.ultracart.place_order(NORA) for _ in range(count)]
    workplace.receive(*workplace.happened())
    return ids


def at(id: str, act: Callable[[], None]) -> Callable[[str], None]:
    """What acts before one record is delivered."""

    def before(other: str) -> None:
        if other == id:
            act()

    return before


def test_a_worker_that_was_too_slow_closes_and_tells_nothing(any_workplace: Workplace) -> None:
    """It sees that its lease is over, delivers nothing more, and counts what it lost; another does it."""
    workplace = any_workplace
    ids = place(workplace, 4)
    taken: list[Claim] = []
    with (
        time_machine.travel(datetime.now(UTC)) as clock,
        another(workplace, "run-2") as other,
    ):

        def be_slow() -> None:
            clock.shift(61)
            taken.append(other.applier.take(10)[0])

        slow = fuss(workplace, at(ids[1], be_slow))
        lost = workplace.work()
        states = read_events(workplace.engine, "state", "attempts")
        told = read_notifications(workplace.engine, "event_id", "status", "reason", "run_id")
        counts = other.applier.apply(taken[0])

    assert slow.asked == ids[:2]
    assert lost == ApplyCounts(claimed=4, lost=4)
    assert states == [("leased", 2)] * 4
    silence = f"Its worker {worker_name()} ended without a word during try 1."
    assert told == [(number, "failed", silence, "run-2") for number in (1, 2, 3, 4)]
    assert counts == ApplyCounts(claimed=4, done=4)
    assert read_events(workplace.engine, "state", "attempts") == [("done", 2)] * 4
    assert read_notifications(workplace.engine, "event_id", "status", "reason", "run_id")[4:] == [
        (number, "successful", "Try 2", "run-2") for number in (1, 2, 3, 4)
    ]
    assert [workplace.in_thiio(id).other_side_id for id in ids] == ids


def test_what_is_left_of_a_record_that_another_worker_has_is_put_down(workplace: Workplace) -> None:
    """Half of a record is not delivered: the other worker, or the next, gets the rest without a lost try."""
    ids = place(workplace, 2)
    workplace.ultracart.ship_order(ids[1])
    workplace.receive(*workplace.happened())
    table = tables.inbox_events
    with time_machine.travel(datetime.now(UTC)) as clock:

        def lose_one() -> None:
            clock.shift(31)  # half of the lease is over, so that it is looked at before the next delivery
            with workplace.engine.begin() as connection:
                connection.execute(update(table).where(table.c.id == 3).values(lease_token="another's"))

        thiio = fuss(workplace, at(ids[0], lose_one))
        counts = workplace.work()

    assert (counts, thiio.asked) == (ApplyCounts(claimed=3, done=1, paused=1, lost=1), ids[:1])
    assert read_events(workplace.engine, "state", "attempts", "reason") == [
        ("done", 1, None),
        ("waiting", 0, TAKEN_OVER),
        ("leased", 1, None),
    ]


def test_what_was_too_slow_links_nothing(workplace: Workplace) -> None:
    """The other worker's failure stands: what the slow one thinks it did is in no table of ours."""
    [id] = place(workplace, 1)
    with time_machine.travel(datetime.now(UTC)) as clock, another(workplace, "run-2") as other:

        def be_slow() -> None:
            clock.shift(61)
            fuss(other, failing({id: ValueError()}))
            assert other.work().retried == 1

        fuss(workplace, at(id, be_slow))
        lost = workplace.work()

    assert lost == ApplyCounts(claimed=1, lost=1)
    assert read_events(workplace.engine, "state", "attempts") == [("waiting", 2)]
    assert workplace.link_of(Entity.ORDER, id) is None


def test_a_slow_worker_that_is_alive_keeps_its_events(any_workplace: Workplace) -> None:
    """Its claim lasts far longer than a lease; nobody else gets anything of it meanwhile."""
    workplace = any_workplace
    place(workplace, 6)
    with time_machine.travel(datetime.now(UTC)) as clock, another(workplace, "run-2") as other:
        others: list[ApplyCounts] = []

        def be_slow(_: str) -> None:
            clock.shift(25)
            others.append(other.work())

        fuss(workplace, be_slow)
        counts = workplace.work()

    assert counts == ApplyCounts(claimed=6, done=6)
    assert others == [ApplyCounts()] * 6
    assert read_events(workplace.engine, "state", "attempts") == [("done", 1)] * 6
    assert read_notifications(workplace.engine, "status", "reason") == [("successful", None)] * 6


@pytest.mark.parametrize("is_repeatable", [True, False])
def test_a_killed_worker_has_delivered_once_what_may_not_be_repeated(
    workplace: Workplace, is_repeatable: bool
) -> None:
    """Each outcome is on record before the next delivery; where repeating is harmless, it need not be."""
    ids = place(workplace, 3)

    def die() -> None:
        raise Killed

    with time_machine.travel(datetime.now(UTC)) as clock:
        killed = fuss(workplace, at(ids[1], die), repeats_safely=is_repeatable)
        with pytest.raises(Killed):
            workplace.work()
        states = read_events(workplace.engine, "state")
        links = [workplace.link_of(Entity.ORDER, id) is not None for id in ids]
        clock.shift(61)
        alive = fuss(workplace, failing({}), repeats_safely=is_repeatable)
        counts = workplace.work()

    first = [] if is_repeatable else ids[:1]
    assert states == ["leased" if is_repeatable else "done", "leased", "leased"]
    assert links == [not is_repeatable, False, False]
    assert (killed.asked, alive.asked) == (ids[:2], [id for id in ids if id not in first])
    assert counts == ApplyCounts(claimed=len(alive.asked), done=len(alive.asked))
    assert read_events(workplace.engine, "state") == ["done"] * 3
    assert [workplace.in_thiio(id).other_side_id for id in ids] == ids


def test_an_event_that_kills_each_worker_is_dead_with_its_whole_story(workplace: Workplace) -> None:
    """Three tries, three silences, each told by the worker that found it; the others are done."""
    ids = place(workplace, 2)

    def die() -> None:
        raise Killed

    with time_machine.travel(datetime.now(UTC)) as clock:
        fuss(workplace, at(ids[0], die))
        for _ in range(3):
            with pytest.raises(Killed):
                workplace.work(limit=1)
            clock.shift(61)
        counts = workplace.work()

    silence = f"Its worker {worker_name()} ended without a word during try"
    assert counts == ApplyCounts(
        claimed=1,
        done=1,
        dead=1,
        failures=[f"inbox event 1 (order_create {ids[0]}) is dead: {silence} 3, its last."],
    )
    assert read_events(workplace.engine, "state", "attempts") == [("dead", 3), ("done", 1)]
    assert read_notifications(workplace.engine, "event_id", "status", "reason") == [
        (1, "failed", f"{silence} 1."),
        (1, "failed", f"Try 2: {silence} 2."),
        (1, "failed", f"Try 3: {silence} 3, its last."),
        (2, "successful", None),
    ]
