"""A long stretch of time cut into windows, each done once: what lets a backfill be killed and go on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, select, update

from tasks.database import tables
from tasks.database.upsert import insert_for
from tasks.records.models import Window


def cut_into_windows(start: datetime, end: datetime, width: timedelta) -> list[Window]:
    """Cut [start, end) into windows of `width`, oldest first; the last one may be shorter."""
    windows = []
    while start < end:
        windows.append(Window(start, min(start + width, end)))
        start += width
    return windows


def plan_windows(connection: Connection, job: str, windows: Sequence[Window]) -> None:
    """Write down the windows of a job; those already known keep their state."""
    if not windows:
        return
    rows = [
        {"job": job, "start_at": window.start, "end_at": window.end, "state": "planned"} for window in windows
    ]
    connection.execute(insert_for(connection, tables.windows).on_conflict_do_nothing(), rows)


def unfinished_windows(connection: Connection, job: str) -> list[Window]:
    """Give the windows of a job that are still to be done, oldest first."""
    table = tables.windows
    query = select(table.c.start_at, table.c.end_at).where(table.c.job == job, table.c.state == "planned")
    return [Window(*row) for row in connection.execute(query.order_by(table.c.start_at))]


def finish_window(connection: Connection, job: str, window: Window, *, row_count: int, now: datetime) -> None:
    """Mark a window done."""
    table = tables.windows
    connection.execute(
        update(table)
        .where(table.c.job == job, table.c.start_at == window.start, table.c.end_at == window.end)
        .values(state="done", row_count=row_count, done_at=now)
    )
