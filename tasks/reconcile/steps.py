"""Prefect steps that compare the two sides of the mirror and report what was found."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.runtime import flow_run
from sqlalchemy import Engine

from tasks.database.engine import open_database
from tasks.database.lease import hold_lease
from tasks.reconcile.report_files import delete_old_files, write_files
from tasks.reconcile.report_markdown import make_rows, render_markdown
from tasks.reconcile.report_words import answer, list_numbers
from tasks.reconcile.run import reconcile_window
from tasks.reconcile.terms import read_up_to
from tasks.records.models import Entity, Window
from tasks.settings import Settings, load_settings


@task(cache_policy=NO_CACHE, persist_result=False)
def find_pulled_until() -> datetime:
    """Give the time up to which both sides were pulled; now if no pull was ever made.

    A window that ends there leaves nothing out: what is pulled later is younger.
    """
    with _open(load_settings()) as engine, engine.connect() as connection:
        return read_up_to(connection, datetime.now(UTC))


@task(cache_policy=NO_CACHE, persist_result=False)
def reconcile_customers_window(start: datetime, end: datetime) -> dict[str, int]:
    """Compare the customers that were created or changed in [start, end), and every open mismatch.

    Raises `LeaseHeld` if another run compares customers now.
    """
    return _reconcile(Entity.CUSTOMER, Window(start, end))


@task(cache_policy=NO_CACHE, persist_result=False)
def reconcile_orders_window(start: datetime, end: datetime) -> dict[str, int]:
    """Compare the orders that were placed or changed in [start, end), and every open mismatch.

    Raises `LeaseHeld` if another run compares orders now.
    """
    return _reconcile(Entity.ORDER, Window(start, end))


@task(cache_policy=NO_CACHE, persist_result=False)
def write_report() -> dict[str, Any]:
    """Write the report's files; give its numbers, the files' places, and what Prefect shows of it.

    `markdown` and `rows` hold nobody's personal data; the files do.
    """
    settings = load_settings()
    with _open(settings) as engine:
        written = write_files(engine, settings.report.folder, datetime.now(UTC))
    places = {"html": str(written.html), "csv": str(written.csv)}
    return {
        "answer": answer(written.report),
        "numbers": list_numbers(written.report),
        "files": places,
        "markdown": render_markdown(written.report, list(places.values())),
        "rows": make_rows(written.report),
    }


@task(cache_policy=NO_CACHE, persist_result=False)
def delete_old_reports(days: int | None, dry_run: bool) -> int:
    """Delete files of reports that are past their retention, or older than `days`; a dry run only counts."""
    report = load_settings().report
    kept = days or report.retention_days
    return delete_old_files(report.folder, now=datetime.now(UTC), days=kept, dry_run=dry_run)


def _reconcile(entity: Entity, window: Window) -> dict[str, int]:
    settings = load_settings()
    run_id = None if flow_run.id is None else str(flow_run.id)
    with _open(settings) as engine, hold_lease(engine, f"reconcile:{entity}"):
        counts = reconcile_window(engine, settings, entity, window, now=datetime.now(UTC), run_id=run_id)
    return asdict(counts)


@contextmanager
def _open(settings: Settings) -> Iterator[Engine]:
    engine = open_database(settings.database_url.get_secret_value())
    try:
        yield engine
    finally:
        engine.dispose()
