"""Pairs whose times differ by more than the tolerance, in SQL: what no digest can tell.

The query finds them rather than the explanation: a phone order has another date on either side by its
nature, and would be fetched and explained with every run.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, FromClause, and_, exists, false, func, literal, not_, or_

from tasks.database import tables
from tasks.database.elapsed import seconds_between
from tasks.reconcile.fields import FIELDS, PLACED_AT, FieldKind, Tolerances
from tasks.records.models import Entity


def times_differ(
    entity: Entity, ultracart: FromClause, thiio: FromClause, tolerances: Tolerances, prefix: str
) -> ColumnElement[bool]:
    """Say in SQL that both sides give a time, and not the same; never null, so that it can be negated."""
    # A little less than the tolerance: the explanation decides exactly, and this must miss nothing.
    limit = tolerances.time.total_seconds() - 1
    apart: list[ColumnElement[bool]] = []
    for field in FIELDS[entity]:
        if field.kind is FieldKind.TIME:
            ours, theirs = ultracart.c[field.name], thiio.c[field.name]
            # Most are equal to the second, which is told without any arithmetic.
            differs = and_(ours != theirs, seconds_between(ours, theirs) > limit)
            if field is PLACED_AT:
                differs = and_(differs, not_(is_pushed(ultracart, thiio, prefix)))
            apart.append(differs)
    return func.coalesce(or_(*apart), false()) if apart else false()


def is_pushed(ultracart: FromClause, thiio: FromClause, prefix: str) -> ColumnElement[bool]:
    """Say in SQL that UltraCart's order was made of Thiio's: by our partner order id, or by the push."""
    pushes = tables.pushes
    by_id = func.coalesce(ultracart.c.partner_order_id == literal(prefix) + thiio.c.id, false())
    # The webhook of a pushed order need not carry the channel partner.
    by_push = exists().where(
        pushes.c.thiio_order_id == thiio.c.id, pushes.c.ultracart_order_id == ultracart.c.id
    )
    return or_(by_id, by_push)
