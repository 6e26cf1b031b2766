"""The open mismatches as the report reads them: counted by kind and cause, the largest ones, or all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, FromClause, Row, Select, and_, case, func, null, select

from tasks.database import tables
from tasks.reconcile.mismatch import MismatchState
from tasks.records.models import Entity, Side

ROWS_SHOWN = 40
"""Rows of one kind and cause that the report spells out; the CSV file holds all."""
FETCHED_ROWS = 1_000
TABLE = tables.mismatches


class OpenRow(NamedTuple):
    """An open mismatch; `amount_cents` is in minor units of `currency`, and both are None without money."""

    id: int
    entity: str
    kind: str
    field: str
    ultracart_id: str
    thiio_id: str
    ultracart_value: str | None
    thiio_value: str | None
    amount_cents: int | None
    currency: str | None
    placed_at: datetime | None
    first_seen_at: datetime
    last_seen_at: datetime
    times_seen: int
    cause: str
    remedy: str


def count_open(connection: Connection, *, new_since: datetime, old_before: datetime) -> Sequence[Row[Any]]:
    """Count open mismatches by entity, kind, field, cause and currency; `cents` sums absolute amounts."""
    listed = _select_open().subquery()
    keys = (listed.c.entity, listed.c.kind, listed.c.field, listed.c.cause, listed.c.currency)
    query = select(
        *keys,
        func.min(listed.c.remedy).label("remedy"),
        func.count().label("number"),
        func.sum(case((listed.c.first_seen_at >= new_since, 1), else_=0)).label("new"),
        func.sum(case((listed.c.first_seen_at < old_before, 1), else_=0)).label("old"),
        func.min(listed.c.first_seen_at).label("oldest"),
        func.sum(func.abs(listed.c.amount_cents)).label("cents"),
    )
    return connection.execute(query.group_by(*keys)).all()


def read_shown(connection: Connection) -> Iterator[OpenRow]:
    """Read the first `ROWS_SHOWN` of each kind and cause: most money first, then the oldest."""
    largest_first = (
        func.coalesce(func.abs(TABLE.c.amount_cents), -1).desc(),
        TABLE.c.first_seen_at,
        TABLE.c.id,
    )
    rank = func.row_number().over(
        partition_by=(TABLE.c.entity, TABLE.c.kind, TABLE.c.field, TABLE.c.cause), order_by=largest_first
    )
    ranked = _select_open().add_columns(rank.label("rank")).subquery()
    columns = [ranked.c[name] for name in OpenRow._fields]
    query = select(*columns).where(ranked.c.rank <= ROWS_SHOWN).order_by(ranked.c.rank, ranked.c.id)
    return (OpenRow(*row) for row in connection.execute(query))


def stream_open(connection: Connection) -> Iterator[OpenRow]:
    """Read all of them in order of their number, without holding them all in memory."""
    query = _select_open().order_by(TABLE.c.id).execution_options(yield_per=FETCHED_ROWS)
    return (OpenRow(*row) for row in connection.execute(query))


def _select_open() -> Select[Any]:
    return select_listed(TABLE.c.state == MismatchState.OPEN)


def select_listed(*conditions: ColumnElement[bool]) -> Select[Any]:
    """Select the columns of `OpenRow` of the mismatches that fulfil all conditions, whatever their state."""
    ultracart, thiio = tables.orders.alias(), tables.orders.alias()
    currency = func.coalesce(ultracart.c.currency, thiio.c.currency, "USD")
    computed: dict[str, ColumnElement[Any]] = {
        "currency": case((TABLE.c.amount_cents.is_(None), null()), else_=currency),
        "cause": func.coalesce(TABLE.c.cause, ""),
        "remedy": func.coalesce(TABLE.c.remedy, ""),
    }
    columns = [computed[name].label(name) if name in computed else TABLE.c[name] for name in OpenRow._fields]
    joined: FromClause = TABLE
    for side, orders in ((Side.ULTRACART, ultracart), (Side.THIIO, thiio)):
        joined = joined.outerjoin(
            orders,
            and_(
                TABLE.c.entity == Entity.ORDER,
                orders.c.side == side,
                orders.c.id == TABLE.c[f"{side}_id"],
            ),
        )
    return select(*columns).select_from(joined).where(*conditions)
