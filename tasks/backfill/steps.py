"""Prefect steps of a backfill besides reading and comparing: its plan, its finished windows, its progress."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.runtime import flow_run
from sqlalchemy import Connection

from tasks.backfill.calls import count_calls, expect_calls, usual_seconds
from tasks.backfill.job import Job
from tasks.backfill.plan import Plan
from tasks.backfill.progress import Progress
from tasks.database.engine import open_database
from tasks.records import windows
from tasks.records.models import Window
from tasks.records.span import holds_records
from tasks.settings import Settings, load_settings
from tasks.ultracart.open import limits_of
from tasks.ultracart.pacing import read_budget


@task(cache_policy=NO_CACHE, persist_result=False)
def plan_backfill(job: Job, again: bool, dry_run: bool) -> dict[str, Any]:
    """Cut a job into windows, and give those `to_do` (pairs of times), how many are `done`, and the plan.

    `again` forgets what is done, but not when a run that was stopped is tried again: that goes on. A dry run
    writes nothing.
    """
    settings, now = load_settings(), datetime.now(UTC)
    with _transaction(settings) as connection:
        known = windows.read_windows(connection, job.key)
        forgotten = known if again and flow_run.run_count <= 1 else []
        planned = windows.join_on([] if forgotten else known, job.start, min(job.end, now), job.width)
        if not dry_run:
            if forgotten:
                windows.forget_windows(connection, job.key)
            windows.write_windows(connection, job.key, planned)
        to_do = [each.window for each in planned if not each.is_done]
        plan = Plan(
            job=job,
            windows=planned,
            again=sum(each.is_done for each in forgotten),
            calls=expect_calls(connection, job, to_do),
            seconds_a_call=usual_seconds(connection),
            budget=read_budget(
                connection,
                settings.ultracart.simple_key.get_secret_value(),
                limits_of(settings.ultracart),
                now,
            ),
            limits=limits_of(settings.ultracart),
            now=now,
            rejected_retention_days=settings.reconcile.rejected_retention_days,
            is_dry_run=dry_run,
        )
    return {
        "to_do": [(window.start, window.end) for window in to_do],
        "done": plan.done,
        "answer": plan.answer(),
        "markdown": plan.markdown(),
    }


@task(cache_policy=NO_CACHE, persist_result=False)
def is_anything_in(job: Job, start: datetime, end: datetime) -> bool:
    """Tell whether our mirror holds any record of a window: else there is nothing to compare."""
    with _transaction(load_settings()) as connection:
        return any(holds_records(connection, entity, Window(start, end)) for entity in job.kinds.entities)


@task(cache_policy=NO_CACHE, persist_result=False)
def finish_window(job: Job, start: datetime, end: datetime, row_count: int) -> None:
    """Mark a window of a job done, so that the next run skips it."""
    with _transaction(load_settings()) as connection:
        window = Window(start, end)
        windows.finish_window(connection, job.key, window, row_count=row_count, now=datetime.now(UTC))


@task(cache_policy=NO_CACHE, persist_result=False)
def look_at_progress(job: Job, started_at: datetime) -> dict[str, Any]:
    """Give how far a job has come: `percent`, what the artifact shows, and `records` and `calls` so far."""
    settings, now = load_settings(), datetime.now(UTC)
    key, limits = settings.ultracart.simple_key.get_secret_value(), limits_of(settings.ultracart)
    with _transaction(settings) as connection:
        progress = Progress(
            windows=windows.read_windows(connection, job.key),
            calls=count_calls(connection, str(flow_run.id), started_at),
            started_at=started_at,
            now=now,
            budget=read_budget(connection, key, limits, now),
            limits=limits,
        )
    return {
        "percent": progress.percent,
        "answer": progress.answer(),
        "markdown": progress.markdown(),
        "records": progress.records,
        "calls": progress.calls,
    }


@contextmanager
def _transaction(settings: Settings) -> Iterator[Connection]:
    engine = open_database(settings.database_url.get_secret_value())
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()
