"""Prefect steps of the inbox: work it off, put events back to work, delete what is old."""

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
from tasks.errors import fail_if_any
from tasks.inbox import event_queue, prune, put_back, replay
from tasks.inbox.apply import Applier
from tasks.inbox.outcomes import ApplyCounts
from tasks.inbox.readers import ultracart_readers
from tasks.notifications.log import notifier
from tasks.settings import Settings, load_settings
from tasks.thiio.open import open_thiio
from tasks.ultracart.open import open_ultracart


@task(cache_policy=NO_CACHE, persist_result=False, task_run_name="process up to {limit} events")
def process_due_events(limit: int, batch: int) -> dict[str, int]:
    """Claim and apply due events, `batch` at a time, until none is due or `limit` were taken.

    Raises `RecordsFailed` once all were handled, if some are dead or must wait for another try.
    """
    settings = load_settings()
    total = ApplyCounts()
    with _inbox(settings) as engine, _applier(settings, engine) as applier:
        while total.claimed < limit:
            claim, died = applier.take(min(batch, limit - total.claimed))
            total.add(died)
            if not claim.events:
                break
            total.add(applier.apply(claim))
    fail_if_any("process-inbox", total.failures)
    return {name: value for name, value in asdict(total).items() if name != "failures"}


@contextmanager
def _applier(settings: Settings, engine: Engine) -> Iterator[Applier]:
    run_id = None if flow_run.id is None else str(flow_run.id)
    notify = notifier(engine, run_id)
    thiio = open_thiio(settings, notify)
    try:
        yield Applier(engine, settings, thiio, ultracart_readers(settings, engine, notify), run_id)
    finally:
        thiio.close()


@task(cache_policy=NO_CACHE, persist_result=False)
def find_events_to_replay(choice: dict[str, Any]) -> list[dict[str, Any]]:
    """Give the closed events that a choice means; see `tasks.inbox.replay.Choice`."""
    with _inbox(load_settings()) as engine, engine.connect() as connection:
        return [asdict(event) for event in replay.find_events(connection, replay.Choice(**choice))]


@task(cache_policy=NO_CACHE, persist_result=False)
def replay_chosen_events(ids: list[int]) -> int:
    """Put closed events back to work and return how many."""
    with _inbox(load_settings()) as engine, engine.begin() as connection:
        return event_queue.replay(connection, ids, now=datetime.now(UTC))


@task(cache_policy=NO_CACHE, persist_result=False)
def put_back_records(order_ids: list[str], customer_oids: list[str]) -> dict[str, Any]:
    """Read orders and customers again from UltraCart and let them wait in the inbox; see `put_back`.

    Gives `outcomes`: entity, UltraCart's id and what became of it; `trouble`: why others were not read;
    `is_spent`: UltraCart's calls are used up. Without ids no call is made.
    """
    settings = load_settings()
    run_id = None if flow_run.id is None else str(flow_run.id)
    if not order_ids and not customer_oids:
        return {"outcomes": [], "trouble": "", "is_spent": False}
    with (
        _inbox(settings) as engine,
        open_ultracart(settings.ultracart, engine, notifier(engine, run_id)) as client,
    ):
        returned = put_back.put_back(engine, client, order_ids, customer_oids)
    outcomes = [(str(entity), id, str(became)) for (entity, id), became in returned.outcomes.items()]
    return {"outcomes": outcomes, "trouble": returned.trouble, "is_spent": returned.is_spent}


@task(cache_policy=NO_CACHE, persist_result=False)
def delete_old_rows(days: int | None, dry_run: bool) -> dict[str, int]:
    """Delete what is past its retention, or older than `days`; a dry run only counts."""
    settings = load_settings()
    cuts = prune.cuts_for(datetime.now(UTC), settings.inbox, days)
    with _inbox(settings) as engine:
        if not dry_run:
            return prune.delete_old(engine, cuts)
        with engine.connect() as connection:
            return prune.count_old(connection, cuts)


@contextmanager
def _inbox(settings: Settings) -> Iterator[Engine]:
    engine = open_database(settings.database_url.get_secret_value())
    try:
        yield engine
    finally:
        engine.dispose()
