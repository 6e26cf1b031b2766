"""Old things are deleted, payloads before rows; what is open or dead stays, with its story."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, event, func, insert, select, update

from tasks.database import tables
from tasks.inbox import event_queue, prune
from tasks.inbox.events import make_event
from tasks.inbox.prune import Cuts
from tasks.settings import InboxSettings
from tests.builders import NOON
from tests.inbox.inbox_rows import read_bodies, read_events, read_notifications

STATES = ("done", "skipped", "dead", "waiting", "leased")
NOTE = {"direction": "in", "system": "ultracart", "operation": "order_create", "status": "successful"}


def hour(number: int) -> datetime:
    """When event `number` was received and closed."""
    return NOON + timedelta(hours=number)


def cuts_at(number: int, *, payloads: int | None = None, dead: int | None = None) -> Cuts:
    """Cuts at hours; payloads with the events unless another hour is named, dead letters never."""
    return Cuts(
        payloads=hour(payloads or number), events=hour(number), dead=None if dead is None else hour(dead)
    )


@pytest.fixture
def filled(any_engine: Engine) -> Engine:
    """Ten events, one an hour from NOON + 1 h on, of each state two; with a notification each."""
    table = tables.inbox_events
    with any_engine.begin() as connection:
        for number in range(1, 11):
            state = STATES[(number - 1) % 5]
            new = make_event("ultracart", "order_create", "order", f"DEMO-{number}", b'{"n": %d}' % number)
            event_queue.store_events(connection, [new], now=hour(number))
            closed_at = hour(number) if state in ("done", "skipped", "dead") else None
            connection.execute(
                update(table).where(table.c.id == number).values(state=state, closed_at=closed_at)
            )
        rows = [NOTE | {"created_at": hour(number), "event_id": number} for number in range(1, 11)]
        connection.execute(insert(tables.notifications), rows)
    return any_engine


def count_and_delete(engine: Engine, cuts: Cuts) -> dict[str, int]:
    """Count, check that this changed nothing, delete, and give the counts of the deletion."""
    before = (read_events(engine, "id"), read_bodies(engine), read_notifications(engine, "id"))
    with engine.connect() as connection:
        counted = prune.count_old(connection, cuts)
    assert (read_events(engine, "id"), read_bodies(engine), read_notifications(engine, "id")) == before
    deleted = prune.delete_old(engine, cuts)
    assert counted == deleted
    return deleted


def test_old_events_go_with_their_payloads(filled: Engine) -> None:
    """Closed before the cut and understood; dead and open ones keep payload and notifications."""
    deleted = count_and_delete(filled, cuts_at(7))

    assert deleted == {"payloads": 3, "notifications": 3, "events": 3}
    kept = [3, 4, 5, 7, 8, 9, 10]
    assert read_events(filled, "id") == kept
    assert read_bodies(filled) == [f'{{"n": {number}}}' for number in kept]
    assert read_notifications(filled, "event_id") == kept


def test_payloads_go_before_their_events(filled: Engine) -> None:
    """What an event brought is a customer's; that it came is kept for longer."""
    deleted = count_and_delete(filled, cuts_at(2, payloads=7))

    assert deleted == {"payloads": 3, "notifications": 1, "events": 1}
    assert read_events(filled, "id") == [2, 3, 4, 5, 6, 7, 8, 9, 10]
    assert read_bodies(filled) == [f'{{"n": {number}}}' for number in (3, 4, 5, 7, 8, 9, 10)]


def test_notifications_of_no_event_go_by_their_age(filled: Engine) -> None:
    """Exchanges that we began have no event behind them."""
    with filled.begin() as connection:
        rows = [NOTE | {"direction": "out", "created_at": hour(number)} for number in (1, 7)]
        connection.execute(insert(tables.notifications), rows)

    prune.delete_old(filled, cuts_at(7))

    assert read_notifications(filled, "created_at", direction="out") == [hour(7)]


def test_dead_letters_go_only_if_a_person_said_so(filled: Engine) -> None:
    """After their own time; what is open stays all the same."""
    deleted = count_and_delete(filled, cuts_at(2, dead=8))

    assert deleted == {"payloads": 2, "notifications": 1, "events": 2}
    assert read_events(filled, "id") == [2, 4, 5, 6, 7, 8, 9, 10]


def test_a_deleted_event_that_comes_again_is_new(filled: Engine) -> None:
    """Its digest is free again."""
    first = make_event("ultracart", "order_create", "order", "DEMO-1", b'{"n": 1}')
    prune.delete_old(filled, cuts_at(2))
    with filled.begin() as connection:
        counts = event_queue.store_events(connection, [first], now=hour(11))

    assert (counts.stored, read_events(filled, "id", "state")[-1]) == (1, (11, "waiting"))


@pytest.mark.timeout(60)
def test_many_rows_go_in_many_transactions(any_engine: Engine) -> None:
    """Of 12,001 notifications no transaction deletes more than 5,000: others write in between."""
    with any_engine.begin() as connection:
        connection.execute(insert(tables.notifications), [NOTE | {"created_at": NOON}] * 12_001)
    sizes: list[int] = []

    @event.listens_for(any_engine, "after_cursor_execute")
    def note_size(connection, cursor, statement, *rest) -> None:  # type: ignore[no-untyped-def]
        if statement.startswith("DELETE FROM notifications"):
            sizes.append(cursor.rowcount)

    commits: list[int] = []
    event.listen(any_engine, "commit", lambda connection: commits.append(len(sizes)))

    deleted = prune.delete_old(any_engine, cuts_at(1))

    assert (deleted["notifications"], sizes) == (12_001, [5_000, 5_000, 2_001])
    assert {1, 2, 3} <= set(commits)
    with any_engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(tables.notifications)) == 0


NOVEMBER = datetime(2026, 11, 11, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("settings", "days", "kept"),
    [
        ({}, None, (30, 90, None)),
        ({}, 10, (10, 10, None)),
        ({}, 400, (30, 400, None)),
        ({"dead_retention_days": 200}, 10, (10, 10, 200)),
        ({"payload_retention_days": 100}, None, (90, 90, None)),
    ],
    ids=["settings", "days", "more days", "dead letters", "payloads never outlive their events"],
)
def test_the_cuts_are_days_before_now(settings, days, kept) -> None:
    """Whole days of 24 hours: of payloads, of events, of dead letters if they ever go."""
    cuts = prune.cuts_for(NOVEMBER, InboxSettings(**settings), days)

    ages = (cuts.payloads, cuts.events, cuts.dead)
    assert tuple(None if age is None else (NOVEMBER - age).days for age in ages) == kept
