"""The steps build what they need from the settings alone, and tell the run the truth."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from tasks.database import tables
from tasks.database.lease import worker_name
from tasks.errors import RecordsFailed
from tasks.inbox import steps
from tests.inbox.inbox_rows import read_events, read_notifications
from tests.inbox.running_receiver import url_of
from tests.inbox.workplace import Workplace, bare_event, event

NORA = "nora@example.com"
NOTHING = {"claimed": 0, "done": 0, "skipped": 0, "retried": 0, "paused": 0, "lost": 0, "dead": 0}


@pytest.fixture(autouse=True)
def _environment(workplace: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment points at the workplace."""
    shop = workplace.settings.ultracart
    for name, value in {
        "DATABASE_URL": url_of(workplace.engine),
        "THIIO__DATABASE_URL": workplace.thiio.database_url,
        "ULTRACART__BASE_URL": shop.base_url,
        "ULTRACART__SIMPLE_KEY": shop.simple_key.get_secret_value(),
        "INBOX__MAX_ATTEMPTS": "3",
    }.items():
        monkeypatch.setenv(f"ULTRATHIIO_{name}", value)


def test_due_events_are_worked_off_by_batches_up_to_the_limit(workplace: Workplace) -> None:
    """Five are due: a run of at most four leaves one, the next run takes it, a third finds nothing."""
    for _ in range(5):
        workplace.ultracart.place_order(NORA)
    workplace.receive(*workplace.happened())

    runs = [steps.process_due_events.fn(limit=4, batch=3) for _ in range(3)]

    assert runs == [NOTHING | {"claimed": 4, "done": 4}, NOTHING | {"claimed": 1, "done": 1}, NOTHING]
    assert read_events(workplace.engine, "state") == ["done"] * 5


def test_a_run_with_failures_ends_with_them_after_the_rest(workplace: Workplace) -> None:
    """Dead, waiting, and dead with its worker: each is named, and what could be done is done."""
    whole = workplace.ultracart.place_order(NORA)
    in_pieces = workplace.ultracart.place_order(NORA)
    [created, _] = workplace.happened()
    workplace.receive(bare_event("order_ship", "DEMO-KILLER"))
    for days in (4, 3, 2):
        take_and_die(workplace, datetime.now(UTC) - timedelta(days=days))
    workplace.receive(
        event("order_create", {"order_id": "DEMO-1"}),
        bare_event("order_create", "DEMO-2"),
        bare_event("order_create", in_pieces),
        created,
    )

    with pytest.raises(RecordsFailed) as raised:
        steps.process_due_events.fn(limit=100, batch=100)

    assert read_events(workplace.engine, "entity_id", "state", "attempts") == [
        ("DEMO-KILLER", "dead", 3),
        ("DEMO-1", "dead", 1),
        ("DEMO-2", "waiting", 1),
        (in_pieces, "done", 1),
        (whole, "done", 1),
    ]
    assert sorted(failure.split(":")[0] for failure in raised.value.failures) == [
        "inbox event 1 (order_ship DEMO-KILLER) is dead",
        "inbox event 2 (order_create DEMO-1) is dead",
        "inbox event 3 (order_create DEMO-2) waits for another try",
    ]
    assert read_notifications(workplace.engine, "operation", direction="out")[0] == "POST /order/orders/batch"
    silences = [f"Its worker {worker_name()} ended without a word during try {n}" for n in (1, 2, 3)]
    assert read_notifications(workplace.engine, "event_id", "status", "reason")[:3] == [
        (1, "failed", f"{silences[0]}."),
        (1, "failed", f"Try 2: {silences[1]}."),
        (1, "failed", f"Try 3: {silences[2]}, its last."),
    ]


def take_and_die(workplace: Workplace, now: datetime) -> None:
    """Take what is due at a time long gone, and say nothing more."""
    with workplace.engine.begin() as connection:
        connection.execute(update(tables.inbox_events).values(due_at=now))
    workplace.applier.take(1, now)


def test_dead_events_are_found_and_put_back_to_work(workplace: Workplace) -> None:
    """Once the reason is gone, a replay does what could not be done before."""
    workplace.ultracart.place_order(NORA)
    workplace.receive(*workplace.happened())
    with workplace.engine.begin() as connection:
        connection.execute(update(tables.inbox_events).values(state="dead", attempts=3, reason="It has one."))

    found = steps.find_events_to_replay.fn({"state": "dead", "limit": 10})
    replayed = steps.replay_chosen_events.fn([event["id"] for event in found])

    assert [(event["id"], event["reason"], event["replays"]) for event in found] == [(1, "It has one.", 0)]
    assert replayed == 1
    assert steps.process_due_events.fn(limit=10, batch=10) == NOTHING | {"claimed": 1, "done": 1}
    assert read_events(workplace.engine, "state", "replays", "attempts") == [("done", 1, 1)]
    assert read_notifications(workplace.engine, "status", "reason") == [
        ("successful", "put back by a person")
    ]


@pytest.mark.parametrize("days", [90, None], ids=["days", "setting"])
def test_old_rows_are_deleted_unless_it_is_a_dry_run(workplace: Workplace, days: int | None) -> None:
    """By the days given, or those of the settings."""
    workplace.ultracart.place_order(NORA)
    workplace.receive_and_work(*workplace.happened())
    long_ago = datetime.now(UTC) - timedelta(days=91)
    with workplace.engine.begin() as connection:
        connection.execute(update(tables.inbox_events).values(closed_at=long_ago))

    counted = steps.delete_old_rows.fn(days, dry_run=True)
    kept = read_events(workplace.engine, "id")
    deleted = steps.delete_old_rows.fn(days, dry_run=False)

    assert counted == deleted == {"payloads": 1, "events": 1, "notifications": 0}
    assert (kept, read_events(workplace.engine, "id")) == ([1], [])
    assert read_notifications(workplace.engine, "event_id") == [1]
