"""Prefect steps of the inbox: work it off, put events back to work, delete what is old."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.runtime import flow_run
from sqlalchemy import Engine

from tasks.database.engine import open_database
from tasks.errors import RecordsFailed
from tasks.inbox import event_queue, prune, replay
from tasks.inbox.apply import Applier, ApplyCounts
from tasks.notifications.log import notifier
from tasks.records.models import Order
from tasks.settings import Settings, load_settings
from tasks.thiio.open import open_thiio
from tasks.ultracart.open import open_ultracart
from tasks.ultracart.translate import to_order


@task(cache_policy=NO_CACHE, persist_result=False, task_run_name="process up to {limit} events")
def process_due_events(limit: int, batch: int) -> dict[str, int]:
    """Claim and apply due events, `batch` at a time, until none is due or `limit` were taken.

    Raises `RecordsFailed` once all were handled, if some are dead or must wait for another try.
    """
    settings = load_settings()
    engine = open_database(settings.database_url.get_secret_value())
    total = ApplyCounts()
    try:
        with _applier(settings, engine) as applier:
            while total.claimed < limit:
                counts = _apply_batch(engine, settings, applier, min(batch, limit - total.claimed))
                total.add(counts)
                if counts.claimed == 0:
                    break
    finally:
        engine.dispose()
    if total.failures:
        raise RecordsFailed("process-inbox", total.failures)
    return {name: value for name, value in asdict(total).items() if name != "failures"}


def _apply_batch(engine: Engine, settings: Settings, applier: Applier, limit: int) -> ApplyCounts:
    now = datetime.now(UTC)
    with engine.begin() as connection:
        buried = event_queue.bury_exhausted(connection, max_attempts=settings.inbox.max_attempts, now=now)
        claim = event_queue.claim_events(
            connection, limit=limit, lease_seconds=settings.inbox.lease_seconds, now=now
        )
    counts = applier.apply(claim) if claim.events else ApplyCounts()
    if buried:
        counts.dead += buried
        counts.failures.append(f"{buried} events are dead: their workers ended without a word")
    return counts


@contextmanager
def _applier(settings: Settings, engine: Engine) -> Iterator[Applier]:
    run_id = None if flow_run.id is None else str(flow_run.id)
    notify = notifier(engine, run_id)

    def fetch_orders(ids: Sequence[str]) -> list[Order]:
        with open_ultracart(settings.ultracart, engine, notify) as client:
            return [to_order(order, settings.default_region) for order in client.fetch_orders(ids)]

    thiio = open_thiio(settings, notify)
    try:
        yield Applier(engine, settings.inbox, settings.default_region, thiio, fetch_orders, run_id)
    finally:
        thiio.close()


@task(cache_policy=NO_CACHE, persist_result=False)
def find_events_to_replay(choice: dict[str, Any]) -> list[int]:
    """Give the ids of the closed events that a choice means; see `tasks.inbox.replay.Choice`."""
    engine = open_database(load_settings().database_url.get_secret_value())
    with engine.connect() as connection:
        return replay.find_events(connection, replay.Choice(**choice))


@task(cache_policy=NO_CACHE, persist_result=False)
def replay_chosen_events(ids: list[int]) -> int:
    """Put closed events back to work and return how many."""
    engine = open_database(load_settings().database_url.get_secret_value())
    with engine.begin() as connection:
        return event_queue.replay(connection, ids, now=datetime.now(UTC))


@task(cache_policy=NO_CACHE, persist_result=False)
def delete_old_rows(days: int | None, dry_run: bool) -> dict[str, int]:
    """Delete closed events and notifications older than `days` (None: the setting); a dry run only counts."""
    settings = load_settings()
    engine = open_database(settings.database_url.get_secret_value())
    cut = prune.cut_for(datetime.now(UTC), days or settings.inbox.retention_days)
    with engine.begin() as connection:
        return prune.count_old(connection, cut) if dry_run else prune.delete_old(connection, cut)
