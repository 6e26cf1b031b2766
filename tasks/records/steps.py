"""Prefect steps about windows and watermarks, shared by the flows that go through time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.database.engine import open_database
from tasks.records import watermarks, windows
from tasks.records.models import Window
from tasks.settings import load_settings


@task(cache_policy=NO_CACHE, persist_result=False)
def choose_window(name: str, start: datetime | None, end: datetime | None) -> tuple[datetime, datetime]:
    """Give the window to work on: what was asked for, or from the watermark `name` to now.

    The watermark's window reaches back by `reconcile.overlap_minutes`; without a watermark it begins
    `reconcile.first_window_days` ago.
    """
    settings = load_settings()
    with open_database(settings.database_url.get_secret_value()).connect() as connection:
        window = watermarks.next_window(
            connection,
            name,
            now=datetime.now(UTC),
            overlap=timedelta(minutes=settings.reconcile.overlap_minutes),
            first=timedelta(days=settings.reconcile.first_window_days),
        )
    return start or window.start, end or window.end


@task(cache_policy=NO_CACHE, persist_result=False)
def move_watermark(name: str, reached: datetime) -> None:
    """Remember that everything before `reached` was seen; a watermark never goes back."""
    engine = open_database(load_settings().database_url.get_secret_value())
    with engine.begin() as connection:
        watermarks.move_watermark(connection, name, reached, now=datetime.now(UTC))


@task(cache_policy=NO_CACHE, persist_result=False)
def plan_windows(
    job: str, start: datetime, end: datetime, days: int, dry_run: bool
) -> list[tuple[datetime, datetime]]:
    """Cut a stretch into windows of `days` and give those that are still to be done, oldest first.

    A dry run writes nothing and gives all windows.
    """
    planned = windows.cut_into_windows(start, end, timedelta(days=days))
    if dry_run:
        return [(window.start, window.end) for window in planned]
    engine = open_database(load_settings().database_url.get_secret_value())
    with engine.begin() as connection:
        windows.plan_windows(connection, job, planned)
        return [(window.start, window.end) for window in windows.unfinished_windows(connection, job)]


@task(cache_policy=NO_CACHE, persist_result=False)
def finish_window(job: str, start: datetime, end: datetime, row_count: int) -> None:
    """Mark a window of a job done, so that the next run skips it."""
    engine = open_database(load_settings().database_url.get_secret_value())
    with engine.begin() as connection:
        windows.finish_window(connection, job, Window(start, end), row_count=row_count, now=datetime.now(UTC))
