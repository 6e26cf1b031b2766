"""The inbox as a queue: one function a transition, and no other code writes the state of an event.

A worker claims events under a lease. Whatever it says of them later counts only while its lease token is
still on the row: a worker that was too slow, and whose events another one has, changes nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, insert, or_, select, update

from tasks.database import tables
from tasks.database.lease import worker_name
from tasks.database.upsert import insert_for
from tasks.inbox.events import CLOSED, Event, EventState, FoundBy, NewEvent

TABLE = tables.inbox_events
NO_LEASE: Mapping[str, None] = {"lease_owner": None, "lease_token": None, "lease_until": None}


@dataclass(frozen=True, slots=True)
class StoreCounts:
    """How many events of a delivery were new, and how many were known already."""

    stored: int = 0
    duplicates: int = 0


@dataclass(frozen=True, slots=True)
class Claim:
    """Events in a worker's hands, in the order they were received, and the token that proves it."""

    token: str
    events: tuple[Event, ...]


def store_events(
    connection: Connection, events: Sequence[NewEvent], *, now: datetime, found_by: FoundBy = FoundBy.WEBHOOK
) -> StoreCounts:
    """Put events into the inbox; one that is there already is counted, whatever became of it."""
    payloads = []
    for event in events:
        id, deliveries = _store(connection, event, now, found_by)
        if deliveries == 1:
            payloads.append({"event_id": id, "body": event.body})
    if payloads:
        connection.execute(insert(tables.inbox_payloads), payloads)
    return StoreCounts(len(payloads), len(events) - len(payloads))


def _store(connection: Connection, event: NewEvent, now: datetime, found_by: FoundBy) -> tuple[int, int]:
    row = {
        "source": event.source,
        "name": event.name,
        "entity": event.entity,
        "entity_id": event.entity_id,
        "digest": event.digest,
        "found_by": found_by,
        "state": EventState.DEAD if event.dead else EventState.WAITING,
        "reason": event.dead,
        "attempts": 0,
        "deliveries": 1,
        "replays": 0,
        "due_at": now,
        "received_at": now,
        "last_received_at": now,
        "closed_at": now if event.dead else None,
    }
    statement = insert_for(connection, TABLE).values(row)
    statement = statement.on_conflict_do_update(
        index_elements=["source", "digest"],
        set_={"deliveries": TABLE.c.deliveries + 1, "last_received_at": now},
    )
    id, deliveries = connection.execute(statement.returning(TABLE.c.id, TABLE.c.deliveries)).one()
    return int(id), int(deliveries)


def claim_events(connection: Connection, *, limit: int, lease_seconds: int, now: datetime) -> Claim:
    """Take up to `limit` due events, oldest first; no other worker gets them before the lease ends.

    The attempt is counted now: an event that kills its worker cannot come back for ever.
    """
    due = (
        select(TABLE.c.id)
        .where(_is_due(now))
        .order_by(TABLE.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)  # on Postgres; SQLite has one writer at a time anyway
    )
    token = secrets.token_hex(16)
    lease = {
        "state": EventState.LEASED,
        "attempts": TABLE.c.attempts + 1,
        "lease_owner": worker_name(),
        "lease_token": token,
        "lease_until": now + timedelta(seconds=lease_seconds),
    }
    connection.execute(update(TABLE).where(TABLE.c.id.in_(due.scalar_subquery())).values(lease))
    return Claim(token, _read_events(connection, TABLE.c.lease_token == token))


def bury_exhausted(connection: Connection, *, max_attempts: int, now: datetime) -> int:
    """Bury the events whose workers died with them as often as an event may be tried; returns how many."""
    reason = f"Its worker ended without a word, for the last of {max_attempts} times."
    result = connection.execute(
        update(TABLE)
        .where(
            TABLE.c.state == EventState.LEASED, TABLE.c.lease_until < now, TABLE.c.attempts >= max_attempts
        )
        .values(state=EventState.DEAD, reason=reason, closed_at=now, **NO_LEASE)
    )
    return result.rowcount


def count_due(connection: Connection, now: datetime) -> int:
    """Count the events that a worker would be given now."""
    return connection.scalar(select(func.count()).select_from(TABLE).where(_is_due(now))) or 0


def finish(connection: Connection, token: str, ids: Sequence[int], *, now: datetime) -> None:
    """Close events as done."""
    _move(connection, token, ids, state=EventState.DONE, reason=None, closed_at=now)


def skip(connection: Connection, token: str, ids: Sequence[int], reason: str, *, now: datetime) -> None:
    """Close events of which there is nothing to do."""
    _move(connection, token, ids, state=EventState.SKIPPED, reason=reason, closed_at=now)


def bury(connection: Connection, token: str, ids: Sequence[int], reason: str, *, now: datetime) -> None:
    """Close events that cannot be handled as dead letters."""
    _move(connection, token, ids, state=EventState.DEAD, reason=reason, closed_at=now)


def retry_later(
    connection: Connection, token: str, ids: Sequence[int], reason: str, *, due_at: datetime
) -> None:
    """Let events wait for another try."""
    _move(connection, token, ids, state=EventState.WAITING, reason=reason, due_at=due_at)


def give_back(connection: Connection, token: str, *, reason: str) -> None:
    """Put down all that a claim still holds, as if it had never been taken: its attempts don't count."""
    connection.execute(
        update(TABLE)
        .where(TABLE.c.lease_token == token, TABLE.c.state == EventState.LEASED)
        .values(state=EventState.WAITING, reason=reason, attempts=TABLE.c.attempts - 1, **NO_LEASE)
    )


def replay(connection: Connection, ids: Sequence[int], *, now: datetime) -> int:
    """Put closed events back to work, with all their tries before them; returns how many."""
    result = connection.execute(
        update(TABLE)
        .where(TABLE.c.id.in_(ids), TABLE.c.state.in_(CLOSED))
        .values(
            state=EventState.WAITING,
            reason="replayed",
            replays=TABLE.c.replays + 1,
            attempts=0,
            due_at=now,
            closed_at=None,
        )
    )
    return result.rowcount


def _is_due(now: datetime) -> ColumnElement[bool]:
    return or_(
        and_(TABLE.c.state == EventState.WAITING, TABLE.c.due_at <= now),
        and_(TABLE.c.state == EventState.LEASED, TABLE.c.lease_until < now),
    )


def _move(connection: Connection, token: str, ids: Sequence[int], **values: Any) -> None:
    if ids:
        connection.execute(
            update(TABLE)
            .where(TABLE.c.id.in_(ids), TABLE.c.lease_token == token, TABLE.c.state == EventState.LEASED)
            .values(**values, **NO_LEASE)
        )


def _read_events(connection: Connection, condition: ColumnElement[bool]) -> tuple[Event, ...]:
    payloads = tables.inbox_payloads
    columns = (TABLE.c.id, TABLE.c.source, TABLE.c.name, TABLE.c.entity, TABLE.c.entity_id, TABLE.c.attempts)
    query = select(*columns, payloads.c.body).join(payloads, payloads.c.event_id == TABLE.c.id)
    rows = connection.execute(query.where(condition).order_by(TABLE.c.id))
    return tuple(Event(**row._asdict()) for row in rows)
