"""Find notifications, and all that belongs to one: its event, the event's story, its record.

The order is newest first, by time and then by id: with it every index of the table that a filter uses also
gives the order, so that a page of a million rows reads a page of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, literal, select, tuple_

from tasks.database import tables
from tasks.notifications.filters import NotificationFilter

NOTIFICATIONS, EVENTS = tables.notifications, tables.inbox_events
STORY_LINES = 200
"""Notifications of one event that are given; no event is tried nearly as often."""
LONGEST_PAYLOAD = 100_000
"""Characters that are given of what an event brought."""
RECORD_LINES = 10
"""Latest notifications of the same record that are given with one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationLine:
    """One notification without its bodies. `created_at` is aware UTC."""

    id: int
    created_at: datetime
    status: str
    direction: str
    system: str
    operation: str
    entity: str | None
    entity_id: str | None
    http_status: int | None
    duration_ms: int | None
    reason: str | None
    request_id: str | None
    event_id: int | None
    run_id: str | None


@dataclass(frozen=True, slots=True)
class NotificationPage:
    """Lines, newest first; `older_than` is the id to go on from, None at the end."""

    lines: tuple[NotificationLine, ...]
    older_than: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventStanding:
    """The inbox event that a notification is of, as it stands now. Times are aware UTC."""

    id: int
    source: str
    name: str
    state: str
    reason: str | None
    attempts: int
    deliveries: int
    replays: int
    found_by: str
    received_at: datetime
    due_at: datetime
    closed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationStory:
    """A notification with all that belongs to it.

    `sent` and `received` are texts as they were stored: redacted, mostly JSON, long ones cut. What an event
    brought is kept once, with the event, and shown as received. `event` is None without an event, or once it
    is pruned. `attempts` are all notifications of the event, oldest first;
    `of_record` the latest of the same record, newest first.
    """

    line: NotificationLine
    sent: str | None
    received: str | None
    event: EventStanding | None
    attempts: tuple[NotificationLine, ...]
    of_record: tuple[NotificationLine, ...]


_LINE = tuple(NOTIFICATIONS.c[name] for name in NotificationLine.__slots__)
_EVENT = tuple(EVENTS.c[name] for name in EventStanding.__slots__)
_AGE = (NOTIFICATIONS.c.created_at, NOTIFICATIONS.c.id)


def find_notifications(connection: Connection, wanted: NotificationFilter, *, limit: int) -> NotificationPage:
    """Give up to `limit` notifications that a filter asks for, newest first.

    The next page is asked for with `before_id=page.older_than`. After a notification that is not there (any
    more) comes nothing: what is older than a pruned one is pruned as well.
    """
    query = select(*_LINE).where(*_conditions(wanted)).order_by(*(column.desc() for column in _AGE))
    if wanted.before_id is not None:
        last = connection.execute(select(*_AGE).where(NOTIFICATIONS.c.id == wanted.before_id)).first()
        if last is None:
            return NotificationPage((), None)
        query = query.where(_is_older_than(*last))
    lines = _read_lines(connection, query.limit(limit + 1))
    return NotificationPage(lines[:limit], lines[limit - 1].id if len(lines) > limit else None)


def read_notification(connection: Connection, id: int) -> NotificationStory | None:
    """Give one notification with its event, the event's story and its record's latest; None: no such id."""
    bodies = (NOTIFICATIONS.c.sent, NOTIFICATIONS.c.received)
    row = connection.execute(select(*_LINE, *bodies).where(NOTIFICATIONS.c.id == id)).first()
    if row is None:
        return None
    *fields, sent, received = row
    line = _line(fields)
    if received is None and line.direction == "in":
        received = _read_payload(connection, line.event_id)
    return NotificationStory(
        line=line,
        sent=sent,
        received=received,
        event=_read_event(connection, line.event_id),
        attempts=_read_attempts(connection, line.event_id),
        of_record=_read_record(connection, line),
    )


def _conditions(wanted: NotificationFilter) -> Iterator[ColumnElement[bool]]:
    columns = NOTIFICATIONS.c
    is_of_few = wanted.event_id is not None or wanted.entity_id is not None
    is_named = wanted.entity_id is not None
    for column, value in (
        (_unindexed(columns.status) if is_of_few else columns.status, wanted.status),
        (columns.entity if is_named else _unindexed(columns.entity), wanted.entity),
        (columns.system, wanted.system),
        (columns.direction, wanted.direction),
        (columns.event_id, wanted.event_id),
        (columns.run_id, wanted.run_id),
    ):
        if value is not None:
            yield column == value
    if wanted.entity_id is not None:
        yield _is_of_record(wanted.entity, wanted.entity_id)
    if wanted.operation is not None:
        yield columns.operation.icontains(wanted.operation, autoescape=True)
    if wanted.from_at is not None:
        yield columns.created_at >= wanted.from_at
    if wanted.until_at is not None:
        yield columns.created_at < wanted.until_at


def _unindexed(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Write a text column so that no index of it is used, where another one leads to the rows sooner.

    SQLite knows no figures and takes any index that fits: it would sort all that are of an order.
    """
    return column.concat("")


def _is_of_record(entity: str | None, entity_id: str) -> ColumnElement[bool]:
    columns = NOTIFICATIONS.c
    if entity is not None:
        return columns.entity_id == entity_id
    # The index begins with the entity: read as a whole it is still far smaller than the table.
    return columns.id.in_(select(columns.id).where(columns.entity_id == entity_id))


def _is_older_than(created_at: datetime, id: int) -> ColumnElement[bool]:
    last = tuple_(literal(created_at, NOTIFICATIONS.c.created_at.type), literal(id, NOTIFICATIONS.c.id.type))
    return tuple_(*_AGE) < last


def _read_event(connection: Connection, event_id: int | None) -> EventStanding | None:
    if event_id is None:
        return None
    row = connection.execute(select(*_EVENT).where(EVENTS.c.id == event_id)).first()
    return None if row is None else EventStanding(**row._mapping)


def _read_payload(connection: Connection, event_id: int | None) -> str | None:
    payloads = tables.inbox_payloads
    body: str | None = connection.scalar(select(payloads.c.body).where(payloads.c.event_id == event_id))
    if body is None or len(body) <= LONGEST_PAYLOAD:
        return body
    return f"{body[:LONGEST_PAYLOAD]}… ({len(body)} characters)"


def _read_attempts(connection: Connection, event_id: int | None) -> tuple[NotificationLine, ...]:
    if event_id is None:
        return ()
    query = select(*_LINE).where(NOTIFICATIONS.c.event_id == event_id).order_by(*_AGE)
    return _read_lines(connection, query.limit(STORY_LINES))


def _read_record(connection: Connection, line: NotificationLine) -> tuple[NotificationLine, ...]:
    if line.entity is None or line.entity_id is None:
        return ()
    wanted = NotificationFilter(entity=line.entity, entity_id=line.entity_id)
    return find_notifications(connection, wanted, limit=RECORD_LINES).lines


def _read_lines(connection: Connection, query: Select[Any]) -> tuple[NotificationLine, ...]:
    return tuple(map(_line, connection.execute(query)))


def _line(values: Sequence[Any]) -> NotificationLine:
    return NotificationLine(**dict(zip(NotificationLine.__slots__, values, strict=True)))
