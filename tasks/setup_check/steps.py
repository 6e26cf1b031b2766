"""Prefect step of the set-up check; it builds what it needs and gives plain values."""

from __future__ import annotations

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.runtime import flow_run

from tasks.database.engine import open_engine
from tasks.settings import load_settings
from tasks.setup_check.checklist import run_checks
from tasks.setup_check.report import write_rows


@task(cache_policy=NO_CACHE, persist_result=False)
def check_everything() -> list[dict[str, str]]:
    """Go through the checklist; each row has `name`, `status`, `found` and `remedy`."""
    settings = load_settings()
    # Not migrated here: whether the tables are up to date is one of the questions.
    engine = open_engine(settings.database_url.get_secret_value())
    run_id = flow_run.id
    try:
        return write_rows(run_checks(settings, engine, None if run_id is None else str(run_id)))
    finally:
        engine.dispose()
