"""A long stretch of time cut into windows, each done once: what lets a backfill be killed and go on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, delete, select, update

from tasks.database import tables
from tasks.database.upsert import insert_for
from tasks.records.models import Window

TABLE = tables.windows


@dataclass(frozen=True, slots=True)
class PlannedWindow:
    """A window of a job, and since when it is done (aware UTC); `row_count` is what was read in it."""

    window: Window
    done_at: datetime | None = None
    row_count: int = 0

    @property
    def is_done(self) -> bool:
        """Tell whether it is done."""
        return self.done_at is not None


def check_times(start: datetime | None, end: datetime | None) -> None:
    """Raise `ValueError` in a form's words if a stretch ends before it starts; without `end` it ends now."""
    end = end or datetime.now(UTC)
    if start and end <= start:
        raise ValueError(f"'Until' ({end}) must be later than 'From' ({start}).")


def cut_into_windows(start: datetime, end: datetime, width: timedelta) -> list[Window]:
    """Cut [start, end) into windows of `width`, oldest first; the last one may be shorter."""
    windows = []
    while start < end:
        windows.append(Window(start, min(start + width, end)))
        start += width
    return windows


def read_windows(connection: Connection, job: str) -> list[PlannedWindow]:
    """Give the windows that a job was cut into, oldest first; none if it was never started."""
    columns = (TABLE.c.start_at, TABLE.c.end_at, TABLE.c.done_at, TABLE.c.row_count)
    query = select(*columns).where(TABLE.c.job == job).order_by(TABLE.c.start_at)
    return [
        PlannedWindow(Window(start, end), done_at, row_count or 0)
        for start, end, done_at, row_count in connection.execute(query)
    ]


def join_on(
    planned: Sequence[PlannedWindow], start: datetime, end: datetime, width: timedelta
) -> list[PlannedWindow]:
    """Cut [start, end) into windows, of which those that are planned already stay as they are.

    A job whose end was still to come when it was started goes on from there.
    """
    reached = max((each.window.end for each in planned), default=start)
    return [*planned, *(PlannedWindow(window) for window in cut_into_windows(reached, end, width))]


def write_windows(connection: Connection, job: str, windows: Sequence[PlannedWindow]) -> None:
    """Write down the windows of a job; those already known keep their state."""
    rows = [
        {"job": job, "start_at": each.window.start, "end_at": each.window.end, "state": "planned"}
        for each in windows
    ]
    if rows:
        connection.execute(insert_for(connection, TABLE).on_conflict_do_nothing(), rows)


def finish_window(connection: Connection, job: str, window: Window, *, row_count: int, now: datetime) -> None:
    """Mark a window done."""
    connection.execute(
        update(TABLE)
        .where(TABLE.c.job == job, TABLE.c.start_at == window.start, TABLE.c.end_at == window.end)
        .values(state="done", row_count=row_count, done_at=now)
    )


def forget_windows(connection: Connection, job: str) -> None:
    """Forget what a job has done, so that all of it is done again."""
    connection.execute(delete(TABLE).where(TABLE.c.job == job))
