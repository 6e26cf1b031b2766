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
from tasks.reconcile.report_details import Details, read_details
from tasks.reconcile.report_html import render_html
from tasks.reconcile.report_links import Links
from tasks.reconcile.report_parquet import write_parquet
from tasks.reconcile.report_rows import stream_open
from tasks.reconcile.report_waiting import stream_dead
from tasks.reconcile.report_words import list_numbers
from tasks.reconcile.report_xlsx import write_xlsx

KINDS = ("html", "csv", "parquet", "xlsx")
NO_LINKS = Links()

NAME, LATEST, SUFFIXES = "mismatches-%Y%m%d-%H%M%S", "latest", tuple(f".{kind}" for kind in KINDS)
"""How the files of a moment are called, and the copies of the newest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenReport:
    """What a report tells, and the files that tell it; beside them stand copies: latest.html and so on."""

    report: Report
    details: Details
    html: Path
    csv: Path
    parquet: Path
    xlsx: Path

    @property
    def files(self) -> dict[str, Path]:
        """Give the files by their kind, the one for reading first."""
        return {"html": self.html, "csv": self.csv, "parquet": self.parquet, "xlsx": self.xlsx}


def write_files(engine: Engine, folder: Path, now: datetime, links: Links = NO_LINKS) -> WrittenReport:
    """Write the report of this moment into `folder` in four formats, and copies of them as the latest."""
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    files = {kind: folder / f"{now:{NAME}}.{kind}" for kind in KINDS}
    # One snapshot: the HTML file counts what the others list. SQLite gives it with any transaction.
    if engine.dialect.name == "postgresql":
        engine = engine.execution_options(isolation_level="REPEATABLE READ")
    with engine.begin() as connection:
        report = read_report(connection, now)
        details = read_details(connection, report)
        with _whole(files["csv"]) as path, path.open("w", encoding=ENCODING, newline="") as file:
            write_csv(file, stream_open(connection))
        with _whole(files["parquet"]) as path:
            write_parquet(path, stream_open(connection))
        with _whole(files["xlsx"]) as path:
            numbers = list_numbers(report)
            write_xlsx(path, report, numbers, stream_open(connection), stream_dead(connection))
    with _whole(files["html"]) as path:
        names = [file_of_now.name for kind, file_of_now in files.items() if kind != "html"]
        path.write_text(render_html(report, details, links, names), encoding="utf-8")
    for file_of_now in reversed(files.values()):
        with _whole(folder / f"{LATEST}{file_of_now.suffix}") as path:
            shutil.copyfile(file_of_now, path)
    return WrittenReport(report=report, details=details, **files)


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
