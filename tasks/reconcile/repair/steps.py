"""Prefect steps of a repair: decide what is to be done, note what was done, give an account of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.database.engine import opened
from tasks.reconcile import ledger
from tasks.reconcile.mismatch import MismatchState
from tasks.reconcile.repair.account import Account
from tasks.reconcile.repair.choose import Choice, iter_candidates
from tasks.reconcile.repair.decide import Act, Plan, make_plan, read_owners
from tasks.settings import load_settings


@task(cache_policy=NO_CACHE, persist_result=False)
def plan_repairs(choice: dict[str, Any]) -> Plan:
    """Decide about the open mismatches that a choice means; nothing is written, nobody is asked.

    Raises `InvalidRecord` if one that is named is not open, `SetupError` if a setting names no field.
    """
    settings, chosen = load_settings(), Choice(**choice)
    owners = read_owners(settings.reconcile)
    with opened(settings) as engine, engine.connect() as connection:
        ledger.require(connection, chosen.ids, MismatchState.OPEN)
        candidates = iter_candidates(connection, chosen)
        return make_plan(candidates, owners, limit=chosen.limit, customer_limit=chosen.customer_limit)


@task(cache_policy=NO_CACHE, persist_result=False)
def note_repairs(plan: Plan, act: Act, answers: dict[str, Any]) -> None:
    """Note on each mismatch what an act did about it; whether it helped, the next comparison tells."""
    done = Account(plan, answers).done(act)
    with opened(load_settings()) as engine, engine.begin() as connection:
        ledger.note_repairs(connection, done, now=datetime.now(UTC))
