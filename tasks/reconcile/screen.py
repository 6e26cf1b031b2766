"""One pass over the records of a side that leaves out the pairs which agree: nearly all of them.

The database joins each record with its link and its counterpart and compares two numbers, the digests. Only
what is not a pair in agreement reaches us, so the pairs in agreement are counted by subtraction.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    and_,
    func,
    literal,
    not_,
    or_,
    select,
    text,
    true,
)

from tasks.reconcile.compare import Pair
from tasks.reconcile.scope import OTHER, Scope, is_linked, links_of, records_of
from tasks.reconcile.terms import Terms
from tasks.reconcile.times import times_differ
from tasks.records.models import Entity, Side

STREAMED_ROWS = 1_000
"""Rows that are fetched from the database's cursor at once."""


class Screened(NamedTuple):
    """A record that is not one of a pair in agreement: it stands alone (no `pair`), or is looked at.

    `is_compared` is False of pairs that both sides deleted, and of test orders: they are nobody's concern.
    """

    id: str
    pair: Pair | None
    is_compared: bool
    differs: bool
    is_settled: bool


def screen(connection: Connection, scope: Scope, subject: Side, terms: Terms) -> Iterator[Screened]:
    """Give the records of `subject` in scope that are not one of a pair in agreement, in no order.

    A pair comes with UltraCart's record if that is in scope, else with Thiio's.
    """
    entity, other = scope.entity, OTHER[subject]
    records, of_side = records_of(entity, subject)
    others, of_other_side = records_of(entity, other)
    links, of_entity = links_of(entity)
    sides = {subject: records, other: others}
    ultracart, thiio = sides[Side.ULTRACART], sides[Side.THIIO]

    is_compared = and_(
        not_(and_(ultracart.c.is_deleted, thiio.c.is_deleted)), _is_real(entity, ultracart, thiio)
    )
    differs = _differs(entity, ultracart, thiio, terms)
    limit = literal(terms.settled_until, ultracart.c.as_of.type)
    is_settled = and_(ultracart.c.as_of <= limit, thiio.c.as_of <= limit)
    if subject is Side.ULTRACART:
        stands_out = or_(not_(is_compared), differs)
    else:
        stands_out = not_(replace(scope, part=None).covers(ultracart, Side.ULTRACART))
    joined = records.outerjoin(links, and_(of_entity, links.c[f"{subject}_id"] == records.c.id))
    joined = joined.outerjoin(others, and_(of_other_side, others.c.id == links.c[f"{other}_id"]))
    query = (
        select(records.c.id, ultracart.c.id, thiio.c.id, is_compared, differs, is_settled)
        .select_from(joined)
        .where(of_side, scope.covers(records, subject), or_(others.c.id.is_(None), stands_out))
    )
    if connection.dialect.name == "postgresql":
        # All rows are wanted, not the first ones soon: without this Postgres looks records up one by one.
        connection.execute(text("SET LOCAL cursor_tuple_fraction = 1"))
    for id, ultracart_id, thiio_id, *said in connection.execute(query, execution_options=_STREAMED):
        pair = Pair(ultracart_id, thiio_id) if ultracart_id and thiio_id else None
        yield Screened(id, pair, *map(bool, said))


def count_covered(connection: Connection, scope: Scope, side: Side) -> tuple[int, int]:
    """Count the records of a side in scope: all, and those that are not deleted."""
    records, of_side = records_of(scope.entity, side)
    query = select(func.count(), func.count().filter(not_(records.c.is_deleted)))
    total, living = connection.execute(query.where(of_side, scope.covers(records, side))).one()
    return total, living


def find_unlinked(connection: Connection, scope: Scope, side: Side) -> Iterator[str]:
    """Give the ids of the living records of a side in scope that have no link, in no order."""
    records, of_side = records_of(scope.entity, side)
    query = select(records.c.id).where(
        of_side,
        scope.covers(records, side),
        ~records.c.is_deleted,
        ~is_linked(scope.entity, records, side),
    )
    return iter(connection.execute(query, execution_options=_STREAMED).scalars())


_STREAMED = {"yield_per": STREAMED_ROWS}


def _is_real(entity: Entity, ultracart: FromClause, thiio: FromClause) -> ColumnElement[bool]:
    if entity is Entity.CUSTOMER:
        return true()
    return or_(ultracart.c.is_test.is_not(True), thiio.c.is_test.is_not(True))


def _differs(entity: Entity, ultracart: FromClause, thiio: FromClause, terms: Terms) -> ColumnElement[bool]:
    """Say in SQL that the two must be looked at: other digest, other times, or another one named."""
    differs = or_(
        ultracart.c.digest != thiio.c.digest,
        times_differ(entity, ultracart, thiio, terms.tolerances, terms.partner_order_prefix),
    )
    if entity is Entity.ORDER and terms.thiio_names_ultracart:
        return or_(differs, thiio.c.other_side_id.is_distinct_from(ultracart.c.id))
    return differs
