"""The Parquet file and the workbook: what the CSV file holds, typed."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import openpyxl
import pyarrow as pa
import pytest
from pyarrow import parquet
from sqlalchemy import Engine

from tasks.reconcile import report_parquet, report_xlsx
from tasks.reconcile.report_files import write_files
from tests.builders import NOON
from tests.reconcile.other_tables import add_event, add_push
from tests.reconcile.planted_ledger import plant_mismatch, plant_pair
from tests.reconcile.test_reconcile_report_csv import read_csv
from tests.reconcile.trouble import HOSTILE, make_trouble
from tests.reconcile.two_sides import NOW

LARGEST = 2**63 - 1


def test_the_parquet_file_is_typed(any_engine: Engine, tmp_path: Path) -> None:
    """Amounts are decimals, times are UTC, texts stand as they are; it says what the CSV file says."""
    make_trouble(any_engine)

    written = write_files(any_engine, tmp_path, NOW)
    table = parquet.read_table(written.parquet)

    assert table.schema.field("difference").type == pa.decimal128(22, 3)
    assert table.schema.field("first_seen_at").type == pa.timestamp("us", tz="UTC")
    rows, lines = table.to_pylist(), read_csv(written.csv)
    assert list(rows[0]) == list(lines[0])
    assert [str(row["id"]) for row in rows] == [line["id"] for line in lines]
    lost = rows[-1]
    assert (lost["difference"], lost["currency"], lost["placed_at"]) == (Decimal(1200), "JPY", NOON)
    assert [row["difference"] for row in rows[:-1]].count(Decimal("-76.36")) == 1
    assert "=cmd()|calc" in {row["thiio_value"] for row in rows}


def test_any_amount_fits(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No digit of the largest amount is lost; groups of rows join into one table."""
    monkeypatch.setattr(report_parquet, "ROWS_A_GROUP", 2)
    with engine.begin() as connection:
        for number, (currency, cents) in enumerate(
            [("JPY", LARGEST), ("EUR", -LARGEST), ("KWD", 1), ("USD", 123_456_789_012_345)]
        ):
            plant_pair(connection, number, currency=currency)
            plant_mismatch(connection, number, amount_cents=cents)
        plant_pair(connection, 9)
        plant_mismatch(connection, 9, "status")

    written = write_files(engine, tmp_path, NOW)

    expected = [
        Decimal("9223372036854775807"),
        Decimal("-92233720368547758.07"),
        Decimal("0.001"),
        Decimal("1234567890123.45"),
        None,
    ]
    assert parquet.read_table(written.parquet)["difference"].to_pylist() == expected
    assert parquet.ParquetFile(written.parquet).num_row_groups == 3
    sheet = openpyxl.load_workbook(written.xlsx)["mismatches"]
    cells = [row[8] for row in sheet.iter_rows(min_row=2)]
    # Excel's own numbers have 15 digits: what is longer stands as text, digit by digit.
    assert [cell.value for cell in cells] == [
        "9223372036854775807", "-92233720368547758.07", 0.001, 1234567890123.45, None,
    ]  # fmt: skip
    assert [cell.number_format for cell in cells[2:4]] == ["#,##0.000", "#,##0.00"]


def test_the_workbook_opens_ready_for_work(engine: Engine, tmp_path: Path) -> None:
    """Four sheets with frozen headings and filters; dates are dates, amounts numbers, no cell a formula."""
    make_trouble(engine)
    with engine.begin() as connection:
        add_push(connection, "18", "rejected", reason="=HYPERLINK(1)", total_cents=4999, currency="USD")
        add_event(connection, "=1+1", "dead", digest="second")

    book = openpyxl.load_workbook(write_files(engine, tmp_path, NOW).xlsx)

    assert book.sheetnames == ["summary", "mismatches", "held pushes", "dead letters"]
    for sheet in book:
        assert sheet.freeze_panes == "A2"
        assert sheet.auto_filter.ref.startswith("A1:")
        assert not [cell for row in sheet for cell in row if cell.data_type == "f"]
    summary = {row[0].value: row[1].value for row in book["summary"]}
    assert summary["are the two systems in agreement?"] == "No: 4 mismatches are open."
    assert (summary["open mismatches"], summary["written at (UTC)"]) == (4, NOW.replace(tzinfo=None))
    rows = [[cell.value for cell in row] for row in book["mismatches"].iter_rows(min_row=2)]
    assert [row[8:10] for row in rows if row[8] is not None] == [[-76.36, "USD"], [1200, "JPY"]]
    assert {row[11] for row in rows} == {datetime(2026, 11, 2, 12)}  # noqa: DTZ001  # a sheet knows no zones
    assert "'=cmd()|calc" in {row[7] for row in rows}
    held = {row[0].value: row for row in book["held pushes"]}
    assert [cell.value for cell in held["18"][1:4]] == ["refused by UltraCart", 49.99, "USD"]
    assert held["18"][5].value == "'=HYPERLINK(1)"
    assert held["17"][5].value == f"No item ID: {HOSTILE}"
    assert {row[4].value for row in book["dead letters"]} == {"entity_id", HOSTILE, "'=1+1"}


def test_what_a_sheet_has_no_room_for_is_told(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The workbook is cut where Excel ends, and says so; the Parquet file holds all."""
    monkeypatch.setattr(report_xlsx, "MOST_ROWS", 3)
    with engine.begin() as connection:
        for number in range(5):
            plant_mismatch(connection, number)

    written = write_files(engine, tmp_path, NOW.astimezone(UTC))

    book = openpyxl.load_workbook(written.xlsx)
    summary = {row[0].value: row[1].value for row in book["summary"]}
    assert (book["mismatches"].max_row, summary["mismatches that this workbook has no room for"]) == (4, 2)
    assert parquet.read_table(written.parquet).num_rows == 5
