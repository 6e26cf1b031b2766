"""Delete what is closed and past its retention: first payloads, later rows. What is open or dead stays.

In many small transactions: the receiver must be able to store between any two of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Engine, delete, false, func, not_, or_, select

from tasks.database import tables
from tasks.inbox.events import OPEN, EventState
from tasks.settings import InboxSettings

EVENTS, PAYLOADS, NOTIFICATIONS = tables.inbox_events, tables.inbox_payloads, tables.notifications
FINISHED = (EventState.DONE, EventState.SKIPPED)
ROWS_A_DELETE = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Cuts:
    """The times before which things are old; `dead` None keeps dead letters for ever."""

    payloads: datetime
    events: datetime
    dead: datetime | None


def cuts_for(now: datetime, settings: InboxSettings, days: int | None = None) -> Cuts:
    """Give the cuts of the settings; `days` is taken instead of theirs, but never reaches dead letters."""
    kept = days or settings.retention_days
    dead = settings.dead_retention_days
    return Cuts(
        payloads=now - timedelta(days=min(kept, settings.payload_retention_days)),
        events=now - timedelta(days=kept),
        dead=now - timedelta(days=dead) if dead else None,
    )


def count_old(connection: Connection, cuts: Cuts) -> dict[str, int]:
    """Count what `delete_old` would delete; payloads are also those of the events that go whole."""
    return {
        name: connection.scalar(select(func.count()).select_from(key.table).where(old)) or 0
        for name, (key, old) in _old(cuts).items()
    }


def delete_old(engine: Engine, cuts: Cuts) -> dict[str, int]:
    """Delete payloads, then notifications and events, and say how many of each."""
    return {name: _delete(engine, key, old) for name, (key, old) in _old(cuts).items()}


def _old(cuts: Cuts) -> Mapping[str, tuple[Column[Any], ColumnElement[bool]]]:
    is_finished = EVENTS.c.state.in_(FINISHED)
    is_given_up = (
        false()
        if cuts.dead is None
        else (EVENTS.c.state == EventState.DEAD) & (EVENTS.c.closed_at < cuts.dead)
    )
    closed = select(EVENTS.c.id).where(is_finished & (EVENTS.c.closed_at < cuts.payloads) | is_given_up)
    # The story of what is open or dead is told as long as that is so.
    still_matters = (
        select(EVENTS.c.id)
        .where(EVENTS.c.id == NOTIFICATIONS.c.event_id, EVENTS.c.state.in_((*OPEN, EventState.DEAD)))
        .exists()
    )
    return {
        "payloads": (PAYLOADS.c.event_id, PAYLOADS.c.event_id.in_(closed)),
        "notifications": (
            NOTIFICATIONS.c.id,
            (NOTIFICATIONS.c.created_at < cuts.events) & not_(still_matters),
        ),
        "events": (EVENTS.c.id, or_(is_finished & (EVENTS.c.closed_at < cuts.events), is_given_up)),
    }


def _delete(engine: Engine, key: Column[Any], old: ColumnElement[bool]) -> int:
    total = 0
    some = select(key).where(old).limit(ROWS_A_DELETE)
    while True:
        with engine.begin() as connection:
            count = connection.execute(delete(key.table).where(key.in_(some.scalar_subquery()))).rowcount
        total += count
        if count < ROWS_A_DELETE:
            return total
