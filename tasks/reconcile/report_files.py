"""Write the report where people find it; nobody ever reads half a file."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

from sqlalchemy import Engine

from tasks.reconcile.report import Report, read_report
from tasks.reconcile.report_csv import ENCODING, write_csv
from tasks.reconcile.report_html import render_html
from tasks.reconcile.report_rows import stream_open

NAME, LATEST, SUFFIXES = "mismatches-%Y%m%d-%H%M%S", "latest", (".html", ".csv")
"""How the files of a moment are called, and the copies of the newest."""


@dataclass(frozen=True, slots=True)
class WrittenReport:
    """What a report tells, and the files that tell it; beside them stand latest.html and latest.csv."""

    report: Report
    html: Path
    csv: Path


def write_files(engine: Engine, folder: Path, now: datetime) -> WrittenReport:
    """Write the HTML and the CSV file of this moment into `folder`, and copies of both as the latest."""
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    html, csv = (folder / f"{now:{NAME}}{suffix}" for suffix in SUFFIXES)
    # One snapshot: the HTML file counts what the CSV file lists. SQLite gives it with any transaction.
    if engine.dialect.name == "postgresql":
        engine = engine.execution_options(isolation_level="REPEATABLE READ")
    with engine.begin() as connection:
        report = read_report(connection, now)
        with _whole(csv) as path, path.open("w", encoding=ENCODING, newline="") as file:
            write_csv(file, stream_open(connection))
    with _whole(html) as path:
        path.write_text(render_html(report, csv.name), encoding="utf-8")
    for file_of_now in (csv, html):
        with _whole(folder / f"{LATEST}{file_of_now.suffix}") as path:
            shutil.copyfile(file_of_now, path)
    return WrittenReport(report, html, csv)


def find_old_files(folder: Path, before: datetime) -> list[Path]:
    """Give the files of reports made before a time (aware UTC); what else lies in the folder is not ours."""
    files = (path for path in folder.iterdir() if path.suffix in SUFFIXES) if folder.is_dir() else ()
    return sorted(path for path in files if (made_at := _made_at(path)) and made_at < before)


def delete_old_files(folder: Path, *, now: datetime, days: int, dry_run: bool) -> int:
    """Delete the files of reports that are older than `days` and count them; a dry run only counts."""
    files = find_old_files(folder, now - timedelta(days=days))
    for file in () if dry_run else files:
        file.unlink(missing_ok=True)
    return len(files)


def _made_at(path: Path) -> datetime | None:
    """Read the time from a file's name: a copy or a restored backup has the date of the copy."""
    if path.stem == LATEST:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)
    try:
        return datetime.strptime(path.stem, NAME).replace(tzinfo=UTC)
    except ValueError:
        return None


@contextmanager
def _whole(path: Path) -> Iterator[Path]:
    """Yield a temporary path, which takes the place of `path` once it is written to its end."""
    unfinished = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        yield unfinished
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)
