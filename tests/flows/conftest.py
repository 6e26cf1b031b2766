"""Both stand-ins, settings that point at them, and one Prefect server for all tests of flows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from prefect.settings import (
    PREFECT_LOGGING_TO_API_ENABLED,
    PREFECT_SERVER_ANALYTICS_ENABLED,
    temporary_settings,
)
from prefect.testing.utilities import prefect_test_harness
from sqlalchemy import Engine

from tasks.database.engine import open_database
from tasks.thiio.sandbox.server import ThiioSandbox
from tasks.ultracart.sandbox.server import UltraCartSandbox


@pytest.fixture(scope="session", autouse=True)
def _prefect_server() -> Iterator[None]:
    """A Prefect server of this session's own, which sends nothing home."""
    quiet = {PREFECT_SERVER_ANALYTICS_ENABLED: False, PREFECT_LOGGING_TO_API_ENABLED: False}
    with temporary_settings(quiet), prefect_test_harness(server_startup_timeout=90):
        yield


@pytest.fixture
def workplace(
    ultracart: UltraCartSandbox,
    thiio: ThiioSandbox,
    sqlite_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Engine:
    """Our database, with settings in the environment as an operator would have them."""
    for name, value in {
        "DATABASE_URL": sqlite_url,
        "ULTRACART__BASE_URL": ultracart.base_url,
        "ULTRACART__SIMPLE_KEY": ultracart.simple_key,
        "ULTRACART__MERCHANT_ID": ultracart.merchant_id,
        "ULTRACART__CHANNEL_PARTNER_CODE": ultracart.channel_partner_code,
        "THIIO__DATABASE_URL": thiio.database_url,
        "RECONCILE__SETTLE_MINUTES": "0",
        "RECONCILE__FIRST_WINDOW_DAYS": "120",
        "PUSH__LOOKUP_WAIT_SECONDS": "0",
        "REPORT__FOLDER": str(tmp_path / "reports"),
    }.items():
        monkeypatch.setenv(f"ULTRATHIIO_{name}", value)
    return open_database(sqlite_url)
