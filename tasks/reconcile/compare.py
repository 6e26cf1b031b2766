"""Pairs whose records disagree: found by their digests inside the database, then explained by field."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Select,
    and_,
    case,
    func,
    literal,
    not_,
    or_,
    select,
    true,
)

from tasks.reconcile.causes import ADVICE, Cause
from tasks.reconcile.evidence import read_evidence
from tasks.reconcile.explain import Difference, explain_pairs
from tasks.reconcile.likely_cause import RecordPair
from tasks.reconcile.mismatch import Mismatch, MismatchKind
from tasks.reconcile.scope import BORN, Scope, links_of, records_of
from tasks.reconcile.terms import Terms
from tasks.reconcile.times import times_differ
from tasks.records.mirror import find_customers, find_orders
from tasks.records.models import Entity, Side


@dataclass(frozen=True, slots=True)
class PairCounts:
    """How many pairs are in scope, how many have equal digests, and how many are too young to be judged."""

    paired: int = 0
    equal: int = 0
    settling: int = 0


@dataclass(frozen=True, slots=True)
class Pair:
    """Two linked records, by id."""

    ultracart_id: str
    thiio_id: str

    def id_of(self, side: Side) -> str:
        """Give the id of one of the two."""
        return self.ultracart_id if side is Side.ULTRACART else self.thiio_id


def count_pairs(connection: Connection, scope: Scope, terms: Terms) -> PairCounts:
    """Count the pairs in scope by what their digests say; nothing is fetched."""
    total = PairCounts()
    for subject in Side:
        sides = _Sides(scope.entity)
        differs = sides.differ(terms)
        is_young = not_(sides.are_settled(terms))
        row = connection.execute(
            sides.select_pairs(
                scope,
                subject,
                func.count(),
                func.coalesce(func.sum(case((differs, 0), else_=1)), 0),
                func.coalesce(func.sum(case((and_(is_young, differs), 1), else_=0)), 0),
            )
        ).one()
        total = PairCounts(total.paired + row[0], total.equal + int(row[1]), total.settling + int(row[2]))
    return total


def find_differing_pairs(
    connection: Connection, scope: Scope, subject: Side, terms: Terms, *, after: str, limit: int
) -> list[Pair]:
    """Give up to `limit` settled pairs with different digests, in order of `subject`'s id, beyond `after`.

    `subject` is the side whose record brings the pair in; a pair that both bring in comes with UltraCart's.
    """
    sides = _Sides(scope.entity)
    record = sides.of[subject]
    query = sides.select_pairs(scope, subject, sides.ultracart.c.id, sides.thiio.c.id)
    query = query.where(sides.differ(terms), sides.are_settled(terms), record.c.id > after)
    rows = connection.execute(query.order_by(record.c.id).limit(limit))
    return [Pair(row[0], row[1]) for row in rows]


def explain_differences(
    connection: Connection, entity: Entity, pairs: Sequence[Pair], terms: Terms
) -> list[Mismatch]:
    """Fetch both records of each pair and name what differs; equal within the tolerances gives nothing."""
    if not pairs:
        return []
    records = _fetch(connection, entity, pairs, terms)
    mismatches = [
        _field_mismatch(entity, records[difference.row], difference)
        for difference in explain_pairs(entity, records, terms.tolerances)
    ]
    if entity is Entity.ORDER and terms.thiio_names_ultracart:
        both = [(pair.ultracart, pair.thiio) for pair in records]
        mismatches += [_unlinked(*pair) for pair in both if _is_unlinked(*pair)]
    return mismatches


class _Sides:
    """Both sides' records and the link between them, named for one query."""

    def __init__(self, entity: Entity) -> None:
        self.entity = entity
        self.ultracart, self.is_ultracart = records_of(entity, Side.ULTRACART)
        self.thiio, self.is_thiio = records_of(entity, Side.THIIO)
        self.links, self.of_entity = links_of(entity)
        self.of: dict[Side, FromClause] = {Side.ULTRACART: self.ultracart, Side.THIIO: self.thiio}

    def select_pairs(self, scope: Scope, subject: Side, *columns: ColumnElement[Any]) -> Select[Any]:
        """Select of the pairs that the record of `subject` brings into scope, one that lives at least."""
        # Two queries by subject rather than one with OR: each starts from one side's date index.
        covered = scope.covers(self.of[subject], subject)
        if subject is Side.THIIO:
            covered = and_(covered, not_(scope.covers(self.ultracart, Side.ULTRACART)))
        return select(*columns).where(
            self.is_ultracart,
            self.is_thiio,
            self.of_entity,
            self.links.c.ultracart_id == self.ultracart.c.id,
            self.links.c.thiio_id == self.thiio.c.id,
            not_(and_(self.ultracart.c.is_deleted, self.thiio.c.is_deleted)),
            self._is_real(),
            covered,
        )

    def _is_real(self) -> ColumnElement[bool]:
        if self.entity is Entity.CUSTOMER:
            return true()
        return or_(self.ultracart.c.is_test.is_not(True), self.thiio.c.is_test.is_not(True))

    def differ(self, terms: Terms) -> ColumnElement[bool]:
        """Say in SQL that the two must be looked at: other digest, other times, or another one named."""
        tolerances, prefix = terms.tolerances, terms.partner_order_prefix
        differs = or_(
            self.ultracart.c.digest != self.thiio.c.digest,
            times_differ(self.entity, self.ultracart, self.thiio, tolerances, prefix),
        )
        if self.entity is Entity.ORDER and terms.thiio_names_ultracart:
            return or_(differs, self.thiio.c.other_side_id.is_distinct_from(self.ultracart.c.id))
        return differs

    def are_settled(self, terms: Terms) -> ColumnElement[bool]:
        """Say in SQL that neither record is too young to be judged."""
        limit = literal(terms.settled_until, self.ultracart.c.as_of.type)
        return and_(self.ultracart.c.as_of <= limit, self.thiio.c.as_of <= limit)


