"""The notification pages for who reads them by ear, by keyboard, in the dark or on a telephone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from tests.in_chromium import LOOKS, find_faults, run_chromium
from tests.inbox.running_receiver import PASSWORD, USERNAME
from tests.notifications.log_rows import put_event, put_notification


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A headless Chromium."""
    with run_chromium() as browser:
        yield browser


@pytest.mark.parametrize("look", LOOKS)
def test_anybody_can_read_them(browser: Any, receiver: httpx.Client, engine: Engine, look: str) -> None:
    """axe-core finds no serious or critical fault: on a list, an empty one, a wrong search, a single page."""
    event = put_event(engine)
    for number, status in enumerate(("successful", "failed", "in_doubt", "waiting")):
        put_notification(
            engine, number, status=status, entity="order", entity_id="DEMO-1", event_id=event,
            reason="It was away.", sent='{"a": 1}', received='{"b": 2}', http_status=200, duration_ms=12,
        )  # fmt: skip
    credentials = {"username": USERNAME, "password": PASSWORD}
    # The pages let no script in; axe-core is one.
    context = browser.new_context(**LOOKS[look], http_credentials=credentials, bypass_csp=True)
    page = context.new_page()

    for path, status in {"": 200, "?id=nobody": 200, "?from=yesterday": 400, "/1": 200, "/999": 404}.items():
        answer = page.goto(str(receiver.base_url.join(f"/notifications{path}")))
        assert (path, answer.status, find_faults(page)) == (path, status, [])
    context.close()
