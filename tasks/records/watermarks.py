"""How far each job has come; a window starts where the last one ended, never at "now"."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from tasks.database import tables
from tasks.database.upsert import insert_for
from tasks.records.models import Window


def next_window(
    connection: Connection, name: str, *, now: datetime, overlap: timedelta, first: timedelta
) -> Window:
    """Give the window from the watermark, less `overlap`, to `now`; `first` is the reach without one."""
    table = tables.watermarks
    reached = connection.scalar(select(table.c.reached_at).where(table.c.name == name))
    return Window(start=reached - overlap if reached else now - first, end=now)


def move_watermark(connection: Connection, name: str, reached: datetime, *, now: datetime) -> None:
    """Move a watermark forward, in the transaction that stored the rows; it never goes back."""
    table = tables.watermarks
    statement = insert_for(connection, table).values(name=name, reached_at=reached, moved_at=now)
    statement = statement.on_conflict_do_update(
        index_elements=["name"],
        set_={"reached_at": reached, "moved_at": now},
        where=table.c.reached_at < reached,
    )
    connection.execute(statement)
