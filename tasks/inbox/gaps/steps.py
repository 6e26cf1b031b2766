"""Prefect step of the search for lost webhooks."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.runtime import flow_run

from tasks.database.engine import open_database
from tasks.database.lease import hold_lease
from tasks.http_client import Exchange
from tasks.inbox.gaps.account import Account
from tasks.inbox.gaps.recover import leave_lost, recover
from tasks.inbox.gaps.search import Search, search
from tasks.inbox.gaps.words import describe_back_off, describe_switched_off
from tasks.notifications.log import notifier
from tasks.settings import Settings, load_settings, require
from tasks.ultracart.open import open_ultracart

logger = logging.getLogger(__name__)

LEASE = "find-gaps"


@task(cache_policy=NO_CACHE, persist_result=False)
def find_lost_webhooks(start: datetime | None, dry_run: bool) -> dict[str, Any]:
    """Compare UltraCart's log of deliveries with the inbox, and put what was lost into it, read again.

    Gives `numbers`, `answer`, `markdown`, `is_alarm`, and `failures`, which somebody must put right. Without
    `start` it goes on where the last run ended. A dry run writes nothing. Raises `SetupError` if UltraCart
    has no webhook for our address, `LeaseHeld` if another run does this now.
    """
    settings = load_settings()
    engine = open_database(settings.database_url.get_secret_value())
    run_id = None if flow_run.id is None else str(flow_run.id)
    calls: list[Exchange] = []
    try:
        with (
            hold_lease(engine, LEASE),
            open_ultracart(settings.ultracart, engine, notifier(engine, run_id), calls.append) as client,
        ):
            findings = search(engine, client, _how(settings, start), now=datetime.now(UTC))
            recoveries = leave_lost(findings) if dry_run else recover(engine, client, findings, run_id)
    finally:
        engine.dispose()
    return _say(Account(findings, recoveries, len(calls)))


def _how(settings: Settings, start: datetime | None) -> Search:
    inbox = settings.inbox
    return Search(
        url=require(settings.ultracart.webhook_url, "ultracart", "webhook_url"),
        grace=timedelta(minutes=inbox.gap_grace_minutes),
        tolerance=timedelta(minutes=inbox.gap_tolerance_minutes),
        overlap=timedelta(minutes=settings.reconcile.overlap_minutes),
        first=timedelta(days=inbox.gap_first_days),
        remembered=timedelta(days=inbox.retention_days),
        start=start,
    )


def _say(account: Account) -> dict[str, Any]:
    trouble = describe_switched_off(account.findings.webhook) or describe_back_off(account.findings.webhook)
    if trouble:
        logger.warning("%s.", trouble)
    if account.is_alarm():
        logger.warning("%s", account.answer())
    return {
        "numbers": account.numbers(),
        "answer": account.answer(),
        "markdown": account.markdown(),
        "is_alarm": account.is_alarm(),
        "failures": account.failures(),
    }
