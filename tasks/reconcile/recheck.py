"""Look again at open mismatches that a run's window did not reach: what agrees again is closed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, Engine, and_, exists, or_, select

from tasks.database import tables
from tasks.reconcile import ledger
from tasks.reconcile.judge import PAGE, judge
from tasks.reconcile.mismatch import MismatchState
from tasks.reconcile.scope import RECORDS, Scope
from tasks.reconcile.terms import Terms
from tasks.records.models import Entity, Side

TABLE = tables.mismatches


class OpenMismatch(NamedTuple):
    """An open mismatch by its number, with the ids of its records."""

    id: int
    ultracart_id: str
    thiio_id: str


def recheck_open(engine: Engine, entity: Entity, terms: Terms) -> int:
    """Judge every open mismatch this run has not seen, and resolve those that are gone; returns how many.

    Whatever made it go counts: a record stored since, a new counterpart, a push, other terms. One with a
    record too young to be judged stays open.
    """
    resolved, after = 0, 0
    while page := _read_unseen(engine, entity, terms, after):
        ids = {side: sorted({getattr(row, f"{side}_id") for row in page} - {""}) for side in Side}
        conflicts = judge(engine, Scope(entity, ids=ids), terms)
        unsettled = {(mismatch.ultracart_id, mismatch.thiio_id) for mismatch in conflicts.settling}
        with engine.begin() as connection:
            gone = _select_gone(connection, entity, [row.id for row in page], terms)
            resolved += ledger.resolve(
                connection,
                [row.id for row in gone if (row.ultracart_id, row.thiio_id) not in unsettled],
                now=terms.now,
            )
        after = page[-1].id
    return resolved


def _read_unseen(engine: Engine, entity: Entity, terms: Terms, after: int) -> list[OpenMismatch]:
    query = select(TABLE.c.id, TABLE.c.ultracart_id, TABLE.c.thiio_id).where(
        TABLE.c.entity == entity,
        TABLE.c.state == MismatchState.OPEN,
        TABLE.c.last_seen_at < terms.now,
        TABLE.c.id > after,
    )
    with engine.begin() as connection:
        rows = connection.execute(query.order_by(TABLE.c.id).limit(PAGE))
        return [OpenMismatch(*row) for row in rows]


def _select_gone(
    connection: Connection, entity: Entity, ids: Sequence[int], terms: Terms
) -> list[OpenMismatch]:
    records = RECORDS[entity]
    named = or_(
        and_(records.c.side == Side.ULTRACART, records.c.id == TABLE.c.ultracart_id),
        and_(records.c.side == Side.THIIO, records.c.id == TABLE.c.thiio_id),
    )
    is_young = exists().where(named, records.c.as_of > terms.settled_until)
    query = select(TABLE.c.id, TABLE.c.ultracart_id, TABLE.c.thiio_id)
    query = query.where(TABLE.c.id.in_(ids), TABLE.c.last_seen_at < terms.now, ~is_young)
    return [OpenMismatch(*row) for row in connection.execute(query)]
