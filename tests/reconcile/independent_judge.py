"""Let datacompy judge the same orders, and demand that the ledger says exactly what it says.

Run: python -m tests.reconcile.independent_judge --peers-python PATH [--rows 20000]
PATH is a Python with datacompy 1.1, pandas and SQLAlchemy (see tests/reconcile/peers.py).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import Engine, select

from tasks.database import tables
from tasks.database.engine import open_database
from tasks.reconcile.run import reconcile_window
from tasks.records.models import Entity
from tasks.settings import Settings
from tests.reconcile import peers
from tests.reconcile.order_rows import store_orders, window_of

Verdict = dict[str, set[Any]]


def our_verdict(engine: Engine) -> Verdict:
    """Read the ledger: numbers of orders that stand alone, and (number, field) of those that differ."""
    table = tables.mismatches
    verdict: Verdict = {"left_only": set(), "right_only": set(), "differing": set()}
    with engine.connect() as connection:
        for row in connection.execute(select(table)):
            if row.kind == "field_differs":
                verdict["differing"].add((int(row.ultracart_id[5:]), row.field))
            elif row.kind == "missing_in_thiio":
                verdict["left_only"].add(int(row.ultracart_id[5:]))
            elif row.kind == "missing_in_ultracart":
                verdict["right_only"].add(int(row.thiio_id) - peers.THIIO_IDS)
            else:
                raise AssertionError(f"a mismatch that nobody planted: {row.kind}")
    return verdict


def their_verdict(peers_python: str, url: str) -> Verdict:
    """Ask datacompy."""
    command = [peers_python, peers.__file__, "datacompy", url]
    found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)["found"]
    differing = {(int(number), name) for number, names in found["differing"].items() for name in names}
    return {
        "left_only": set(found["left_only"]),
        "right_only": set(found["right_only"]),
        "differing": differing,
    }


def main() -> None:
    """Compare the two verdicts; exit code 1 and the first disagreements if they are not one."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--peers-python", required=True)
    parser.add_argument("--rows", type=int, default=20_000)
    options = parser.parse_args()
    window = window_of(options.rows)
    with TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'ours.sqlite3'}"
        engine = open_database(url)
        store_orders(engine, 0, options.rows)
        reconcile_window(engine, Settings(), Entity.ORDER, window, now=window.end + timedelta(days=1))
        ours, theirs = our_verdict(engine), their_verdict(options.peers_python, url)
        engine.dispose()
    apart = {name: sorted(ours[name] ^ theirs[name])[:5] for name in ours if ours[name] != theirs[name]}
    counts = ", ".join(f"{len(theirs[name])} {name.replace('_', ' ')}" for name in theirs)
    print(f"datacompy found {counts}; the ledger {'disagrees: ' + str(apart) if apart else 'says the same'}.")  # noqa: T201
    sys.exit(bool(apart) or not all(theirs.values()))


if __name__ == "__main__":
    main()
