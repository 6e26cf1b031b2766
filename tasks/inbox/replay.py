"""Find closed events that a person wants to be worked off again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from tasks.database import tables
from tasks.inbox.events import CLOSED

TABLE = tables.inbox_events


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which events are meant: all conditions that are given must hold. Times are of the first receipt."""

    state: str | None = "dead"
    ids: Sequence[int] = ()
    entity_id: str | None = None
    name: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    limit: int = 1_000


def find_events(connection: Connection, choice: Choice) -> list[int]:
    """Give the ids of the closed events that a choice means, oldest first, at most `limit` of them."""
    query = select(TABLE.c.id).where(TABLE.c.state.in_(CLOSED))
    if choice.state is not None:
        query = query.where(TABLE.c.state == choice.state)
    if choice.ids:
        query = query.where(TABLE.c.id.in_(choice.ids))
    if choice.entity_id is not None:
        query = query.where(TABLE.c.entity_id == choice.entity_id)
    if choice.name is not None:
        query = query.where(TABLE.c.name == choice.name)
    if choice.start is not None:
        query = query.where(TABLE.c.received_at >= choice.start)
    if choice.end is not None:
        query = query.where(TABLE.c.received_at < choice.end)
    return list(connection.scalars(query.order_by(TABLE.c.id).limit(choice.limit)))
