"""How far the records of one entity agree: all that are known, and those of the last run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, exists, func, or_, select

from tasks.database import tables
from tasks.reconcile.alone import KINDS
from tasks.reconcile.mismatch import MismatchState
from tasks.reconcile.scope import Scope, records_of
from tasks.records.models import Entity, Side, Window

MISMATCHES, RUNS, LINKS = tables.mismatches, tables.reconcile_runs, tables.links


@dataclass(frozen=True, slots=True, kw_only=True)
class LastRun:
    """The last run that came to its end; `missing` are records of its window without counterpart.

    `is_latest` is False if a later run has begun: it is at work, or it was killed.
    """

    start_at: datetime
    end_at: datetime
    ended_at: datetime
    ultracart: int
    thiio: int
    paired: int
    equal: int
    settling: int
    missing: int
    is_latest: bool

    @property
    def judged(self) -> int:
        """Count what was compared: pairs, and records that should have been one."""
        return self.paired + self.missing


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How an entity stands. `known`: linked pairs, and lone records that are open mismatches.

    `agreeing`: those of them without an open mismatch; what a person ignores counts as agreeing.
    """

    entity: Entity
    known: int
    agreeing: int
    last_run: LastRun | None


def read_standing(connection: Connection, entity: Entity) -> Standing:
    """Count what is known of an entity, from links, ledger and runs; the records are not gone through."""
    differing = select(MISMATCHES.c.ultracart_id, MISMATCHES.c.thiio_id).where(_is_open(entity)).distinct()
    linked = select(LINKS.c.ultracart_id).where(LINKS.c.entity == entity)
    known = _count_rows(connection, linked) + _count_rows(connection, differing.where(_is_lone(entity)))
    return Standing(
        entity=entity,
        known=known,
        # A pair that differs can also be one side of a conflict: the two count as two here.
        agreeing=max(known - _count_rows(connection, differing), 0),
        last_run=_read_last_run(connection, entity),
    )


def _read_last_run(connection: Connection, entity: Entity) -> LastRun | None:
    query = select(RUNS).where(RUNS.c.entity == entity).order_by(RUNS.c.id.desc())
    run = connection.execute(query.where(RUNS.c.ended_at.is_not(None)).limit(1)).one_or_none()
    if run is None:
        return None
    latest = connection.scalar(select(func.max(RUNS.c.id)).where(RUNS.c.entity == entity))
    return LastRun(
        start_at=run.start_at,
        end_at=run.end_at,
        ended_at=run.ended_at,
        ultracart=run.ultracart_count,
        thiio=run.thiio_count,
        paired=run.paired_count,
        equal=run.equal_count,
        settling=run.settling_count,
        missing=_count_missing(connection, entity, run),
        is_latest=run.id == latest,
    )


def _count_missing(connection: Connection, entity: Entity, run: Row[Any]) -> int:
    scope = Scope(entity, Window(run.start_at, run.end_at))
    missing = 0
    for side, kind in KINDS.items():
        records, of_side = records_of(entity, side)
        query = select(MISMATCHES.c.id).where(
            _is_open(entity),
            MISMATCHES.c.kind == kind,
            of_side,
            records.c.id == MISMATCHES.c[f"{side}_id"],
            scope.covers(records, side),
        )
        missing += _count_rows(connection, query)
    return missing


def _is_open(entity: Entity) -> ColumnElement[bool]:
    return and_(MISMATCHES.c.entity == entity, MISMATCHES.c.state == MismatchState.OPEN)


def _is_lone(entity: Entity) -> ColumnElement[bool]:
    """Say in SQL that a mismatch is about one record, and that this record has no link."""
    ids = [(MISMATCHES.c[f"{side}_id"], LINKS.c[f"{side}_id"]) for side in Side]
    return or_(
        *(
            and_(here == "", ~exists().where(LINKS.c.entity == entity, linked == there))
            for (here, _), (there, linked) in (ids, ids[::-1])
        )
    )


def _count_rows(connection: Connection, query: Select[Any]) -> int:
    return connection.scalar(select(func.count()).select_from(query.subquery())) or 0
