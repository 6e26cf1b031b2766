"""Which events a worker may be given: those that are due, and whose record no other worker has."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, Connection, FromClause, Select, func, select, text

from tasks.database import tables
from tasks.inbox.events import EventState

TABLE = tables.inbox_events
CLAIM_LOCK = 8_734_023
"""Number of the Postgres advisory lock under which events are claimed; any number of our own does."""
FROZEN_SECONDS = 5
"""So long a worker that stops in the middle of a claim keeps the others from theirs."""


def wait_for_claims(connection: Connection) -> None:
    """Let one claim at a time choose, until the transaction ends, as SQLite does anyway.

    Two at once could not see each other's choice, and would share out the events of one record.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SET LOCAL idle_in_transaction_session_timeout = '{FROZEN_SECONDS}s'"))
        connection.execute(text(f"SELECT pg_advisory_xact_lock({CLAIM_LOCK})"))


def select_due(now: datetime, limit: int) -> Select[int]:
    """Select the ids of up to `limit` due events, those that have been due longest first.

    A row that the receiver is counting a repeated delivery on is passed over, not waited for.
    """
    return (
        select(TABLE.c.id)
        .where(TABLE.c.state == EventState.WAITING, TABLE.c.due_at <= now, ~_is_in_hands())
        .order_by(TABLE.c.due_at, TABLE.c.id)  # as the index has them: a long queue is not read as a whole
        .limit(limit)
        .with_for_update(skip_locked=True)
    )


def _is_in_hands() -> ColumnElement[bool]:
    # Two workers with events of one record would race: between snapshots of the same second, the slower one
    # would deliver what it had read before the other asked UltraCart. The leased ones are listed once: to
    # look for each event among them takes seconds if many wait.
    held = TABLE.alias()
    records = select(_record_of(held)).where(held.c.state == EventState.LEASED, held.c.entity_id.is_not(None))
    return _record_of(TABLE).in_(records)


def _record_of(table: FromClause) -> ColumnElement[str]:
    # One text that is never NULL: for a NULL, SQLite would search the whole list.
    return table.c.entity + ":" + func.coalesce(table.c.entity_id, "")
