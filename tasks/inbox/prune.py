"""Delete closed events and notifications past their retention. What is open or dead stays."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, delete, func, select

from tasks.database import tables
from tasks.inbox.events import EventState

EVENTS, NOTIFICATIONS = tables.inbox_events, tables.notifications


def cut_for(now: datetime, days: int) -> datetime:
    """Give the time before which things are old."""
    return now - timedelta(days=days)


def count_old(connection: Connection, cut: datetime) -> dict[str, int]:
    """Count what `delete_old` would delete."""
    return {
        name: connection.scalar(select(func.count()).select_from(table).where(old)) or 0
        for name, table, old in _old(cut)
    }


def delete_old(connection: Connection, cut: datetime) -> dict[str, int]:
    """Delete events that were closed before `cut` (their payloads go with them), and older notifications."""
    return {name: connection.execute(delete(table).where(old)).rowcount for name, table, old in _old(cut)}


def _old(cut: datetime) -> tuple[tuple[str, Table, ColumnElement[Any]], ...]:
    is_finished = EVENTS.c.state.in_((EventState.DONE, EventState.SKIPPED))
    return (
        ("events", EVENTS, is_finished & (EVENTS.c.closed_at < cut)),
        ("notifications", NOTIFICATIONS, NOTIFICATIONS.c.created_at < cut),
    )
