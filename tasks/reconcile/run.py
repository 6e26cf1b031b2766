"""One run: judge a window, look again at what is open, and keep a row of what was counted."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, Engine, func, insert, select, update

from tasks.database import tables
from tasks.database.analyze import refresh_statistics
from tasks.reconcile import ledger
from tasks.reconcile.alone import count_settling_alone
from tasks.reconcile.compare import count_pairs
from tasks.reconcile.judge import judge
from tasks.reconcile.recheck import recheck_open
from tasks.reconcile.scope import RECORDS, Scope, records_of
from tasks.reconcile.terms import Terms, make_terms
from tasks.records.models import Entity, Side, Window
from tasks.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class RunCounts:
    """What a run counted: records of both sides, pairs, and mismatches, all of the window.

    `opened` and `resolved` count the whole ledger: open mismatches are looked at wherever they are.
    """

    run: int
    ultracart: int
    thiio: int
    paired: int
    equal: int
    settling: int
    mismatches: int
    opened: int
    resolved: int


def reconcile_window(
    engine: Engine,
    settings: Settings,
    entity: Entity,
    window: Window,
    *,
    now: datetime,
    run_id: str | None = None,
) -> RunCounts:
    """Judge the records of a window and every open mismatch, and keep the ledger.

    Safe to repeat and to kill: what a page found stays, and the next run goes over it again.
    """
    scope = Scope(entity, window)
    with engine.begin() as connection:
        refresh_statistics(connection, RECORDS[entity], tables.links)
        terms = make_terms(connection, settings, window, now)
        ledger.open_expired(connection, entity, now=now)
        run = _start_run(connection, entity, window, terms, run_id)
    judged = judge(engine, scope, terms)
    resolved = recheck_open(engine, entity, terms)
    with engine.begin() as connection:
        pairs = count_pairs(connection, scope, terms)
        alone = sum(count_settling_alone(connection, scope, side, terms) for side in Side)
        counts = RunCounts(
            run=run,
            ultracart=_count_records(connection, scope, Side.ULTRACART),
            thiio=_count_records(connection, scope, Side.THIIO),
            paired=pairs.paired,
            equal=pairs.equal + judged.explained_equal,
            settling=pairs.settling + alone + len(judged.unsettled_conflicts),
            mismatches=judged.mismatches,
            opened=_count_opened(connection, entity, now),
            resolved=resolved,
        )
        _end_run(connection, counts)
    return counts


def _start_run(
    connection: Connection, entity: Entity, window: Window, terms: Terms, run_id: str | None
) -> int:
    row = {
        "entity": entity,
        "start_at": window.start,
        "end_at": window.end,
        "config_hash": terms.config_hash,
        "started_at": terms.now,
        "run_id": run_id,
    }
    runs = tables.reconcile_runs
    return int(connection.scalars(insert(runs).values(row).returning(runs.c.id)).one())


def _end_run(connection: Connection, counts: RunCounts) -> None:
    names = ("ultracart", "thiio", "paired", "equal", "settling")
    row = {f"{name}_count": value for name, value in asdict(counts).items() if name in names}
    connection.execute(
        update(tables.reconcile_runs)
        .where(tables.reconcile_runs.c.id == counts.run)
        .values(**row, mismatch_count=counts.mismatches, ended_at=datetime.now(UTC))
    )


def _count_records(connection: Connection, scope: Scope, side: Side) -> int:
    records, of_side = records_of(scope.entity, side)
    query = select(func.count()).select_from(records)
    query = query.where(of_side, scope.covers(records, side), ~records.c.is_deleted)
    return connection.scalar(query) or 0


def _count_opened(connection: Connection, entity: Entity, now: datetime) -> int:
    table = tables.mismatches
    query = select(func.count()).where(table.c.entity == entity, table.c.first_seen_at == now)
    return connection.scalar(query) or 0
