"""All that a comparison leaves, without what every run has of its own: numbers of rows, times, run ids."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sqlalchemy import Engine, select

from tasks.database import tables
from tasks.reconcile.run import RunCounts
from tests.reconcile.two_sides import read_links

OF_A_RUN = {"id", "first_seen_at", "last_seen_at", "times_seen", "closed_at"}


def ledger_of(engine: Engine) -> list[dict[str, Any]]:
    """Read the whole ledger, in an order of its content."""
    with engine.connect() as connection:
        rows = [dict(row) for row in connection.execute(select(tables.mismatches)).mappings()]
    kept = [{name: value for name, value in row.items() if name not in OF_A_RUN} for row in rows]
    return sorted(kept, key=lambda row: [str(row[name]) for name in row])


def outcome_of(engine: Engine, counts: RunCounts) -> dict[str, Any]:
    """Give ledger, links and counts."""
    with engine.connect() as connection:
        links = read_links(connection)
    numbers = {name: value for name, value in asdict(counts).items() if name != "run"}
    return {"ledger": ledger_of(engine), "links": links, "counts": numbers}
