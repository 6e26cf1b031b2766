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
    """Which events are meant: all conditions that are given must hold. Times are of the first receipt.

    `reason` is a part of the words that say why an event is dead or skipped, in any letter case.
    """

    state: str | None = "dead"
    ids: Sequence[int] = ()
    entity_id: str | None = None
    name: str | None = None
    reason: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    limit: int = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedEvent:
    """An event that can be replayed."""

    id: int
    name: str
    entity_id: str | None
    state: str
    reason: str | None
    replays: int
    received_at: datetime


def find_events(connection: Connection, choice: Choice) -> list[ClosedEvent]:
    """Give the closed events that a choice means, oldest first, at most `limit` of them.

    Those whose payload was pruned are left out: there is nothing left of them to work on.
    """
    columns = (TABLE.c[name] for name in ClosedEvent.__slots__)
    payloads = tables.inbox_payloads
    query = (
        select(*columns).join(payloads, payloads.c.event_id == TABLE.c.id).where(TABLE.c.state.in_(CLOSED))
    )
    if choice.state is not None:
        query = query.where(TABLE.c.state == choice.state)
    if choice.ids:
        query = query.where(TABLE.c.id.in_(choice.ids))
    if choice.entity_id is not None:
        query = query.where(TABLE.c.entity_id == choice.entity_id)
    if choice.name is not None:
        query = query.where(TABLE.c.name == choice.name)
    if choice.reason is not None:
        query = query.where(TABLE.c.reason.icontains(choice.reason, autoescape=True))
    if choice.start is not None:
        query = query.where(TABLE.c.received_at >= choice.start)
    if choice.end is not None:
        query = query.where(TABLE.c.received_at < choice.end)
    rows = connection.execute(query.order_by(TABLE.c.id).limit(choice.limit))
    return [ClosedEvent(**row._asdict()) for row in rows]
