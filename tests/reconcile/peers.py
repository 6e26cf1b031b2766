"""Compare the two sides of the table `orders` by other means: by datacompy, or by reladiff on Postgres.

Run by a Python that has pandas, datacompy 1.1, reladiff and psycopg, and nothing of ours:
python tests/reconcile/peers.py datacompy|reladiff URL
Prints one JSON object: seconds, cpu_seconds (of this process), peak_mb, and what was found: left_only and
right_only (order numbers), and differing (order number to fields; reladiff gives no fields).
"""

from __future__ import annotations

import json
import re
import sys
import time
from pathlib import Path
from typing import Any

FIELDS = (
    "status", "email_key", "first_name", "last_name", "phone", "line1", "line2", "city", "state",
    "postal_code", "currency", "payment_method", "gateway_code", "country", "subtotal_cents",
    "discount_cents", "shipping_cents", "tax_cents", "total_cents", "refunded_cents",
)  # fmt: skip
KEY = "number"
THIIO_IDS = 800_000_000
NUMBERS = {
    "ultracart": "CAST(substr(id, 6) AS BIGINT)",  # DEMO-000000000017
    "thiio": f"CAST(id AS BIGINT) - {THIIO_IDS}",
}
TOLERANCE_CENTS = 1


def by_datacompy(url: str) -> dict[str, Any]:
    """Read both sides into frames and compare them: text without regard to case, money to a cent."""
    import datacompy
    import pandas as pd
    from sqlalchemy import create_engine

    with create_engine(url).connect() as connection:
        frames = [pd.read_sql(_query(side), connection) for side in NUMBERS]
    tolerances = {name: TOLERANCE_CENTS for name in FIELDS if name.endswith("_cents")}
    compared = datacompy.PandasCompare(*frames, KEY, abs_tol={"default": 0, **tolerances}, ignore_case=True)
    matches = {name: f"{name}_match" for name in FIELDS}
    rows = compared.intersect_rows
    differing = rows[~rows[list(matches.values())].all(axis=1)]
    return {
        "left_only": compared.df1_unq_rows[KEY].tolist(),
        "right_only": compared.df2_unq_rows[KEY].tolist(),
        "differing": {
            int(row[KEY]): [name for name, match in matches.items() if not row[match]]
            for row in differing.to_dict("records")
        },
    }


def by_reladiff(url: str) -> dict[str, Any]:
    """Let reladiff compare two tables of the fields by checksums of segments (hashdiff), all columns."""
    import reladiff
    from sqlalchemy import make_url

    at = make_url(url)
    server = {"host": at.host or at.query.get("host"), "port": at.port, "dbname": at.database}
    server |= {"driver": "postgresql", "user": at.username, "password": at.password}
    said = {name: value for name, value in server.items() if value}
    left, right = (
        reladiff.connect_to_table(said, f"peer_{side}", KEY, extra_columns=FIELDS) for side in NUMBERS
    )
    algorithm = reladiff.Algorithm.HASHDIFF
    signs: dict[int, str] = {}
    for sign, row in reladiff.diff_tables(left, right, key_columns=(KEY,), algorithm=algorithm):
        signs[int(row[0])] = signs.get(int(row[0]), "") + sign
    return {
        "left_only": [number for number, sign in signs.items() if sign == "-"],
        "right_only": [number for number, sign in signs.items() if sign == "+"],
        "differing": {number: [] for number, sign in signs.items() if len(sign) == 2},
    }


def tables_for_reladiff(side: str) -> list[str]:
    """Give the statements that make the table which reladiff is given: an integer key, and the fields."""
    table = f"peer_{side}"
    return [
        f"DROP TABLE IF EXISTS {table}",
        f"CREATE TABLE {table} AS {_query(side)}",
        f"ALTER TABLE {table} ADD PRIMARY KEY ({KEY})",
        f"ANALYZE {table}",
    ]


def _query(side: str) -> str:
    return f"SELECT {NUMBERS[side]} AS {KEY}, {', '.join(FIELDS)} FROM orders WHERE side = '{side}'"


def peak_megabytes() -> float:
    """Give the most memory that this process has held so far (Linux)."""
    status = Path("/proc/self/status").read_text()
    return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) / 1_000


def main() -> None:
    """Compare, and print what was found."""
    way = {"datacompy": by_datacompy, "reladiff": by_reladiff}[sys.argv[1]]
    started, busy = time.perf_counter(), time.process_time()
    found = way(sys.argv[2])
    seconds = {"seconds": time.perf_counter() - started, "cpu_seconds": time.process_time() - busy}
    json.dump({**seconds, "peak_mb": peak_megabytes(), "found": found}, sys.stdout)


if __name__ == "__main__":
    main()
