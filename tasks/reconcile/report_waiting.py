"""What else keeps the sides apart: phone orders that did not reach UltraCart, events nobody could handle."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, func, select

from tasks.database import tables

WAITING = ("rejected", "in_doubt", "held")
"""The states of `tasks.push.outbox.PushState` in which somebody should look, the worst first."""
DEAD = "dead"
ROWS_SHOWN = 100
FETCHED_ROWS = 1_000


class WaitingPush(NamedTuple):
    """A Thiio order that is not in UltraCart, or may not be; `reason` and `remedy` as the push wrote them."""

    thiio_order_id: str
    state: str
    reason: str | None
    remedy: str | None
    total_cents: int | None
    currency: str | None
    planned_at: datetime


class DeadLetter(NamedTuple):
    """An event that cannot be handled, with the reason."""

    id: int
    source: str
    name: str
    entity: str
    entity_id: str | None
    reason: str | None
    received_at: datetime


def read_waiting(connection: Connection) -> Sequence[WaitingPush]:
    """Read every push that waits for somebody, oldest first within its state."""
    table = tables.pushes
    columns = [table.c[name] for name in WaitingPush._fields]
    query = select(*columns).where(table.c.state.in_(WAITING))
    rows = connection.execute(query.order_by(table.c.planned_at, table.c.thiio_order_id))
    return sorted((WaitingPush(*row) for row in rows), key=lambda push: WAITING.index(push.state))


def count_dead(connection: Connection) -> int:
    """Count the dead letters of the inbox."""
    events = tables.inbox_events
    return connection.scalar(select(func.count()).select_from(events).where(events.c.state == DEAD)) or 0


def read_dead(connection: Connection) -> Sequence[DeadLetter]:
    """Read the newest `ROWS_SHOWN` dead letters."""
    return [DeadLetter(*row) for row in connection.execute(_select_dead().limit(ROWS_SHOWN))]


def stream_dead(connection: Connection) -> Iterator[DeadLetter]:
    """Read all of them, the newest first, without holding them all in memory."""
    query = _select_dead().execution_options(yield_per=FETCHED_ROWS)
    return (DeadLetter(*row) for row in connection.execute(query))


def _select_dead() -> Select[Any]:
    events = tables.inbox_events
    columns = [events.c[name] for name in DeadLetter._fields]
    return select(*columns).where(events.c.state == DEAD).order_by(events.c.id.desc())
