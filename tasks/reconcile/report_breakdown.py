"""Where the open mismatches of orders are: at which gateway, with which item."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, FromClause, Subquery, and_, distinct, func, or_, select

from tasks.database import tables
from tasks.reconcile.mismatch import MismatchState
from tasks.reconcile.report_money import money_of
from tasks.records.models import Entity, Side

TOP = 10
MISMATCHES, ORDERS, LINES = tables.mismatches, tables.orders, tables.order_lines


@dataclass(slots=True)
class Share:
    """Orders with an open mismatch that were paid through one gateway, or hold one item.

    `id` is UltraCart's gateway code or item id, "" for none; `cents` is the money in disagreement, by
    currency. An order of several items counts for each, so items have no money.
    """

    id: str
    name: str = ""
    orders: int = 0
    mismatches: int = 0
    cents: Counter[str] = field(default_factory=Counter)


def read_gateways(connection: Connection) -> Sequence[Share]:
    """Give the `TOP` gateways by orders with open mismatches; UltraCart's word counts, else Thiio's."""
    open_, ultracart, thiio = _open(), ORDERS.alias(), ORDERS.alias()
    code = func.coalesce(ultracart.c.gateway_code, thiio.c.gateway_code, "")
    currency = func.coalesce(ultracart.c.currency, thiio.c.currency, "USD")
    joined: FromClause = open_
    for side, orders in ((Side.ULTRACART, ultracart), (Side.THIIO, thiio)):
        joined = joined.outerjoin(orders, and_(orders.c.side == side, orders.c.id == open_.c[f"{side}_id"]))
    query = (
        select(code, currency, func.count(distinct(open_.c.pair)), func.count(), func.sum(open_.c.cents))
        .select_from(joined)
        .group_by(code, currency)
    )
    shares: dict[str, Share] = {}
    for id, currency_, orders_, number, cents in connection.execute(query):
        share = shares.setdefault(id, Share(id))
        share.orders += orders_
        share.mismatches += number
        if cents:
            share.cents[currency_] += int(cents)
    return sorted(shares.values(), key=lambda share: (-share.orders, -share.mismatches, share.id))[:TOP]


def read_items(connection: Connection) -> Sequence[Share]:
    """Give the `TOP` items by orders with open mismatches; UltraCart's lines count, else Thiio's."""
    open_, items = _open(), tables.products
    lines = and_(
        ~LINES.c.is_component,
        or_(
            and_(LINES.c.side == Side.ULTRACART, LINES.c.order_id == open_.c.ultracart_id),
            and_(
                LINES.c.side == Side.THIIO,
                LINES.c.order_id == open_.c.thiio_id,
                open_.c.ultracart_id == "",
            ),
        ),
    )
    id = func.coalesce(LINES.c.item_id, "")
    orders = func.count(distinct(open_.c.pair)).label("orders")
    mismatches = func.count(distinct(open_.c.id))
    query = select(id, orders, mismatches).select_from(open_.join(LINES, lines)).group_by(id)
    found = connection.execute(query.order_by(orders.desc(), mismatches.desc(), id).limit(TOP)).all()
    named = select(items.c.id, items.c.name).where(
        items.c.side == Side.ULTRACART, items.c.id.in_([row[0] for row in found])
    )
    names = {item: name for item, name in connection.execute(named)}
    return [Share(item, names.get(item) or "", *counts) for item, *counts in found]


def _open() -> Subquery:
    return (
        select(
            MISMATCHES.c.id,
            MISMATCHES.c.ultracart_id,
            MISMATCHES.c.thiio_id,
            (MISMATCHES.c.ultracart_id + "\n" + MISMATCHES.c.thiio_id).label("pair"),
            money_of(MISMATCHES.c).label("cents"),
        )
        .where(MISMATCHES.c.state == MismatchState.OPEN, MISMATCHES.c.entity == Entity.ORDER)
        .subquery()
    )
