"""The inbox as a queue: one function a transition, and no other code writes the state of an event.

A worker claims events under a lease. Whatever it says of them later counts only while its lease token is
still on the row: a worker that was too slow, and whose events another one has, changes nothing.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from itertools import chain
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, exists, insert, select, text, update

from tasks.database import tables
from tasks.database.lease import worker_name
from tasks.database.upsert import insert_in
from tasks.inbox.due import select_due, wait_for_claims
from tasks.inbox.events import CLOSED, Event, EventState, FoundBy, NewEvent

TABLE = tables.inbox_events
DRAW_IDS = text(
    "SELECT nextval(pg_get_serial_sequence('inbox_events', 'id')) FROM generate_series(1, :count)"
)
INSERT_PAYLOADS = insert(tables.inbox_payloads)
RECOVERED_TOGETHER = 5_000
NO_LEASE: Mapping[str, None] = {"lease_owner": None, "lease_token": None, "lease_until": None}


@dataclass(frozen=True, slots=True)
class StoreCounts:
    """How many events of a delivery were new, and how many were known already."""

    stored: int = 0
    duplicates: int = 0


@dataclass(frozen=True, slots=True)
class Claim:
    """Events in a worker's hands, in the order they were received; `token` proves it until `until`."""

    token: str
    until: datetime
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class Abandoned:
    """An event whose lease ran out, who had it, and whether that was its last attempt."""

    event: Event
    worker: str
    is_dead: bool


def store_events(
    connection: Connection, events: Sequence[NewEvent], *, now: datetime, found_by: FoundBy = FoundBy.WEBHOOK
) -> StoreCounts:
    """Put events into the inbox; one that is there already is counted, whatever became of it."""
    [counts] = store_deliveries(connection, [events], now=now, found_by=found_by)
    return counts


def store_deliveries(
    connection: Connection,
    deliveries: Sequence[Sequence[NewEvent]],
    *,
    now: datetime,
    found_by: FoundBy = FoundBy.WEBHOOK,
) -> list[StoreCounts]:
    """Put the events of many deliveries into the inbox with few statements; give each delivery's counts.

    Ids follow the order of arrival. Of an event that comes several times the first delivery stores it, and
    the others bring a duplicate.
    """
    keys = [[(event.source, event.digest) for event in events] for events in deliveries]
    times = Counter(key for delivery in keys for key in delivery)
    latest_first = reversed([*chain.from_iterable(deliveries)])
    events = {(event.source, event.digest): event for event in latest_first}  # the first to come is kept
    ids = _insert(connection, [(events[key], count) for key, count in times.items()], now, found_by)
    if ids:
        payloads = [{"event_id": id, "body": events[key].body} for key, id in ids.items()]
        connection.execute(INSERT_PAYLOADS, payloads)
    counts = []
    for delivery in keys:
        stored = sum(ids.pop(key, None) is not None for key in delivery)
        counts.append(StoreCounts(stored, len(delivery) - stored))
    return counts


def _insert(
    connection: Connection, events: Sequence[tuple[NewEvent, int]], now: datetime, found_by: FoundBy
) -> dict[tuple[str, str], int]:
    """Insert different events, each with how often it came; give the new ones' ids by source and digest."""
    rows = [_row(event, count, now, found_by) for event, count in events]
    if not rows:
        return {}
    if connection.dialect.name == "postgresql":
        # Two writers that lock the same rows in different orders would wait for each other for ever: all
        # insert in one order. The ids are drawn before, because they tell the order of arrival.
        for row, id in zip(rows, connection.scalars(DRAW_IDS, {"count": len(rows)}), strict=True):
            row["id"] = id
        rows.sort(key=lambda row: (row["source"], row["digest"]))
    counts = {(event.source, event.digest): count for event, count in events}
    inserted = connection.execute(_insert_statement(connection.dialect.name), rows).all()
    # A row that was there before has been delivered more often than these events came.
    new = {(source, digest): id for id, source, digest, all in inserted if all == counts[source, digest]}
    return dict(sorted(new.items(), key=lambda item: item[1]))


@cache
def _insert_statement(dialect: str) -> Any:
    statement = insert_in(dialect, TABLE)
    statement = statement.on_conflict_do_update(
        index_elements=["source", "digest"],
        set_={
            "deliveries": TABLE.c.deliveries + statement.excluded.deliveries,
            "last_received_at": statement.excluded.last_received_at,
        },
    )
    return statement.returning(TABLE.c.id, TABLE.c.source, TABLE.c.digest, TABLE.c.deliveries)


def _row(event: NewEvent, deliveries: int, now: datetime, found_by: FoundBy) -> dict[str, Any]:
    return {
        "source": event.source,
        "name": event.name,
        "entity": event.entity,
        "entity_id": event.entity_id,
        "digest": event.digest,
        "found_by": found_by,
        "state": EventState.DEAD if event.dead else EventState.WAITING,
        "reason": event.dead,
        "attempts": 0,
        "deliveries": deliveries,
        "replays": 0,
        "due_at": now,
        "received_at": now,
        "last_received_at": now,
        "closed_at": now if event.dead else None,
    }


