"""One record's failure is its own: it waits or is dead with the reason, and the others go on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tasks.inbox import event_queue
from tasks.inbox.events import make_event, make_unreadable
from tasks.inbox.outcomes import ApplyCounts
from tasks.inbox.settle import REFUSED
from tasks.records.links import link
from tasks.records.models import Entity
from tasks.thiio.sandbox.server import ThiioSandbox
from tasks.ultracart.sandbox.server import UltraCartSandbox
from tests.builders import NOON
from tests.inbox.inbox_rows import read_bodies, read_events, read_notifications
from tests.inbox.running_receiver import body_of
from tests.inbox.workplace import Workplace, event

NORA = "nora@example.com"
SHIPPED = body_of("order_ship")["events"][0]["order_ship"]
AWAY = (
    "Thiio's database cannot answer now (OperationalError). It is tried again by itself; if this lasts, run: "
    "ultrathiio check"
)


def test_what_nobody_handles_is_skipped(workplace: Workplace) -> None:
    """With a reason that says how to bring it back; Thiio is told nothing."""
    workplace.receive(
        event("order_stage_change", {"order_id": "DEMO-1"}),
        make_event("thiio", "order_create", "order", "17", b'{"id": 17}'),
    )

    counts = workplace.work()

    reasons = [
        f"ultrathiio does nothing with {name}; replay it once a version does."
        for name in ("order_stage_change of ultracart", "order_create of thiio")
    ]
    assert counts == ApplyCounts(claimed=2, skipped=2)
    assert read_events(workplace.engine, "state", "reason") == [("skipped", reason) for reason in reasons]
    assert read_notifications(workplace.engine, "event_id", "system", "status", "reason") == [
        (1, "ultracart", "skipped", reasons[0]),
        (2, "thiio", "skipped", reasons[1]),
    ]
    assert read_notifications(workplace.engine, "id", direction="out") == []


def test_an_object_that_cannot_be_read_is_dead(workplace: Workplace) -> None:
    """The reason names the place; an event beside it is done."""
    id = workplace.ultracart.place_order(NORA)
    workplace.receive(
        event("order_create", {"order_id": "DEMO-1", "items": {}}),
        event("order_create", {"order_id": "DEMO-2"}),
        *workplace.happened(),
    )

    counts = workplace.work()

    assert (counts.claimed, counts.dead, counts.done) == (3, 2, 1)
    [wrong_shape, no_date, fine] = read_events(workplace.engine, "state", "reason")
    assert wrong_shape[0] == "dead"
    assert wrong_shape[1].startswith("order_create: Expected `array | null`, got `object` - at `$.items`.")
    assert no_date[0] == "dead"
    assert no_date[1].startswith("UltraCart order DEMO-2 carries no date")
    assert fine == ("done", None)
    assert counts.failures == [
        f"inbox event 1 (order_create DEMO-1) is dead: {wrong_shape[1]}",
        f"inbox event 2 (order_create DEMO-2) is dead: {no_date[1]}",
    ]
    assert read_notifications(workplace.engine, "event_id", "status", "reason") == [
        (1, "failed", wrong_shape[1]),
        (2, "failed", no_date[1]),
        (3, "successful", None),
    ]
    assert workplace.in_thiio(id).other_side_id == id


def test_a_value_that_our_tables_cannot_hold_is_dead_alone(any_workplace: Workplace) -> None:
    """The records that share a transaction with it are stored and delivered as ever."""
    workplace = any_workplace
    summary = SHIPPED["summary"] | {"total": {"value": 10**18}}
    workplace.receive(
        event("order_ship", SHIPPED),
        event("order_ship", SHIPPED | {"order_id": "DEMO-HUGE", "summary": summary}),
        event("order_ship", SHIPPED | {"order_id": "DEMO-2"}),
    )

    counts = workplace.work()

    assert (counts.done, counts.dead) == (2, 1)
    assert counts.failures == [f"inbox event 2 (order_ship DEMO-HUGE) is dead: {REFUSED}"]
    assert read_events(workplace.engine, "state", "reason") == [
        ("done", None),
        ("dead", REFUSED),
        ("done", None),
    ]
    assert workplace.in_thiio("DEMO-2").total_cents == workplace.mirrored("DEMO-2").total_cents == 1863


@pytest.mark.parametrize("city", ["x" * 101, "San\x00Jose"])
def test_a_text_that_postgres_cannot_hold_is_dead(
    postgres_engine: Engine, ultracart: UltraCartSandbox, thiio: ThiioSandbox, city: str
) -> None:
    """It is no reason to try the same claim again for ever."""
    with Workplace.open(postgres_engine, ultracart, thiio) as workplace:
        counts = workplace.receive_and_work(
            event("order_ship", SHIPPED | {"billing": SHIPPED["billing"] | {"city": city}})
        )

    assert (counts.claimed, counts.dead) == (1, 1)
    assert read_events(postgres_engine, "state", "reason") == [("dead", REFUSED)]


def test_a_body_that_still_cannot_be_read_stays_dead_when_it_is_replayed(workplace: Workplace) -> None:
    """It is kept for people to read; as skipped it would be deleted one day."""
    workplace.receive(make_unreadable("ultracart", b"hello", "body: JSON is malformed"))
    with workplace.engine.begin() as connection:
        event_queue.replay(connection, [1], now=NOON)

    counts = workplace.work()

    assert (counts.claimed, counts.dead) == (1, 1)
    [(state, reason)] = read_events(workplace.engine, "state", "reason")
    assert state == "dead"
    assert reason.startswith("It still cannot be read. body: JSON is malformed")
    assert reason.endswith("Correct the sender: what it sends then is a new event.")
    assert read_bodies(workplace.engine) == ["hello"]


def test_a_body_that_can_be_read_by_now_gives_its_events_when_it_is_replayed(workplace: Workplace) -> None:
    """As if it had come just now: new ones wait, known ones are counted, and the letter itself is done."""
    [known, new] = [workplace.ultracart.place_order(NORA) for _ in range(2)]
    events = workplace.happened()
    entries = ",".join(f'{{"order_create":{each.body}}}' for each in events)
    workplace.receive(events[0], make_unreadable("ultracart", f"[{entries}]".encode(), "A new shape."))
    workplace.work()
    with workplace.engine.begin() as connection:
        event_queue.replay(connection, [2], now=NOON)

    assert workplace.work() == ApplyCounts(claimed=1, done=1)

    assert read_events(workplace.engine, "name", "entity_id", "state", "deliveries") == [
        ("order_create", known, "done", 2),
        ("unreadable", None, "done", 1),
        ("order_create", new, "waiting", 1),
    ]
    assert read_notifications(workplace.engine, "reason")[-1] == (
        "put back by a person: Read again: 1 new events, 1 that were known already."
    )
    assert workplace.work() == ApplyCounts(claimed=1, done=1)
    assert workplace.in_thiio(new).other_side_id == new


@pytest.fixture
def cut_off(
    engine: Engine, ultracart: UltraCartSandbox, thiio: ThiioSandbox, tmp_path: Path
) -> Iterator[Workplace]:
    """A workplace that does not reach Thiio's database as long as a folder lies in its file's place."""
    (tmp_path / "crm.sqlite3").mkdir()
    url = f"sqlite:///{tmp_path / 'crm.sqlite3'}"
    with Workplace.open(engine, ultracart, thiio, database_url=url) as workplace:
        yield workplace


def test_events_wait_while_thiio_is_away(cut_off: Workplace, tmp_path: Path) -> None:
    """Longer each time, and the mirror has them already; once Thiio is back, they are delivered."""
    ids = [cut_off.ultracart.place_order(NORA) for _ in range(2)]
    cut_off.receive(*cut_off.happened())
    before = datetime.now(UTC)

    counts = cut_off.work()

    assert (counts.claimed, counts.retried, counts.dead) == (2, 2, 0)
    assert counts.failures == [
        f"inbox event {number} (order_create {id}) waits for another try: {AWAY}"
        for number, id in enumerate(ids, start=1)
    ]
    assert read_events(cut_off.engine, "state", "attempts", "reason") == [("waiting", 1, AWAY)] * 2
    assert read_notifications(cut_off.engine, "event_id", "status", "reason") == [
        (1, "failed", AWAY),
        (2, "failed", AWAY),
    ]
    assert [cut_off.mirrored(id).id for id in ids] == ids
    # 40 seconds by the setting, a quarter more or less.
    assert all(30 <= (due - before).total_seconds() <= 51 for due in read_events(cut_off.engine, "due_at"))
    assert cut_off.work() == ApplyCounts()

    (tmp_path / "crm.sqlite3").rmdir()
    (tmp_path / "crm.sqlite3").symlink_to(cut_off.thiio.engine.url.database or "")
    assert cut_off.work(wait_seconds=51).done == 2
    assert [cut_off.thiio.find_order(id)["email"] for id in ids] == [NORA] * 2
    assert read_events(cut_off.engine, "state", "attempts", "reason") == [("done", 2, None)] * 2


def test_after_its_last_try_an_event_is_dead(cut_off: Workplace) -> None:
    """The second wait is bounded by its cap; the third try of three buries the event."""
    id = cut_off.ultracart.place_order(NORA)
    cut_off.receive(*cut_off.happened())
    cut_off.work()
    before = datetime.now(UTC)
    cut_off.work(wait_seconds=60)
    [due_at] = read_events(cut_off.engine, "due_at")

    counts = cut_off.work(wait_seconds=120)

    reason = f"{AWAY} That was the last of 3 tries."
    assert 45 <= (due_at - before).total_seconds() <= 76  # twice 40 is more than the cap of 60
    assert counts == ApplyCounts(
        claimed=1, dead=1, failures=[f"inbox event 1 (order_create {id}) is dead: {reason}"]
    )
    assert read_events(cut_off.engine, "state", "attempts", "reason") == [("dead", 3, reason)]
    assert read_notifications(cut_off.engine, "status", "reason") == [
        ("failed", AWAY),
        ("failed", f"Try 2: {AWAY}"),
        ("failed", f"Try 3: {reason}"),
    ]


def test_a_tired_event_does_not_take_a_fresh_one_with_it(cut_off: Workplace) -> None:
    """Of one order's events each has its own tries."""
    id = cut_off.ultracart.place_order(NORA)
    cut_off.receive(*cut_off.happened())
    cut_off.work()
    cut_off.work(wait_seconds=60)
    cut_off.ultracart.ship_order(id)
    cut_off.receive(*cut_off.happened())

    counts = cut_off.work(wait_seconds=120)

    assert (counts.dead, counts.retried) == (1, 1)
    assert read_events(cut_off.engine, "name", "state", "attempts") == [
        ("order_create", "dead", 3),
        ("order_ship", "waiting", 1),
    ]


def test_a_link_to_an_order_of_somebody_else_is_dead(workplace: Workplace) -> None:
    """Nobody guesses which of the two is right; Thiio's order and the link stay."""
    theirs = next(iter(workplace.ultracart.store.orders))
    taken = workplace.thiio.find_order(theirs)
    thiio_id = str(taken["id"])
    id = workplace.ultracart.place_order(NORA)
    with workplace.engine.begin() as connection:
        link(connection, Entity.ORDER, id, thiio_id, "by hand")

    counts = workplace.receive_and_work(*workplace.happened())

    assert (counts.claimed, counts.dead) == (1, 1)
    assert (
        f"Thiio order {thiio_id} is linked to UltraCart order {id}, but names {theirs}" in counts.failures[0]
    )
    assert read_events(workplace.engine, "state", "attempts") == [("dead", 1)]
    assert (workplace.thiio.find_order(theirs), workplace.link_of(Entity.ORDER, id)) == (taken, thiio_id)
