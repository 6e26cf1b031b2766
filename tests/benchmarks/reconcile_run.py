"""One measurement of ours, in a process of its own: a whole run, or the comparison of linked pairs alone.

Run: python -m tests.benchmarks.reconcile_run URL ROWS run|compare [PARTITIONS]
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial

from sqlalchemy import Engine

from tasks.database.engine import open_database
from tasks.reconcile.judge import Tally, compare
from tasks.reconcile.run import reconcile_window
from tasks.reconcile.scope import Scope
from tasks.reconcile.terms import Terms, make_terms
from tasks.records.models import Entity
from tasks.settings import load_settings
from tests.reconcile.order_rows import window_of
from tests.reconcile.peers import peak_megabytes


def on_threads(engine: Engine, parts: Sequence[Scope], terms: Terms) -> Iterator[Tally]:
    """Compare parts side by side, as the step does, without a Prefect server."""
    with ThreadPoolExecutor() as pool:
        yield from pool.map(partial(compare, engine, terms=terms), parts)


def main() -> None:
    """Compare once, and print seconds and peak memory."""
    url, rows, what, *more = sys.argv[1:]
    window = window_of(int(rows))
    engine = open_database(url)
    settings = load_settings(reconcile={"partitions": int(more[0]) if more else 1})
    now = datetime.now(UTC)
    started, busy = time.perf_counter(), time.process_time()
    if what == "run":
        spread = partial(on_threads, engine) if more else None
        counts = reconcile_window(engine, settings, Entity.ORDER, window, now=now, spread=spread)
        assert counts.paired == int(rows) * 99 // 100, counts
    else:
        with engine.connect() as connection:
            terms = make_terms(connection, settings, window, now)
        compare(engine, Scope(Entity.ORDER, window), terms)
    seconds = {"seconds": time.perf_counter() - started, "cpu_seconds": time.process_time() - busy}
    json.dump({**seconds, "peak_mb": peak_megabytes()}, sys.stdout)


if __name__ == "__main__":
    main()
