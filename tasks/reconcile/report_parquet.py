"""The report as a Parquet file: every open mismatch, typed, for analysis."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from tasks.reconcile.fields import label_of
from tasks.reconcile.report_rows import OpenRow
from tasks.records.money import to_major

ROWS_A_GROUP = 20_000
TEXT, WORD = pa.string(), pa.dictionary(pa.int32(), pa.string())
TIME = pa.timestamp("us", tz="UTC")
SCHEMA = pa.schema(
    [
        pa.field("id", pa.int64(), nullable=False),
        pa.field("entity", WORD, nullable=False),
        pa.field("kind", WORD, nullable=False),
        pa.field("field", WORD, nullable=False),
        pa.field("ultracart_id", TEXT, nullable=False),
        pa.field("thiio_id", TEXT, nullable=False),
        pa.field("ultracart_value", TEXT),
        pa.field("thiio_value", TEXT),
        # In major units. Three digits: some currencies have so many, none has more.
        pa.field("difference", pa.decimal128(22, 3)),
        pa.field("currency", WORD),
        pa.field("placed_at", TIME),
        pa.field("first_seen_at", TIME, nullable=False),
        pa.field("last_seen_at", TIME, nullable=False),
        pa.field("times_seen", pa.int32(), nullable=False),
        pa.field("likely_cause", WORD, nullable=False),
        pa.field("what_to_do", WORD, nullable=False),
    ]
)
"""The columns of the CSV file, in its order; an empty cell there is null here, but for ids and `field`."""


def write_parquet(path: Path, rows: Iterable[OpenRow]) -> None:
    """Write rows, `ROWS_A_GROUP` of them in memory at a time; texts stand as they are."""
    remaining = iter(rows)
    with parquet.ParquetWriter(path, SCHEMA, compression="zstd") as writer:
        while batch := [_values(row) for row in islice(remaining, ROWS_A_GROUP)]:
            writer.write_batch(pa.RecordBatch.from_pylist(batch, schema=SCHEMA))


def _values(row: OpenRow) -> dict[str, Any]:
    values = row._asdict()
    amount = values.pop("amount_cents")
    return values | {
        "field": label_of(row.entity, row.field),
        "difference": None if amount is None else to_major(amount, row.currency),
        "likely_cause": row.cause,
        "what_to_do": row.remedy,
    }
