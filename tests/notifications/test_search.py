"""Notifications are found by every filter, page by page, with all that belongs to one; and by an index."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from sqlalchemy import Engine, event, insert

from tasks.database import tables
from tasks.database.engine import reading
from tasks.notifications.filters import NotificationFilter
from tasks.notifications.search import (
    RECORD_LINES,
    NotificationPage,
    NotificationStory,
    find_notifications,
    read_notification,
)
from tests.notifications.log_rows import NOON, put_event, put_many, put_notification


def find(engine: Engine, limit: int = 50, **wanted: Any) -> NotificationPage:
    """Search in a connection that only reads."""
    with reading(engine) as connection:
        return find_notifications(connection, NotificationFilter(**wanted), limit=limit)


def read(engine: Engine, id: int) -> NotificationStory | None:
    """Read one in a connection that only reads."""
    with reading(engine) as connection:
        return read_notification(connection, id)


ROWS: dict[str, dict[str, Any]] = {
    "plain": {},
    "failed": {"status": "failed", "minutes": 1, "event_id": 7},
    "push": {
        "direction": "out",
        "operation": "POST /channel_partner/import",
        "minutes": 2,
        "run_id": "run-1",
    },
    "thiio": {"direction": "out", "system": "thiio", "operation": "deliver order", "minutes": 3},
    "order": {"entity": "order", "entity_id": "DEMO-1", "minutes": 4},
    "customer": {"entity": "customer", "entity_id": "DEMO-1", "minutes": 5, "event_id": 7},
    "percent": {"operation": "100% of_it", "minutes": 6},
}


FOUND: list[tuple[dict[str, Any], list[str]]] = [
    ({}, ["percent", "customer", "order", "thiio", "push", "failed", "plain"]),
    ({"status": "failed"}, ["failed"]),
    ({"status": "in_doubt"}, []),
    ({"system": "thiio"}, ["thiio"]),
    ({"direction": "out"}, ["thiio", "push"]),
    ({"entity": "order"}, ["order"]),
    ({"entity_id": "DEMO-1"}, ["customer", "order"]),
    ({"entity": "customer", "entity_id": "DEMO-1"}, ["customer"]),
    ({"entity_id": "demo-1"}, []),
    ({"event_id": 7}, ["customer", "failed"]),
    ({"event_id": 7, "status": "failed"}, ["failed"]),
    ({"run_id": "run-1"}, ["push"]),
    ({"operation": "PARTNER/imp"}, ["push"]),
    ({"operation": "% of_"}, ["percent"]),
    ({"operation": "_"}, ["percent", "customer", "order", "push", "failed", "plain"]),
    ({"from_at": NOON + timedelta(minutes=5)}, ["percent", "customer"]),
    ({"until_at": NOON + timedelta(minutes=1)}, ["plain"]),
    ({"from_at": NOON + timedelta(minutes=1), "until_at": NOON + timedelta(minutes=2)}, ["failed"]),
]


def test_each_filter_finds_what_it_says(any_engine: Engine) -> None:
    """Newest first; a time from is included, a time until is not; % and _ are just characters."""
    names = {put_notification(any_engine, **row): name for name, row in ROWS.items()}

    found = [(wanted, [names[line.id] for line in find(any_engine, **wanted).lines]) for wanted, _ in FOUND]

    assert found == FOUND


def test_pages_hold_everything_once(any_engine: Engine) -> None:
    """Also where many are of the same moment, and where time and id disagree."""
    minutes = [0, 0, 0, 3, 1, 2, 2, 2, 0, 0]
    ids = [put_notification(any_engine, minute) for minute in minutes]
    expected = sorted(ids, key=lambda id: (minutes[ids.index(id)], id), reverse=True)

    pages: list[list[int]] = []
    before: int | None = None
    while True:
        page = find(any_engine, limit=3, before_id=before)
        pages.append([line.id for line in page.lines])
        if (before := page.older_than) is None:
            break

    assert [len(page) for page in pages] == [3, 3, 3, 1]
    assert [id for page in pages for id in page] == expected


def test_a_last_page_that_is_full_says_that_it_is_the_last(any_engine: Engine) -> None:
    """No link leads to an empty page; after a notification that is not there comes nothing."""
    ids = [put_notification(any_engine) for _ in range(3)]

    assert find(any_engine, limit=3).older_than is None
    assert find(any_engine, limit=2).older_than == ids[1]
    assert find(any_engine, before_id=ids[-1] + 1) == NotificationPage((), None)


def test_one_comes_with_its_event_and_its_story(any_engine: Engine) -> None:
    """The attempts stand in order of time, with their reasons; the record's latest stand newest first."""
    event = put_event(any_engine, state="dead", reason="no", attempts=2, closed_at=NOON + timedelta(hours=1))
    about = {"entity": "order", "entity_id": "DEMO-1"}
    second = put_notification(any_engine, 2, event_id=event, status="failed", reason="again", **about)
    first = put_notification(any_engine, 1, event_id=event, status="failed", reason="later", **about)
    push = put_notification(any_engine, 3, direction="out", sent='{"a":1}', received="text", **about)
    put_notification(any_engine, 4, event_id=event + 1, entity="customer", entity_id="DEMO-1")

    story, pushed = read(any_engine, first), read(any_engine, push)

    assert story is not None
    assert story.event is not None
    assert (story.event.state, story.event.reason, story.event.attempts) == ("dead", "no", 2)
    assert (story.event.received_at, story.event.closed_at) == (NOON, NOON + timedelta(hours=1))
    assert [(line.id, line.reason) for line in story.attempts] == [(first, "later"), (second, "again")]
    assert [line.id for line in story.of_record] == [push, second, first]
    assert pushed is not None
    assert (pushed.sent, pushed.received) == ('{"a":1}', "text")
    assert (pushed.event, pushed.attempts) == (None, ())


