"""The report's files: an HTML document and the lists beside it, written whole, safe to open."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from tasks.reconcile import report_files
from tasks.reconcile.causes import ADVICE, Cause
from tasks.reconcile.report_files import KINDS, delete_old_files, write_files
from tests.reconcile.trouble import HOSTILE, make_trouble
from tests.reconcile.two_sides import NOW

LATER = NOW + timedelta(days=1, seconds=1)
VOID = {"meta", "br"}


class Document(HTMLParser):
    """Reads a document strictly: every tag that is opened is closed, in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.stack: list[str] = []
        self.tags: set[str] = set()
        self.addresses: list[str] = []
        self.rows: list[list[str]] = []
        self.text = ""
        self.feed(html)
        assert self.stack == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag, and every address it names."""
        self.tags.add(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("href", "src")]
        if tag not in VOID:
            self.stack.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        """Close the tag that was opened last."""
        assert self.stack.pop() == tag

    def handle_data(self, data: str) -> None:
        """Collect the words of cells, and all words."""
        if "style" not in self.stack:
            self.text += data
        if {"td", "th"} & set(self.stack):
            self.rows[-1][-1] += data


def test_all_files_are_written(any_engine: Engine, tmp_path: Path) -> None:
    """The folder is made; each report stays, the newest also stands as the latest; nothing else is left."""
    folder = tmp_path / "new" / "reports"
    make_trouble(any_engine)

    first = write_files(any_engine, folder, NOW)
    second = write_files(any_engine, folder, LATER)

    assert sorted(path.name for path in folder.iterdir()) == [
        f"{name}.{kind}"
        for name in ("latest", "mismatches-20261102-120000", "mismatches-20261103-120001")
        for kind in ("csv", "html", "parquet", "xlsx")
    ]
    assert (first.html, second.csv) == (
        folder / "mismatches-20261102-120000.html",
        folder / "mismatches-20261103-120001.csv",
    )
    assert (folder / "latest.html").read_bytes() == second.html.read_bytes() != first.html.read_bytes()
    for kind, file in second.files.items():
        assert (folder / f"latest.{kind}").read_bytes() == file.read_bytes()


def test_a_report_that_cannot_be_written_leaves_the_last_one(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever opens the latest report reads a whole one; no half a file is left behind."""
    folder = tmp_path / "reports"
    write_files(engine, folder, NOW)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    make_trouble(engine)

    def break_off(file: Any, _rows: object) -> None:
        file.write("id,")
        raise OSError("No space left on device")

    monkeypatch.setattr(report_files, "write_csv", break_off)
    with pytest.raises(OSError, match="No space left"):
        write_files(engine, folder, LATER)

    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_the_html_file_stands_by_itself(engine: Engine, tmp_path: Path) -> None:
    """It is well-formed, loads nothing, runs nothing, and names only the files beside it."""
    make_trouble(engine)

    html = write_files(engine, tmp_path, NOW).html.read_text()

    document = Document(html)
    assert document.addresses == [f"mismatches-20261102-120000.{kind}" for kind in ("csv", "parquet", "xlsx")]
    assert document.tags.isdisjoint({"script", "link", "img", "iframe", "form"})
    assert not any(word in html for word in ("http:", "https:", "url(", "@import", "<script"))


def test_the_html_file_tells_everything(engine: Engine, tmp_path: Path) -> None:
    """Answer, numbers, last comparisons, causes, waiting orders, dead letters and each mismatch."""
    make_trouble(engine)

    document = Document(write_files(engine, tmp_path, NOW).html.read_text())

    assert "No: 4 mismatches are open." in document.text
    assert "Orders in agreement: 0 of 2 (0.0 %)." in document.text
    assert ADVICE[Cause.NO_EVENT].remedy in document.text
    rows = [row[1:] if row[0].isdecimal() else row for row in document.rows]
    today, window = "2026-11-02", ("2026-10-02 12:00 UTC", "2026-11-02 12:00 UTC")
    for expected in (
        ["orders", *window, "2", "1", "1", "0", "1", "0", "0.0 %"],
        ["Order with different total", ADVICE[Cause.EDITED].cause, "1", "1", "0", "76.36 USD", today],
        ["held", "–", "2026-11-01", f"No item ID: {HOSTILE}", "Add it."],
        ["ultracart", "order_create", f"order {HOSTILE}", "2026-11-01 12:00 UTC", "unreadable"],
        ["DEMO-1", "80001", HOSTILE, "=cmd()|calc", "–", "2026-11-01", today],
        ["DEMO-1", "80001", "23.63 USD", "99.99 USD", "-76.36 USD", "2026-11-01", today],
        ["D-2", "–", "processing, placed 2026-11-01 12:00 UTC, 1200 JPY", "missing", "1200 JPY",
         "2026-11-01", today],
    ):  # fmt: skip
        assert any(row[: len(expected)] == expected for row in rows), expected


def test_a_report_of_nothing_is_a_report(engine: Engine, tmp_path: Path) -> None:
    """On empty tables all files are there, say that nothing was compared, and hold no empty table."""
    written = write_files(engine, tmp_path, NOW)

    document = Document(written.html.read_text())
    assert "Nothing was compared yet." in document.text
    assert "table" not in document.tags
    assert written.csv.read_text(encoding="utf-8-sig").count("\n") == 1


def test_old_files_are_deleted_and_no_other(engine: Engine, tmp_path: Path) -> None:
    """By the time in their names, though all were written just now; a stranger's file is left alone."""
    for days in (91, 90, 1):
        write_files(engine, tmp_path, NOW - timedelta(days=days))
    (tmp_path / "mismatches-of-last-year.csv").touch()
    before = {path.name for path in tmp_path.iterdir()}

    counted = delete_old_files(tmp_path, now=NOW, days=90, dry_run=True)
    assert {path.name for path in tmp_path.iterdir()} == before
    deleted = delete_old_files(tmp_path, now=NOW, days=90, dry_run=False)

    assert counted == deleted == len(KINDS)
    old = f"mismatches-{NOW - timedelta(days=91):%Y%m%d-%H%M%S}"
    assert {path.name for path in tmp_path.iterdir()} == before - {f"{old}.{kind}" for kind in KINDS}


def test_copies_of_the_newest_report_grow_old_too(engine: Engine, tmp_path: Path) -> None:
    """Where no report was written for as long as they are kept; a folder that is missing has none."""
    write_files(engine, tmp_path / "reports", NOW)
    later = datetime.now(UTC) + timedelta(days=3_650)

    assert delete_old_files(tmp_path / "reports", now=later, days=90, dry_run=False) == 2 * len(KINDS)
    assert list((tmp_path / "reports").iterdir()) == []
    assert delete_old_files(tmp_path / "none", now=later, days=90, dry_run=False) == 0
