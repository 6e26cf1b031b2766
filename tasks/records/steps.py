"""Prefect steps about windows and watermarks, shared by the flows that go through time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.database.engine import open_database
from tasks.records import watermarks
from tasks.records.models import Entity
from tasks.records.span import find_span
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
def choose_whole_window(entity: str, end: datetime) -> tuple[datetime, datetime]:
    """Give the window from the first record of either side in our mirror to the last one, but not past `end`.

    Without records it is empty.
    """
    with open_database(load_settings().database_url.get_secret_value()).connect() as connection:
        span = find_span(connection, Entity(entity))
    return (min(span.start, end), min(span.end, end)) if span else (end, end)


@task(cache_policy=NO_CACHE, persist_result=False)
def move_watermark(name: str, reached: datetime) -> None:
    """Remember that everything before `reached` was seen; a watermark never goes back."""
    engine = open_database(load_settings().database_url.get_secret_value())
    with engine.begin() as connection:
        watermarks.move_watermark(connection, name, reached, now=datetime.now(UTC))
