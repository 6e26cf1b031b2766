"""The report as a CSV file: every open mismatch, one a row, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from datetime import datetime
from typing import TextIO

from tasks.reconcile.fields import label_of
from tasks.reconcile.report_rows import OpenRow
from tasks.records.money import to_major

COLUMNS = (
    "id", "entity", "kind", "field", "ultracart_id", "thiio_id", "ultracart_value", "thiio_value",
    "difference", "currency", "placed_at", "first_seen_at", "last_seen_at", "times_seen",
    "likely_cause", "what_to_do",
)  # fmt: skip
ENCODING = "utf-8-sig"
"""With the mark at the beginning by which Excel knows UTF-8."""
FORMULA = re.compile(r"[=+\-@\t\r\n＝＋－＠]")
PLAIN_NUMBER = re.compile(r"-?\d+(\.\d+)?")


def write_csv(file: TextIO, rows: Iterable[OpenRow]) -> None:
    """Write rows under the column names; times are UTC, `difference` is UltraCart's less Thiio's."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([defuse(cell) for cell in _cells(row)] for row in rows)


def defuse(cell: str) -> str:
    """Put ' before what a spreadsheet would take for a formula; a plain number stays one."""
    is_formula = FORMULA.match(cell) and not PLAIN_NUMBER.fullmatch(cell)
    return f"'{cell}" if is_formula else cell


def _cells(row: OpenRow) -> tuple[str, ...]:
    return (
        str(row.id),
        row.entity,
        row.kind,
        label_of(row.entity, row.field),
        row.ultracart_id,
        row.thiio_id,
        row.ultracart_value or "",
        row.thiio_value or "",
        "" if row.amount_cents is None else str(to_major(row.amount_cents, row.currency)),
        row.currency or "",
        _time(row.placed_at),
        _time(row.first_seen_at),
        _time(row.last_seen_at),
        str(row.times_seen),
        row.cause,
        row.remedy,
    )


def _time(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}" if moment else ""
