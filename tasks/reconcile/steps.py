"""Prefect steps that compare the two sides of the mirror and report what was found."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from typing import Any, cast

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.runtime import flow_run
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

from tasks.database.engine import opened
from tasks.database.lease import hold_lease
from tasks.errors import SetupError
from tasks.reconcile.ignoring import set_aside, take_back
from tasks.reconcile.judge import Tally, compare
from tasks.reconcile.report_files import delete_old_files, write_files
from tasks.reconcile.report_links import make_links
from tasks.reconcile.report_markdown import make_rows, render_markdown
from tasks.reconcile.report_markdown_details import render_details
from tasks.reconcile.report_words import answer, list_numbers
from tasks.reconcile.run import reconcile_window
from tasks.reconcile.scope import Scope
from tasks.reconcile.terms import Terms, read_up_to
from tasks.records.models import Entity, Window
from tasks.settings import ReconcileSettings, TaskRunnerKind, load_settings


@task(cache_policy=NO_CACHE, persist_result=False)
def find_pulled_until() -> datetime:
    """Give the time up to which both sides were pulled; now if no pull was ever made.

    A window that ends there leaves nothing out: what is pulled later is younger.
    """
    with opened(load_settings()) as engine, engine.connect() as connection:
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
    with opened(settings) as engine:
        links = make_links(settings.report)
        written = write_files(engine, settings.report.folder, datetime.now(UTC), links)
    places = {kind: str(file) for kind, file in written.files.items()}
    return {
        "answer": answer(written.report),
        "numbers": list_numbers(written.report),
        "files": places,
        "markdown": render_markdown(
            written.report, list(places.values()), render_details(written.report, written.details)
        ),
        "rows": make_rows(written.report),
    }


@task(cache_policy=NO_CACHE, persist_result=False)
def delete_old_reports(days: int | None, dry_run: bool) -> int:
    """Delete files of reports that are past their retention, or older than `days`; a dry run only counts."""
    report = load_settings().report
    kept = days or report.retention_days
    return delete_old_files(report.folder, now=datetime.now(UTC), days=kept, dry_run=dry_run)


@task(cache_policy=NO_CACHE, persist_result=False)
def ignore_mismatches(ids: list[int], reason: str, days: int) -> str:
    """Set open mismatches aside for some days, with a person's reason; give the sentence that says so.

    Raises `InvalidRecord`, and changes nothing, if one of them is not open.
    """
    with opened(load_settings()) as engine, engine.begin() as connection:
        return set_aside(connection, ids, reason, days, now=datetime.now(UTC))


@task(cache_policy=NO_CACHE, persist_result=False)
def take_back_mismatches(ids: list[int]) -> str:
    """Take ignored mismatches back among the open ones; give the sentence that says so.

    Raises `InvalidRecord`, and changes nothing, if one of them is not ignored.
    """
    with opened(load_settings()) as engine, engine.begin() as connection:
        return take_back(connection, ids)


@task(cache_policy=NO_CACHE, persist_result=False, task_run_name="compare-part-{number}")
def compare_part(number: int, part: Scope, terms: Terms) -> tuple[int, ...]:
    """Compare the records of one part of a window; the numbers of a `Tally`.

    The records must have been paired, and the run's lease is held, by whoever calls.
    """
    with opened(load_settings()) as engine:
        return tuple(compare(engine, part, terms))


def _reconcile(entity: Entity, window: Window) -> dict[str, int]:
    settings = load_settings()
    run_id = None if flow_run.id is None else str(flow_run.id)
    now = datetime.now(UTC)
    spread = partial(_side_by_side, settings.reconcile) if settings.reconcile.partitions > 1 else None
    with (
        opened(settings) as engine,
        hold_lease(engine, f"reconcile:{entity}"),
    ):
        counts = reconcile_window(engine, settings, entity, window, now=now, run_id=run_id, spread=spread)
    return asdict(counts)


def _side_by_side(settings: ReconcileSettings, parts: Sequence[Scope], terms: Terms) -> list[Tally]:
    """Compare each part in a task run of its own; a part that fails fails the run, after all have ended."""
    with _task_runner(settings) as runner:
        futures = [
            runner.submit(compare_part, {"number": number, "part": part, "terms": terms})
            for number, part in enumerate(parts, 1)
        ]
        for future in futures:
            future.wait()
    return [Tally(*future.result()) for future in futures]


def _task_runner(settings: ReconcileSettings) -> TaskRunner[Any]:
    workers = min(settings.partitions, os.cpu_count() or 1)
    if settings.task_runner is TaskRunnerKind.THREADS:
        return ThreadPoolTaskRunner(max_workers=workers)
    try:
        from prefect_dask.task_runners import DaskTaskRunner  # type: ignore[import-not-found, unused-ignore]
    except ModuleNotFoundError as error:
        raise SetupError(
            "ULTRATHIIO_RECONCILE__TASK_RUNNER is dask, and prefect-dask is missing. "
            "Run: pip install 'ultrathiio[dask]'"
        ) from error
    if settings.dask_address:
        return cast(TaskRunner[Any], DaskTaskRunner(address=settings.dask_address))
    # Dask's own page would listen on every address of the machine.
    local = {"n_workers": workers, "threads_per_worker": 1, "dashboard_address": None}
    return cast(TaskRunner[Any], DaskTaskRunner(cluster_kwargs=local))
