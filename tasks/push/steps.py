"""Prefect steps of the push; each holds the lease while it works, so that there is one pusher at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.runtime import flow_run
from sqlalchemy import Engine

from tasks.database.engine import open_database
from tasks.database.lease import hold_lease
from tasks.notifications.log import notifier
from tasks.push.mapping import read_mapping
from tasks.push.pusher import Pusher
from tasks.settings import Settings, load_settings, require
from tasks.thiio.mapping_file import load_mapping
from tasks.thiio.open import open_thiio
from tasks.ultracart.open import open_ultracart

LEASE = "push-orders"


@task(cache_policy=NO_CACHE, persist_result=False)
def settle_pushes() -> dict[str, Any]:
    """Look up what earlier runs left unclear, and tell Thiio of the orders that UltraCart has by now."""
    settings = load_settings()
    with _engine(settings) as engine, hold_lease(engine, LEASE), _pusher(settings, engine) as pusher:
        counts = pusher.settle()
        told = pusher.tell_thiio(counts)
        return asdict(counts) | {"told": told}


@task(cache_policy=NO_CACHE, persist_result=False)
def plan_pushes(
    order_ids: list[str] | None, dry_run: bool, with_tests: bool, retry_rejected: bool
) -> list[dict[str, Any]]:
    """Plan or hold every unsynced order of Thiio that is due; see `Pusher.plan`."""
    settings = load_settings()
    with _engine(settings) as engine, hold_lease(engine, LEASE), _pusher(settings, engine) as pusher:
        key = load_mapping(settings.thiio.mapping_file).item_id_key or settings.thiio.item_id_key
        with engine.connect() as connection:
            mapping = read_mapping(connection, key)
        planned = pusher.plan(
            mapping, order_ids, dry_run=dry_run, with_tests=with_tests, retry_rejected=retry_rejected
        )
        return [asdict(order) for order in planned]


@task(cache_policy=NO_CACHE, persist_result=False)
def send_pushes(order_ids: list[str]) -> dict[str, Any]:
    """Send the planned pushes of these Thiio orders; see `Pusher.send`."""
    settings = load_settings()
    with _engine(settings) as engine, hold_lease(engine, LEASE), _pusher(settings, engine) as pusher:
        return asdict(pusher.send(order_ids))


@contextmanager
def _engine(settings: Settings) -> Iterator[Engine]:
    engine = open_database(settings.database_url.get_secret_value())
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def _pusher(settings: Settings, engine: Engine) -> Iterator[Pusher]:
    # Without it every look-up comes back empty, and what arrived would be sent again.
    require(settings.ultracart.channel_partner_code, "ultracart", "channel_partner_code")
    notify = notifier(engine, None if flow_run.id is None else str(flow_run.id))
    thiio = open_thiio(settings, notify)
    try:
        with open_ultracart(settings.ultracart, engine, notify) as ultracart:
            yield Pusher(engine, settings.push, ultracart, thiio)
    finally:
        thiio.close()
