"""Prefect steps that pull from UltraCart; each makes its own client, and takes and gives plain values."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.runtime import flow_run
from sqlalchemy import Engine

from tasks.database.engine import open_database
from tasks.notifications.log import notifier
from tasks.records.models import Window
from tasks.settings import Settings, load_settings
from tasks.ultracart.client import UltraCartClient
from tasks.ultracart.open import open_ultracart
from tasks.ultracart.pull import pull_catalogue, pull_customers, pull_orders


@task(cache_policy=NO_CACHE, persist_result=False)
def pull_ultracart_customers(start: datetime, end: datetime) -> dict[str, int]:
    """Store the customers that changed in [start, end)."""
    settings = load_settings()
    with _connect(settings) as (client, engine):
        return pull_customers(client, engine, Window(start, end), settings.default_region)


@task(cache_policy=NO_CACHE, persist_result=False)
def pull_ultracart_orders(start: datetime, end: datetime) -> dict[str, int]:
    """Store the orders that were placed or changed in [start, end)."""
    settings = load_settings()
    with _connect(settings) as (client, engine):
        return pull_orders(client, engine, Window(start, end), settings.default_region)


@task(cache_policy=NO_CACHE, persist_result=False)
def pull_ultracart_catalogue() -> dict[str, int]:
    """Store UltraCart's items and gateways."""
    with _connect(load_settings()) as (client, engine):
        return pull_catalogue(client, engine)


@contextmanager
def _connect(settings: Settings) -> Iterator[tuple[UltraCartClient, Engine]]:
    engine = open_database(settings.database_url.get_secret_value())
    run_id = flow_run.id
    notify = notifier(engine, None if run_id is None else str(run_id))
    try:
        with open_ultracart(settings.ultracart, engine, notify) as client:
            yield client, engine
    finally:
        engine.dispose()
