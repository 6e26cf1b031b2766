"""Judge the records of a scope: pair them, compare the pairs, find what stands alone, write it all down.

Everything happens in pages of `PAGE` records, each in a transaction of its own: memory stays bounded, and no
other writer waits for long.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, Engine

from tasks.database import tables
from tasks.database.analyze import refresh_statistics
from tasks.reconcile import ledger
from tasks.reconcile.alone import find_alone
from tasks.reconcile.compare import explain_differences, find_differing_pairs
from tasks.reconcile.conflicts import find_conflicts
from tasks.reconcile.mismatch import Mismatch
from tasks.reconcile.pairing import link_pairs
from tasks.reconcile.scope import Scope
from tasks.reconcile.terms import Terms
from tasks.records.mirror import BATCH
from tasks.records.models import Side

PAGE = BATCH


@dataclass(slots=True)
class Judged:
    """What was found; `explained_equal` counts pairs of different digests that differ in nothing compared."""

    mismatches: int = 0
    explained_equal: int = 0
    unsettled_conflicts: list[Mismatch] = field(default_factory=list)


def judge(engine: Engine, scope: Scope, terms: Terms) -> Judged:
    """Judge every record in scope that has settled; safe to repeat and to kill at any moment."""
    judged = Judged()
    with engine.begin() as connection:
        link_pairs(connection, scope, terms.partner_order_prefix)
        if scope.window:
            refresh_statistics(connection, tables.links)
        conflicts = find_conflicts(connection, scope, terms)
        _write_down(connection, conflicts.mismatches, terms, judged)
    judged.unsettled_conflicts = conflicts.settling
    for side in Side:
        _judge_pairs(engine, scope, side, terms, judged)
        _judge_alone(engine, scope, side, terms, judged)
    return judged


def _judge_pairs(engine: Engine, scope: Scope, subject: Side, terms: Terms, judged: Judged) -> None:
    after: str | None = ""
    while after is not None:
        with engine.begin() as connection:
            pairs = find_differing_pairs(connection, scope, subject, terms, after=after, limit=PAGE)
            found = explain_differences(connection, scope.entity, pairs, terms)
            _write_down(connection, found, terms, judged)
        judged.explained_equal += len(pairs) - len({mismatch.ultracart_id for mismatch in found})
        after = pairs[-1].id_of(subject) if len(pairs) == PAGE else None


def _judge_alone(engine: Engine, scope: Scope, side: Side, terms: Terms, judged: Judged) -> None:
    after: str | None = ""
    while after is not None:
        with engine.begin() as connection:
            found = find_alone(connection, scope, side, terms, after=after, limit=PAGE)
            _write_down(connection, found, terms, judged)
        after = getattr(found[-1], f"{side}_id") if len(found) == PAGE else None


def _write_down(connection: Connection, found: Sequence[Mismatch], terms: Terms, judged: Judged) -> None:
    ledger.record(connection, found, config_hash=terms.config_hash, now=terms.now)
    judged.mismatches += len(found)
