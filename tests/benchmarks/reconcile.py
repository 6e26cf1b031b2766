"""Compare two sides of orders: a whole run of ours beside datacompy, and beside reladiff on Postgres.

Run: python -m tests.benchmarks.reconcile --database URL [--rows 100000] [--peers-python PATH]
The database must be empty; it is filled with a tenth of the rows, measured, filled up, and measured again.
PATH is a Python with the peers (see tests/reconcile/peers.py); without it only ours is measured. Every
measurement is a process of its own; ours is a run over all orders whose pairs are linked, as every run but
the first finds them.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from dataclasses import dataclass
from math import log
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table
from sqlalchemy import func, select, text

from tasks.database import tables
from tasks.database.engine import open_database, reading
from tests.benchmarks import reconcile_run
from tests.reconcile import peers
from tests.reconcile.order_rows import store_orders

RUNS = 3


@dataclass(frozen=True, slots=True)
class Figure:
    """What one way took: median seconds, and the processor's and the most memory of its process.

    On SQLite the database's work is the process's own; the processor's seconds hardly heed the neighbours.
    """

    seconds: float
    cpu_seconds: float
    peak_mb: float


def fill(url: str, first: int, last: int) -> None:
    """Add orders to the database, with the tables that reladiff is given."""
    engine = open_database(url)
    store_orders(engine, first, last)
    if engine.dialect.name == "postgresql":
        with engine.begin() as connection:
            for side in peers.NUMBERS:
                for statement in peers.tables_for_reladiff(side):
                    connection.execute(text(statement))
        with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            connection.execute(text("VACUUM ANALYZE orders"))  # as its own service does by and by
    engine.dispose()


def commands_of(url: str, rows: int, partitions: int, peers_python: str | None) -> dict[str, list[str]]:
    """Give the command of each way to compare."""
    ours = [sys.executable, "-m", reconcile_run.__name__, url, str(rows)]
    commands = {"ours, whole run": [*ours, "run"], "ours, comparison alone": [*ours, "compare"]}
    if partitions > 1:
        commands[f"ours, whole run in {partitions} parts"] = [*ours, "run", str(partitions)]
    if peers_python:
        commands["datacompy, read from the database"] = [peers_python, peers.__file__, "datacompy", url]
        if url.startswith("postgresql"):
            commands["reladiff, hashdiff of all columns"] = [peers_python, peers.__file__, "reladiff", url]
    return commands


def run(command: list[str]) -> dict[str, Any]:
    """Run one way to compare and give what it prints."""
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def measure(commands: dict[str, list[str]], runs: int) -> dict[str, Figure]:
    """Run the ways in turns, so that what else the machine does meets all."""
    results: dict[str, list[dict[str, Any]]] = {name: [] for name in commands}
    for _ in range(runs):
        for name, command in commands.items():
            results[name].append(run(command))
    return {
        name: Figure(
            median(each["seconds"] for each in all),
            median(each["cpu_seconds"] for each in all),
            max(each["peak_mb"] for each in all),
        )
        for name, all in results.items()
    }


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--database", required=True)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--peers-python")
    parser.add_argument("--partitions", type=int, default=1)
    parser.add_argument("--runs", type=int, default=RUNS)
    options = parser.parse_args()
    engine = open_database(options.database)
    with reading(engine) as connection:
        if connection.scalar(select(func.count()).select_from(tables.orders)):
            sys.exit("The database holds orders. Name an empty one.")
    engine.dispose()
    sizes = [options.rows // 10, options.rows]
    figures: list[dict[str, Figure]] = []
    table = Table(
        "what", "orders a side", "seconds", "ratio", "CPU seconds", "ratio", "peak MB", title="Reconcile"
    )
    for first, last in zip([0, *sizes], sizes, strict=False):
        started = time.perf_counter()
        fill(options.database, first, last)
        filled = time.perf_counter()
        commands = commands_of(options.database, last, options.partitions, options.peers_python)
        begin = run(commands["ours, whole run"])
        print(f"{last} orders a side, filled in {filled - started:.0f} s", file=sys.stderr)  # noqa: T201
        found = measure(commands, options.runs)
        figures.append(found)
        ours = next(iter(found.values()))
        new = f"ours, the first run: {last - first} pairs to link"
        busy = f"{begin['cpu_seconds']:.2f}"
        table.add_row(new, f"{last}", f"{begin['seconds']:.2f}", "", busy, "", f"{begin['peak_mb']:.0f}")
        for name, figure in found.items():
            table.add_row(
                name,
                f"{last}",
                f"{figure.seconds:.2f}",
                f"{figure.seconds / ours.seconds:.1f}",
                f"{figure.cpu_seconds:.2f}",
                f"{figure.cpu_seconds / ours.cpu_seconds:.1f}",
                f"{figure.peak_mb:.0f}",
            )
    Console(file=sys.stdout, width=150).print(table)
    for name, few in figures[0].items():
        growth = log(figures[1][name].seconds / few.seconds) / log(sizes[1] / sizes[0])
        print(f"{name}: time grows with the {growth:.2f}th power of the rows")  # noqa: T201


if __name__ == "__main__":
    main()
