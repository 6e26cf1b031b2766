"""Which open mismatches a repair looks at, with what other tables know of their records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, select

from tasks.database import tables
from tasks.reconcile.mismatch import MismatchKind, MismatchState
from tasks.records.mirror import BATCH
from tasks.records.models import Entity, Side

TABLE = tables.mismatches


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which open mismatches are meant: all conditions that are given must hold; empty ones let all pass.

    `limit` and `customer_limit` bound the records that are repaired, and the customers among them: each of
    those costs a call to UltraCart.
    """

    entities: Sequence[str] = tuple(Entity)
    kinds: Sequence[str] = ()
    ids: Sequence[int] = ()
    limit: int = 200
    customer_limit: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An open mismatch. `thiio_names` is the UltraCart order that Thiio's order names.

    `push_state` is where Thiio's order stands in the outbox; `fields` are all fields in which this pair
    differs, those that a person ignores among them.
    """

    id: int
    entity: Entity
    kind: MismatchKind
    field: str
    ultracart_id: str
    thiio_id: str
    last_seen_at: datetime
    repair: str | None
    repaired_at: datetime | None
    thiio_names: str | None
    push_state: str | None
    fields: frozenset[str]


def iter_candidates(connection: Connection, choice: Choice) -> Iterator[Candidate]:
    """Give the open mismatches that are meant, in order of their numbers, a page in memory at a time."""
    after = 0
    while page := connection.execute(_select_page(choice, after)).all():
        fields = _fields_of(connection, page)
        yield from (_candidate(row, fields) for row in page)
        after = page[-1].id


def _select_page(choice: Choice, after: int) -> Select[Any]:
    pushes, orders = tables.pushes, tables.orders
    is_order = TABLE.c.entity == Entity.ORDER
    named = and_(is_order, orders.c.side == Side.THIIO, orders.c.id == TABLE.c.thiio_id)
    pushed = and_(is_order, pushes.c.thiio_order_id == TABLE.c.thiio_id)
    joined = TABLE.outerjoin(orders, named).outerjoin(pushes, pushed)
    query = select(
        *(TABLE.c[name] for name in OWN),
        orders.c.other_side_id.label("thiio_names"),
        pushes.c.state.label("push_state"),
    )
    query = query.select_from(joined).where(
        TABLE.c.state == MismatchState.OPEN, TABLE.c.entity.in_(choice.entities), TABLE.c.id > after
    )
    if choice.kinds:
        query = query.where(TABLE.c.kind.in_(choice.kinds))
    if choice.ids:
        query = query.where(TABLE.c.id.in_(choice.ids))
    return query.order_by(TABLE.c.id).limit(BATCH)


OWN = (
    "id", "entity", "kind", "field", "ultracart_id", "thiio_id", "last_seen_at", "repair", "repaired_at",
)  # fmt: skip
Pair = tuple[str, str, str]


def _fields_of(connection: Connection, page: Sequence[Row[Any]]) -> Mapping[Pair, frozenset[str]]:
    """Give the fields in which the pairs of a page differ, those that are ignored too."""
    query = select(TABLE.c.entity, TABLE.c.ultracart_id, TABLE.c.thiio_id, TABLE.c.field).where(
        TABLE.c.kind == MismatchKind.FIELD_DIFFERS,
        TABLE.c.state != MismatchState.RESOLVED,
        TABLE.c.ultracart_id.in_({row.ultracart_id for row in page}),
    )
    fields: dict[Pair, frozenset[str]] = {}
    for entity, ultracart_id, thiio_id, field in connection.execute(query):
        pair = (entity, ultracart_id, thiio_id)
        fields[pair] = fields.get(pair, frozenset()) | {field}
    return fields


def _candidate(row: Row[Any], fields: Mapping[Pair, frozenset[str]]) -> Candidate:
    values = row._asdict()
    values |= {"entity": Entity(row.entity), "kind": MismatchKind(row.kind)}
    pair = (row.entity, row.ultracart_id, row.thiio_id)
    return Candidate(**values, fields=fields.get(pair, frozenset()))
