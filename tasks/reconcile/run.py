"""One run: judge a window, look again at what is open, and keep a row of what was counted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import partial, reduce
from itertools import pairwise

from sqlalchemy import Connection, Engine, func, insert, select, update

from tasks.database import tables
from tasks.database.analyze import refresh_statistics
from tasks.reconcile import ledger
from tasks.reconcile.judge import Tally, compare, pair_up
from tasks.reconcile.recheck import recheck_open
from tasks.reconcile.scope import RECORDS, Scope
from tasks.reconcile.terms import Terms, make_terms
from tasks.records.models import Entity, Window
from tasks.settings import Settings

Spread = Callable[[Sequence[Scope], Terms], Iterable[Tally]]
"""A way to compare the parts of a window: one after the other, or side by side."""


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
    spread: Spread | None = None,
) -> RunCounts:
    """Judge the records of a window and every open mismatch, and keep the ledger.

    Records are paired once, then compared in `reconcile.partitions` parts: `spread` may do them side by side.
    Safe to repeat and to kill: what a page found stays, and the next run goes over it again.
    """
    scope = Scope(entity, window)
    with engine.begin() as connection:
        refresh_statistics(connection, RECORDS[entity], tables.links)
        terms = make_terms(connection, settings, window, now)
        ledger.open_expired(connection, entity, now=now)
        run = _start_run(connection, entity, window, terms, run_id)
    conflicts = pair_up(engine, scope, terms)
    tallies = (spread or partial(_compare_in_turn, engine))(cut(scope, settings.reconcile.partitions), terms)
    tally = reduce(Tally.plus, tallies)
    resolved = recheck_open(engine, entity, terms)
    with engine.begin() as connection:
        counts = RunCounts(
            run=run,
            ultracart=tally.ultracart,
            thiio=tally.thiio,
            paired=tally.paired,
            equal=tally.equal,
            settling=tally.settling + len(conflicts.settling),
            mismatches=tally.mismatches + len(conflicts.mismatches),
            opened=_count_opened(connection, entity, now),
            resolved=resolved,
        )
        _end_run(connection, counts)
    return counts


def cut(scope: Scope, parts: int) -> list[Scope]:
    """Cut the window of a scope into so many parts of equal length; one part is the scope as it is."""
    if parts == 1 or scope.window is None:
        return [scope]
    start, end = scope.window.start, scope.window.end
    times = [start + (end - start) * number / parts for number in range(parts)] + [end]
    return [replace(scope, part=Window(*each)) for each in pairwise(times)]


def _compare_in_turn(engine: Engine, parts: Sequence[Scope], terms: Terms) -> Iterator[Tally]:
    return (compare(engine, part, terms) for part in parts)


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


def _count_opened(connection: Connection, entity: Entity, now: datetime) -> int:
    table = tables.mismatches
    query = select(func.count()).where(table.c.entity == entity, table.c.first_seen_at == now)
    return connection.scalar(query) or 0
