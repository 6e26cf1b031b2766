"""Records of one side whose counterpart should exist and does not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Row,
    Select,
    and_,
    exists,
    false,
    func,
    not_,
    or_,
    select,
)

from tasks.database import tables
from tasks.reconcile.causes import ADVICE, Cause
from tasks.reconcile.mismatch import Mismatch, MismatchKind
from tasks.reconcile.pairing import RULES, is_claimed
from tasks.reconcile.scope import BORN, OTHER, Scope, has_counterpart, records_of
from tasks.reconcile.terms import Terms
from tasks.records.models import Entity, OrderStatus, Side
from tasks.records.money import show_money

KINDS = {Side.ULTRACART: MismatchKind.MISSING_IN_THIIO, Side.THIIO: MismatchKind.MISSING_IN_ULTRACART}


@dataclass(frozen=True, slots=True)
class Evidence:
    """What other tables know about records of one page, by record id."""

    links: Mapping[str, str]  # to a counterpart that is not in the mirror
    events: Mapping[str, str]  # state of the newest inbox event
    pushes: Mapping[str, str]  # state of the push


@dataclass(frozen=True, slots=True)
class Alone:
    """Records without counterpart: mismatches, and the number of those too young to be judged."""

    mismatches: list[Mismatch]
    settling: int


def find_alone(connection: Connection, scope: Scope, side: Side, terms: Terms) -> Alone:
    """Judge the records of one side in scope that have no counterpart and should have one."""
    rows = connection.execute(_select_alone(scope, side, terms)).all()
    settled = [row for row in rows if row.as_of <= terms.settled_until]
    evidence = _gather_evidence(connection, scope.entity, side, [row.id for row in settled])
    return Alone([_mismatch(scope.entity, side, row, evidence) for row in settled], len(rows) - len(settled))


def _select_alone(scope: Scope, side: Side, terms: Terms) -> Select[Any]:
    entity = scope.entity
    records, of_side = records_of(entity, side)
    query = select(records).where(
        of_side,
        scope.covers(records, side),
        ~records.c.is_deleted,
        ~has_counterpart(entity, records, side),
        ~is_claimed(entity, records, side, terms.partner_order_prefix, RULES[entity]),
    )
    if entity is Entity.ORDER:
        query = query.where(_is_expected(records, side, terms))
    return query.order_by(records.c.id)


def _is_expected(orders: FromClause, side: Side, terms: Terms) -> ColumnElement[bool]:
    """Say in SQL that the other side should have this order too: no quote, no test, not cleared away."""
    status = func.coalesce(orders.c.status, "")
    expected = and_(status != OrderStatus.QUOTE, orders.c.is_test.is_not(True))
    if side is Side.ULTRACART:
        return expected
    is_rejected = status == OrderStatus.REJECTED
    rejected_at = func.coalesce(orders.c.rejected_at, orders.c.placed_at, orders.c.as_of)
    is_phone_order = orders.c.other_side_id.is_(None)
    pushes = tables.pushes
    is_being_pushed = and_(
        func.coalesce(orders.c.placed_at >= terms.pushable_since, false()),
        exists().where(pushes.c.thiio_order_id == orders.c.id, pushes.c.state != "confirmed"),
    )
    return and_(
        expected,
        not_(and_(is_rejected, or_(is_phone_order, rejected_at < terms.rejected_since))),
        not_(and_(is_phone_order, is_being_pushed)),
    )


def _gather_evidence(connection: Connection, entity: Entity, side: Side, ids: Sequence[str]) -> Evidence:
    links, events, pushes = tables.links, tables.inbox_events, tables.pushes
    here, there = links.c[f"{side}_id"], links.c[f"{OTHER[side]}_id"]
    linked = select(here, there).where(links.c.entity == entity, here.in_(ids))
    seen = select(events.c.entity_id, events.c.state).where(
        events.c.source == side, events.c.entity == entity, events.c.entity_id.in_(ids)
    )
    pushed = select(pushes.c.thiio_order_id, pushes.c.state).where(pushes.c.thiio_order_id.in_(ids))
    is_thiio_order = entity is Entity.ORDER and side is Side.THIIO
    return Evidence(
        links=_read_pairs(connection, linked),
        events=_read_pairs(connection, seen.order_by(events.c.id)),
        pushes=_read_pairs(connection, pushed) if is_thiio_order else {},
    )


def _read_pairs(connection: Connection, query: Select[Any]) -> dict[str, str]:
    return {key: value for key, value in connection.execute(query)}


def _mismatch(entity: Entity, side: Side, row: Row[Any], evidence: Evidence) -> Mismatch:
    is_order, is_ultracart = entity is Entity.ORDER, side is Side.ULTRACART
    advice = ADVICE[
        _cause_in_thiio(row, evidence) if is_ultracart else _cause_in_ultracart(row, entity, evidence)
    ]
    # A known id of the counterpart is told as a value: it may come and go, the mismatch stays the same.
    values = {
        f"{side}_id": row.id,
        f"{side}_value": _describe_order(row) if is_order else row.email,
        f"{OTHER[side]}_value": _describe_absence(row, is_order and not is_ultracart, evidence),
    }
    amount = row.total_cents if is_order else None
    return Mismatch(
        entity=entity,
        kind=KINDS[side],
        amount_cents=amount if amount is None or is_ultracart else -amount,
        placed_at=getattr(row, BORN[entity]),
        cause=advice.cause,
        remedy=advice.remedy,
        **values,
    )


def _cause_in_thiio(row: Row[Any], evidence: Evidence) -> Cause:
    if row.id in evidence.links:
        return Cause.DELIVERED_BUT_GONE
    match evidence.events.get(row.id):
        case None:
            return Cause.NO_EVENT
        case "dead":
            return Cause.EVENT_DEAD
        case "waiting" | "leased":
            return Cause.EVENT_WAITS
        case _:
            return Cause.DELIVERED_BUT_GONE


def _cause_in_ultracart(row: Row[Any], entity: Entity, evidence: Evidence) -> Cause:
    if entity is Entity.CUSTOMER:
        return Cause.ONLY_IN_THIIO
    if row.other_side_id:
        return Cause.NAMED_BUT_UNSEEN
    return Cause.CONFIRMED_BUT_UNSEEN if evidence.pushes.get(row.id) == "confirmed" else Cause.NEVER_PUSHED


def _describe_order(row: Row[Any]) -> str:
    placed = f"{row.placed_at:%Y-%m-%d %H:%M} UTC" if row.placed_at else "at an unknown time"
    return f"{row.status or 'order'}, placed {placed}, {show_money(row.total_cents, row.currency)}"


def _describe_absence(row: Row[Any], is_thiio_order: bool, evidence: Evidence) -> str:
    if row.id in evidence.links:
        return f"missing; was {evidence.links[row.id]}"
    if is_thiio_order and row.other_side_id:
        return f"missing; named {row.other_side_id}"
    return "missing"
