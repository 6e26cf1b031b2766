"""The mismatches that a person asks for, one a line: any state, with why it is closed and until when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, or_, select

from tasks.database import tables

TABLE = tables.mismatches


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which mismatches are meant: all conditions that are given must hold.

    `ids` are numbers of mismatches; `record` is the id of a record, of either side.
    """

    state: str | None = None
    kind: str | None = None
    entity: str | None = None
    ids: Sequence[int] = ()
    record: str | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class MismatchLine:
    """A mismatch; times are aware UTC, values as the report shows them."""

    id: int
    entity: str
    kind: str
    field: str
    ultracart_id: str
    thiio_id: str
    ultracart_value: str | None
    thiio_value: str | None
    state: str
    reason: str | None
    ignored_until: datetime | None
    repair: str | None
    cause: str | None
    remedy: str | None
    first_seen_at: datetime
    last_seen_at: datetime
    times_seen: int
    closed_at: datetime | None


def find_mismatches(connection: Connection, wanted: Wanted) -> list[MismatchLine]:
    """Give the mismatches that are meant, the newest numbers first, at most `limit` of them."""
    query = select(*(TABLE.c[name] for name in MismatchLine.__slots__))
    for column in ("state", "kind", "entity"):
        if (value := getattr(wanted, column)) is not None:
            query = query.where(TABLE.c[column] == value)
    if wanted.ids:
        query = query.where(TABLE.c.id.in_(wanted.ids))
    if wanted.record is not None:
        query = query.where(or_(TABLE.c.ultracart_id == wanted.record, TABLE.c.thiio_id == wanted.record))
    rows = connection.execute(query.order_by(TABLE.c.id.desc()).limit(wanted.limit))
    return [MismatchLine(**row._asdict()) for row in rows]
