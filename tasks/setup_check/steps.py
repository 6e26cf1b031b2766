"""Prefect steps of the set-up check; they build what they need and give plain values."""

from __future__ import annotations

from dataclasses import asdict

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.runtime import flow_run

from tasks.database.engine import open_engine
from tasks.settings import load_settings
from tasks.setup_check.checklist import run_checks
from tasks.setup_check.report import write_rows
from tasks.setup_check.webhook_fix import check_fix


@task(cache_policy=NO_CACHE, persist_result=False)
def check_everything() -> list[dict[str, str]]:
    """Go through the checklist; each row has `name`, `status`, `found` and `remedy`."""
    settings = load_settings()
    # Not migrated here: whether the tables are up to date is one of the questions.
    engine = open_engine(settings.database_url.get_secret_value())
    try:
        return write_rows(run_checks(settings, engine, _run_id()))
    finally:
        engine.dispose()


@task(cache_policy=NO_CACHE, persist_result=False)
def put_webhook_right(is_wanted: bool) -> dict[str, list[dict[str, str]]]:
    """Register or repair the webhook if that is wanted; gives `lines` of the checklist, and `changes`.

    Nothing is raised: what went wrong is a line.
    """
    if not is_wanted:
        return {"lines": [], "changes": []}
    settings = load_settings()
    engine = open_engine(settings.database_url.get_secret_value())
    try:
        check, changes = check_fix(settings, engine, _run_id())
        return {"lines": write_rows([check]), "changes": [asdict(change) for change in changes]}
    finally:
        engine.dispose()


def _run_id() -> str | None:
    return None if flow_run.id is None else str(flow_run.id)
