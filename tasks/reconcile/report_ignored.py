"""What people have set aside: which mismatches, until when, and why."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, select

from tasks.database import tables
from tasks.reconcile.mismatch import MismatchState

ROWS_SHOWN = 100


class IgnoredRow(NamedTuple):
    """A mismatch that a person ignores; `ignored_until` None: until somebody takes it back."""

    id: int
    entity: str
    kind: str
    field: str
    ultracart_id: str
    thiio_id: str
    ignored_until: datetime | None
    reason: str | None


def read_ignored(connection: Connection) -> Sequence[IgnoredRow]:
    """Read the first `ROWS_SHOWN` whose time is over first."""
    table = tables.mismatches
    query = select(*(table.c[name] for name in IgnoredRow._fields))
    query = query.where(table.c.state == MismatchState.IGNORED)
    query = query.order_by(table.c.ignored_until.is_(None), table.c.ignored_until, table.c.id)
    return [IgnoredRow(*row) for row in connection.execute(query.limit(ROWS_SHOWN))]
