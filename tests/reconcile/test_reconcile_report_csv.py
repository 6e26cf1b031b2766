"""The CSV file of the report: every open mismatch, and no formula."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tasks.reconcile.causes import ADVICE, Cause
from tasks.reconcile.report_csv import defuse
from tasks.reconcile.report_files import write_files
from tests.builders import NOON
from tests.reconcile.trouble import make_trouble
from tests.reconcile.two_sides import NOW


def read_csv(path: Path) -> list[dict[str, str]]:
    """Read a CSV file as a spreadsheet would."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_the_csv_file_holds_every_open_mismatch(any_engine: Engine, tmp_path: Path) -> None:
    """A row each, in order of its number; amounts are numbers, and no cell is a formula."""
    make_trouble(any_engine)

    rows = read_csv(write_files(any_engine, tmp_path, NOW).csv)

    edited = ADVICE[Cause.EDITED]
    assert len(rows) == 4
    assert rows[-1] | {"id": "", "last_seen_at": ""} == {
        "id": "",
        "entity": "order",
        "kind": "missing_in_thiio",
        "field": "",
        "ultracart_id": "D-2",
        "thiio_id": "",
        "ultracart_value": "processing, placed 2026-11-01 12:00 UTC, 1200 JPY",
        "thiio_value": "missing",
        "difference": "1200",
        "currency": "JPY",
        "placed_at": f"{NOON:%Y-%m-%d %H:%M:%S}",
        "first_seen_at": f"{NOW:%Y-%m-%d %H:%M:%S}",
        "last_seen_at": "",
        "times_seen": "1",
        "likely_cause": ADVICE[Cause.NO_EVENT].cause,
        "what_to_do": ADVICE[Cause.NO_EVENT].remedy,
    }
    told = {row["field"]: (row["thiio_value"], row["difference"], row["likely_cause"]) for row in rows[:-1]}
    changed = ADVICE[Cause.CUSTOMER_EDITED].cause
    assert told == {
        "phone": ("'+12025550143", "", changed),
        "city": ("'=cmd()|calc", "", changed),
        "total": ("99.99 USD", "-76.36", edited.cause),
    }


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("=1+1", "'=1+1"),
        ("+12025550143", "'+12025550143"),
        ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("＝1", "'＝1"),
        ("-12.50", "-12.50"),
        ("-3", "-3"),
        ("12.50", "12.50"),
        ("a=b", "a=b"),
        ("", ""),
    ],
)
def test_no_cell_is_a_formula(cell: str, written: str) -> None:
    """What a spreadsheet would calculate is made text; a plain number stays one."""
    assert defuse(cell) == written
