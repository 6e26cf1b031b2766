"""The report as an Excel workbook: the numbers, the open mismatches, and what waits elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

import xlsxwriter

from tasks.reconcile.fields import label_of
from tasks.reconcile.report import Report
from tasks.reconcile.report_csv import defuse
from tasks.reconcile.report_rows import OpenRow
from tasks.reconcile.report_waiting import DeadLetter
from tasks.reconcile.report_words import PUSH_WORDS, answer
from tasks.records.money import MINOR_DIGITS, to_major

MOST_ROWS = 1_048_576 - 1
"""So many rows does a sheet hold under its heading."""
EXACT_DIGITS = 15
"""Excel's numbers are exact up to so many digits; a longer amount is written as text."""
LONGEST_TEXT = 32_767
FORMATS = {
    "head": {"bold": True, "bg_color": "#f0f2f5", "bottom": 1},
    "time": {"num_format": "yyyy-mm-dd hh:mm:ss"},
    "money0": {"num_format": "#,##0"},
    "money2": {"num_format": "#,##0.00"},
    "money3": {"num_format": "#,##0.000"},
}
MISMATCHES = {
    "id": 8, "entity": 10, "kind": 20, "field": 16, "ultracart_id": 22, "thiio_id": 14, "ultracart_value": 32,
    "thiio_value": 32, "difference": 13, "currency": 9, "placed_at (UTC)": 19, "first_seen_at (UTC)": 19,
    "last_seen_at (UTC)": 19, "times_seen": 11, "likely_cause": 50, "what_to_do": 50,
}  # fmt: skip
PUSHES = {
    "thiio_order_id": 16, "state": 20, "total": 13, "currency": 9, "planned_at (UTC)": 19, "why": 60,
    "what_to_do": 60,
}  # fmt: skip
LETTERS = {
    "id": 8, "source": 12, "event": 20, "entity": 12, "entity_id": 22, "received_at (UTC)": 19, "why": 60,
}  # fmt: skip
"""The columns of the sheets with their widths, in characters."""

Money = tuple[int | None, str | None]
"""Minor units and their currency."""
Cell = str | int | datetime | Money | None


def write_xlsx(
    path: Path,
    report: Report,
    numbers: Mapping[str, int | str],
    rows: Iterable[OpenRow],
    letters: Iterable[DeadLetter],
) -> None:
    """Write the workbook, one row in memory at a time; times are UTC, no cell is a formula.

    What a sheet cannot hold is told on the first one; the CSV and Parquet files hold it.
    """
    # pandas writes column by column, which this mode of the library does not allow.
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(path, options) as book:
        formats = {name: book.add_format(look) for name, look in FORMATS.items()}
        _write(book, formats, "summary", {"what": 34, "value": 70}, _summarise(report, numbers))
        _write(book, formats, "mismatches", MISMATCHES, (_mismatch(row) for row in rows))
        _write(book, formats, "held pushes", PUSHES, (_push(push) for push in report.pushes))
        _write(book, formats, "dead letters", LETTERS, (tuple(letter) for letter in letters))


def _summarise(report: Report, numbers: Mapping[str, int | str]) -> Iterator[tuple[Cell, ...]]:
    yield "are the two systems in agreement?", answer(report)
    yield "written at (UTC)", report.now
    for what, number in (("mismatches", report.open), ("dead letters", report.dead_count)):
        if number > MOST_ROWS:
            yield f"{what} that this workbook has no room for", number - MOST_ROWS
    yield from numbers.items()


def _mismatch(row: OpenRow) -> tuple[Cell, ...]:
    return (
        *row[:3],
        label_of(row.entity, row.field),
        *row[4:8],
        (row.amount_cents, row.currency),
        *row[9:],
    )


def _push(push: Any) -> tuple[Cell, ...]:
    money = (push.total_cents, push.currency)
    state = PUSH_WORDS[push.state]
    return push.thiio_order_id, state, money, push.currency, push.planned_at, push.reason, push.remedy


def _write(
    book: Any,
    formats: Mapping[str, Any],
    name: str,
    columns: Mapping[str, int],
    rows: Iterable[Sequence[Cell]],
) -> None:
    sheet = book.add_worksheet(name)
    sheet.freeze_panes(1, 0)
    for place, width in enumerate(columns.values()):
        sheet.set_column(place, place, width)
    sheet.write_row(0, 0, list(columns), formats["head"])
    last = 0
    for last, row in enumerate(islice(rows, MOST_ROWS), start=1):
        for place, cell in enumerate(row):
            _put(sheet, formats, last, place, cell)
    sheet.autofilter(0, 0, last, len(columns) - 1)


def _put(sheet: Any, formats: Mapping[str, Any], row: int, column: int, cell: Cell) -> None:
    match cell:
        case None | (None, _):
            pass
        case (int(cents), currency):
            digits = MINOR_DIGITS.get(currency or "USD", 2)
            amount = to_major(cents, currency)
            if _is_exact(amount):
                sheet.write_number(row, column, amount, formats[f"money{digits}"])
            else:
                sheet.write_string(row, column, str(amount))
        case datetime():
            sheet.write_datetime(row, column, cell.astimezone(UTC).replace(tzinfo=None), formats["time"])
        case int():
            sheet.write_number(row, column, cell)
        case _:
            sheet.write_string(row, column, defuse(str(cell))[:LONGEST_TEXT])


def _is_exact(amount: Decimal) -> bool:
    return len(amount.as_tuple().digits) <= EXACT_DIGITS
