"""Prefect steps that copy what changed in Thiio into our mirror, and write order ids into Thiio."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from prefect import task
from prefect.cache_policies import NO_CACHE
from sqlalchemy import Engine

from tasks.database.engine import open_database
from tasks.errors import InvalidRecord, RemoteRefused, RemoteUnavailable
from tasks.notifications.log import notifier
from tasks.records.models import Window
from tasks.settings import load_settings
from tasks.thiio import pull
from tasks.thiio.connection import ThiioConnection
from tasks.thiio.open import open_thiio


@task(cache_policy=NO_CACHE, persist_result=False)
def pull_thiio_customers(start: datetime, end: datetime) -> dict[str, int]:
    """Store Thiio's customers that were created or changed in [start, end)."""
    with _thiio_and_mirror() as (thiio, engine):
        return {"thiio_customers": pull.pull_customers(thiio, engine, Window(start, end))}


@task(cache_policy=NO_CACHE, persist_result=False)
def pull_thiio_orders(start: datetime, end: datetime) -> dict[str, int]:
    """Store Thiio's orders that were placed, created or changed in [start, end)."""
    with _thiio_and_mirror() as (thiio, engine):
        return {"thiio_orders": pull.pull_orders(thiio, engine, Window(start, end))}


@task(cache_policy=NO_CACHE, persist_result=False)
def pull_thiio_catalogue() -> dict[str, int]:
    """Store Thiio's products with their metadata, and its gateways."""
    with _thiio_and_mirror() as (thiio, engine):
        return pull.pull_catalogue(thiio, engine)


@task(cache_policy=NO_CACHE, persist_result=False)
def mark_orders_synced(pairs: list[tuple[str, str]]) -> dict[str, str]:
    """Write UltraCart's order ids on Thiio's orders; pairs of Thiio's id and UltraCart's. Safe to repeat.

    Gives Thiio's id → why it could not be done; empty where it was.
    """
    problems: dict[str, str] = {}
    with _thiio_and_mirror() as (thiio, _):
        for thiio_id, ultracart_id in pairs:
            try:
                thiio.mark_synced(thiio_id, ultracart_id)
            except (RemoteUnavailable, RemoteRefused, InvalidRecord) as error:
                problems[thiio_id] = str(error)
            else:
                problems[thiio_id] = ""
    return problems


@contextmanager
def _thiio_and_mirror() -> Iterator[tuple[ThiioConnection, Engine]]:
    settings = load_settings()
    engine = open_database(settings.database_url.get_secret_value())
    thiio = open_thiio(settings, notifier(engine))
    try:
        yield thiio, engine
    finally:
        thiio.close()
        engine.dispose()
