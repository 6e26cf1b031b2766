"""Pairs whose records disagree: found by their digests inside the database, then explained by field."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Connection,
)

from tasks.reconcile.causes import ADVICE, Cause
from tasks.reconcile.evidence import read_evidence
from tasks.reconcile.explain import Difference, explain_pairs
from tasks.reconcile.likely_cause import RecordPair
from tasks.reconcile.mismatch import Mismatch, MismatchKind
from tasks.reconcile.scope import BORN
from tasks.reconcile.terms import Terms
from tasks.records.mirror import find_customers, find_orders
from tasks.records.models import Entity, Side


@dataclass(frozen=True, slots=True)
class Pair:
    """Two linked records, by id."""

    ultracart_id: str
    thiio_id: str


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
