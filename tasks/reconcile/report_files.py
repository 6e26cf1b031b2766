"""Write the report where people find it; nobody ever reads half a file."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import uuid4

from sqlalchemy import Engine

from tasks.reconcile.report import Report, read_report
from tasks.reconcile.report_csv import ENCODING, write_csv
from tasks.reconcile.report_html import render_html
from tasks.reconcile.report_rows import stream_open


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
    html, csv = (folder / f"mismatches-{now:%Y%m%d-%H%M%S}{suffix}" for suffix in (".html", ".csv"))
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
        with _whole(folder / f"latest{file_of_now.suffix}") as path:
            shutil.copyfile(file_of_now, path)
    return WrittenReport(report, html, csv)


@contextmanager
def _whole(path: Path) -> Iterator[Path]:
    """Yield a temporary path, which takes the place of `path` once it is written to its end."""
    unfinished = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        yield unfinished
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)
