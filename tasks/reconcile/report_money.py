"""Money: what a mismatch puts in disagreement, and how much of what orders cost both sides tell alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, and_, case, func, or_, select

from tasks.database import tables
from tasks.reconcile.mismatch import MismatchKind, MismatchState
from tasks.reconcile.report import MONEY_FIELDS
from tasks.records.models import Entity, Side

LINKS, MISMATCHES = tables.links, tables.mismatches
DECISIVE = ("total_cents", "currency")
"""The fields whose difference puts an order's money in disagreement."""


@dataclass(frozen=True, slots=True)
class MoneyAgreement:
    """What linked orders cost whose total both sides say, as UltraCart says it, in minor units.

    `agreeing`: of those without an open mismatch of total or currency; what a person ignores agrees.
    """

    currency: str
    known: int
    agreeing: int


def money_of(columns: Any) -> ColumnElement[int | None]:
    """Give in SQL the money that a mismatch puts in disagreement, as `Group.is_money` has it; else null."""
    is_money = or_(columns.kind != MismatchKind.FIELD_DIFFERS, columns.field.in_(MONEY_FIELDS))
    return case((is_money, func.abs(columns.amount_cents)))


def read_money(connection: Connection) -> Sequence[MoneyAgreement]:
    """Sum up the totals of linked orders by currency, most money first.

    Every link is looked up once on each side, by key; what disagrees comes from the ledger alone.
    """
    differing = dict(_sum_differing(connection))
    sums = [
        MoneyAgreement(currency, known, known - differing.get(currency, 0))
        for currency, known in _sum_known(connection)
    ]
    return sorted(sums, key=lambda money: (-money.known, money.currency))


def _sum_known(connection: Connection) -> Iterator[tuple[str, int]]:
    ultracart, thiio = tables.orders.alias(), tables.orders.alias()
    joined = LINKS.join(ultracart, _is(ultracart, Side.ULTRACART)).join(thiio, _is(thiio, Side.THIIO))
    return _sum(connection, joined, ultracart, thiio, LINKS.c.entity == Entity.ORDER)


def _sum_differing(connection: Connection) -> Iterator[tuple[str, int]]:
    ultracart, thiio = tables.orders.alias(), tables.orders.alias()
    pairs = (
        select(MISMATCHES.c.ultracart_id, MISMATCHES.c.thiio_id)
        .where(
            MISMATCHES.c.state == MismatchState.OPEN,
            MISMATCHES.c.kind == MismatchKind.FIELD_DIFFERS,
            MISMATCHES.c.entity == Entity.ORDER,
            MISMATCHES.c.field.in_(DECISIVE),
        )
        .distinct()
        .subquery()
    )
    link = and_(
        LINKS.c.entity == Entity.ORDER,
        LINKS.c.ultracart_id == pairs.c.ultracart_id,
        LINKS.c.thiio_id == pairs.c.thiio_id,
    )
    joined = (
        pairs.join(LINKS, link)
        .join(ultracart, _is(ultracart, Side.ULTRACART))
        .join(thiio, _is(thiio, Side.THIIO))
    )
    return _sum(connection, joined, ultracart, thiio)


def _is(orders: FromClause, side: Side) -> ColumnElement[bool]:
    return and_(orders.c.side == side, orders.c.id == LINKS.c[f"{side}_id"])


def _sum(
    connection: Connection,
    joined: FromClause,
    ultracart: FromClause,
    thiio: FromClause,
    *conditions: ColumnElement[bool],
) -> Iterator[tuple[str, int]]:
    currency = func.coalesce(ultracart.c.currency, thiio.c.currency, "USD")
    query = (
        select(currency, func.sum(ultracart.c.total_cents))
        .select_from(joined)
        .where(ultracart.c.total_cents.is_not(None), thiio.c.total_cents.is_not(None), *conditions)
        .group_by(currency)
    )
    # Postgres sums integers as Decimal.
    return ((code, int(cents)) for code, cents in connection.execute(query))