def test_what_an_event_brought_is_shown_as_received(any_engine: Engine) -> None:
    """It is kept once, with the event; one that kept its own shows that."""
    event_id = put_event(any_engine)
    with any_engine.begin() as connection:
        connection.execute(
            insert(tables.inbox_payloads).values(event_id=event_id, body='{"order_id": "DEMO-1"}')
        )
    shown = [
        put_notification(any_engine, event_id=event_id),
        put_notification(any_engine, event_id=event_id, received="{}"),
        put_notification(any_engine, event_id=event_id, direction="out"),
        put_notification(any_engine),
    ]

    with any_engine.connect() as connection:
        stories = [read_notification(connection, id) for id in shown]

    assert [story and story.received for story in stories] == ['{"order_id": "DEMO-1"}', "{}", None, None]


def test_a_story_outlives_its_event(any_engine: Engine) -> None:
    """An event that was pruned is missing; what it led to is there. A record shows its latest only."""
    ids = [
        put_notification(any_engine, minute, event_id=99, entity="order", entity_id="DEMO-1")
        for minute in range(RECORD_LINES + 2)
    ]

    story = read(any_engine, ids[0])

    assert story is not None
    assert story.event is None
    assert [line.id for line in story.attempts] == ids
    assert [line.id for line in story.of_record] == ids[:1:-1]


def test_what_is_not_there_is_none(any_engine: Engine) -> None:
    """Whatever the number."""
    assert read(any_engine, 1) is None
    assert read(any_engine, 2**63 - 1) is None


PLANS: list[tuple[str, dict[str, Any]]] = [
    ("ix_notifications_created_at", {}),
    ("ix_notifications_created_at", {"before_id": 9_000}),
    ("ix_notifications_created_at", {"entity": "order"}),
    ("ix_notifications_created_at", {"until_at": NOON - timedelta(days=24)}),
    ("ix_notifications_status_created_at", {"status": "failed"}),
    ("ix_notifications_status_created_at", {"status": "failed", "before_id": 9_000}),
    ("ix_notifications_status_created_at", {"status": "skipped"}),
    ("ix_notifications_entity_entity_id", {"entity_id": "DEMO-9"}),
    ("ix_notifications_entity_entity_id", {"entity": "order", "entity_id": "DEMO-9"}),
    ("ix_notifications_entity_entity_id", {"entity": "order", "entity_id": "DEMO-9", "status": "failed"}),
    ("ix_notifications_event_id", {"event_id": 7}),
    ("ix_notifications_event_id", {"event_id": 7, "status": "successful"}),
]


def test_no_filter_reads_the_whole_table(any_engine: Engine) -> None:
    """Each search goes by the index that also gives the order, or by one that leads to a few rows."""
    put_many(any_engine, 20_000)

    plans = [(plan_of(any_engine, wanted), wanted) for _, wanted in PLANS]

    assert [(" ".join(re.findall(r"ix_\w+", plan)), wanted) for plan, wanted in plans] == PLANS
    assert [plan for plan, _ in plans if "Seq Scan" in plan] == []
    assert [plan for plan, _ in plans if "created_at" in plan and "TEMP B-TREE" in plan] == []


def plan_of(engine: Engine, wanted: dict[str, Any]) -> str:
    """How the database goes about a search, in its own words."""
    statements: list[tuple[str, Any]] = []

    def note(_c: Any, _cursor: Any, statement: str, values: Any, *_more: Any) -> None:
        statements.append((statement, values))

    event.listen(engine, "before_cursor_execute", note)
    find(engine, **wanted)
    event.remove(engine, "before_cursor_execute", note)
    statement, values = statements[-1]
    explain = "EXPLAIN QUERY PLAN" if engine.dialect.name == "sqlite" else "EXPLAIN"
    with reading(engine) as connection:
        rows = connection.exec_driver_sql(f"{explain} {statement}", values).all()
    return "\n".join(str(row[-1]) for row in rows)