def recover_expired(connection: Connection, *, max_attempts: int, now: datetime) -> list[Abandoned]:
    """Take back the events whose workers fell silent: they wait again, or are dead after their last attempt.

    Gives one entry an event, with the worker's name, so that somebody can be told; what is too many for one
    transaction is taken back by the next call.
    """
    expired = (
        select(TABLE.c.id, TABLE.c.lease_owner)
        .where(TABLE.c.state == EventState.LEASED, TABLE.c.lease_until < now)
        .order_by(TABLE.c.id)
        .limit(RECOVERED_TOGETHER)
        .with_for_update(skip_locked=True)
    )
    owners = {row.id: row.lease_owner for row in connection.execute(expired)}
    if not owners:
        return []
    abandoned = [
        Abandoned(event, owners[event.id], is_dead=event.attempts >= max_attempts)
        for event in _read_events(connection, TABLE.c.id.in_(owners))
    ]
    for is_dead, values in (
        (True, {"state": EventState.DEAD, "closed_at": now}),
        (False, {"state": EventState.WAITING}),  # due as before: it stands at the head of the queue
    ):
        ids = [each.event.id for each in abandoned if each.is_dead == is_dead]
        if ids:
            reason = "Its worker ended without a word."
            connection.execute(
                update(TABLE).where(TABLE.c.id.in_(ids)).values(reason=reason, **values, **NO_LEASE)
            )
    return abandoned


def claim_events(connection: Connection, *, limit: int, lease_seconds: int, now: datetime) -> Claim:
    """Take up to `limit` due events, longest due first; no other worker gets them before the lease ends.

    What is new of a record waits until the worker that has the record is through with it. The attempt is
    counted now: an event that kills its worker cannot come back for ever.
    """
    wait_for_claims(connection)
    token = secrets.token_hex(16)
    until = now + timedelta(seconds=lease_seconds)
    lease = {
        "state": EventState.LEASED,
        "attempts": TABLE.c.attempts + 1,
        "lease_owner": worker_name(),
        "lease_token": token,
        "lease_until": until,
    }
    claimed = (
        update(TABLE)
        .where(TABLE.c.id.in_(select_due(now, limit).scalar_subquery()))
        .values(lease)
        .returning(TABLE.c.id)
    )
    ids = list(connection.scalars(claimed))
    return Claim(token, until, _read_events(connection, TABLE.c.id.in_(ids)) if ids else ())


def renew_lease(connection: Connection, token: str, *, until: datetime) -> set[int]:
    """Hold on to what a claim still has, and give its ids: the others are in another worker's hands."""
    renewed = update(TABLE).where(_held_by(token)).values(lease_until=until).returning(TABLE.c.id)
    return set(connection.scalars(renewed))


def finish(connection: Connection, token: str, ids: Sequence[int], *, now: datetime) -> set[int]:
    """Close events as done. Like the next ones: give the ids that were still the token's to move."""
    return _move(connection, token, ids, state=EventState.DONE, reason=None, closed_at=now)


def skip(connection: Connection, token: str, ids: Sequence[int], reason: str, *, now: datetime) -> set[int]:
    """Close events of which there is nothing to do."""
    return _move(connection, token, ids, state=EventState.SKIPPED, reason=reason, closed_at=now)


def bury(connection: Connection, token: str, ids: Sequence[int], reason: str, *, now: datetime) -> set[int]:
    """Close events that cannot be handled as dead letters."""
    return _move(connection, token, ids, state=EventState.DEAD, reason=reason, closed_at=now)


def retry_later(
    connection: Connection, token: str, ids: Sequence[int], reason: str, *, due_at: datetime
) -> set[int]:
    """Let events wait for another try."""
    return _move(connection, token, ids, state=EventState.WAITING, reason=reason, due_at=due_at)


def give_back(
    connection: Connection, token: str, ids: Sequence[int], reason: str, *, due_at: datetime
) -> set[int]:
    """Put events down as if they had never been taken: this attempt does not count."""
    values = {"attempts": TABLE.c.attempts - 1, "reason": reason, "due_at": due_at}
    return _move(connection, token, ids, state=EventState.WAITING, **values)


def replay(
    connection: Connection,
    ids: Sequence[int],
    *,
    now: datetime,
    reason: str = "Put back by a person.",
    **values: Any,
) -> int:
    """Put closed events back to work, with all their tries before them; returns how many.

    One whose payload was pruned stays closed: there is nothing left to work on. `values` of other columns are
    set too.
    """
    payloads = tables.inbox_payloads
    result = connection.execute(
        update(TABLE)
        .where(
            TABLE.c.id.in_(ids),
            TABLE.c.state.in_(CLOSED),
            exists().where(payloads.c.event_id == TABLE.c.id),
        )
        .values(
            state=EventState.WAITING,
            reason=reason,
            replays=TABLE.c.replays + 1,
            attempts=0,
            due_at=now,
            closed_at=None,
            **values,
        )
    )
    return result.rowcount


def _held_by(token: str) -> ColumnElement[bool]:
    return and_(TABLE.c.lease_token == token, TABLE.c.state == EventState.LEASED)


def _move(connection: Connection, token: str, ids: Sequence[int], **values: Any) -> set[int]:
    if not ids:
        return set()
    moved = update(TABLE).where(TABLE.c.id.in_(ids), _held_by(token)).values(**values, **NO_LEASE)
    return set(connection.scalars(moved.returning(TABLE.c.id)))


def _read_events(connection: Connection, condition: ColumnElement[bool]) -> tuple[Event, ...]:
    payloads = tables.inbox_payloads
    columns = (
        TABLE.c.id, TABLE.c.source, TABLE.c.name, TABLE.c.entity, TABLE.c.entity_id, TABLE.c.attempts,
        TABLE.c.replays, TABLE.c.found_by,
    )  # fmt: skip
    query = select(*columns, payloads.c.body).join(payloads, payloads.c.event_id == TABLE.c.id)
    rows = connection.execute(query.where(condition).order_by(TABLE.c.id))
    return tuple(Event(**row._asdict()) for row in rows)