def _fetch(connection: Connection, entity: Entity, pairs: Sequence[Pair], terms: Terms) -> list[RecordPair]:
    find = find_orders if entity is Entity.ORDER else find_customers
    ultracart = find(connection, Side.ULTRACART, [pair.ultracart_id for pair in pairs])
    thiio = find(connection, Side.THIIO, [pair.thiio_id for pair in pairs])
    both = [(ultracart[pair.ultracart_id], thiio[pair.thiio_id]) for pair in pairs]
    evidence = read_evidence(connection, entity, both, terms.partner_order_prefix)
    return [RecordPair(*records, evidence=known) for records, known in zip(both, evidence, strict=True)]


def _field_mismatch(entity: Entity, pair: RecordPair, difference: Difference) -> Mismatch:
    ultracart, thiio = pair.ultracart, pair.thiio
    advice = ADVICE[difference.cause]
    return Mismatch(
        entity=entity,
        kind=MismatchKind.FIELD_DIFFERS,
        field=difference.field,
        ultracart_id=ultracart.id,
        thiio_id=thiio.id,
        ultracart_value=difference.ultracart_value,
        thiio_value=difference.thiio_value,
        amount_cents=difference.amount_cents,
        placed_at=getattr(ultracart, BORN[entity]) or getattr(thiio, BORN[entity]),
        cause=advice.cause,
        remedy=advice.remedy,
    )


def _is_unlinked(ultracart: Any, thiio: Any) -> bool:
    return thiio.other_side_id != ultracart.id and not (ultracart.is_deleted or thiio.is_deleted)


def _unlinked(ultracart: Any, thiio: Any) -> Mismatch:
    advice = ADVICE[Cause.NOT_WRITTEN_BACK]
    return Mismatch(
        entity=Entity.ORDER,
        kind=MismatchKind.UNLINKED,
        ultracart_id=ultracart.id,
        thiio_id=thiio.id,
        ultracart_value=ultracart.id,
        thiio_value=thiio.other_side_id or "names no UltraCart order",
        placed_at=ultracart.placed_at or thiio.placed_at,
        cause=advice.cause,
        remedy=advice.remedy,
    )
