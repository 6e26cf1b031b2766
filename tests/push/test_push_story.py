"""`ultrathiio order ID` tells where an order stands, what was sent, and what happens next."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import Engine

from flows.__main__ import app
from tasks.errors import SetupError
from tasks.notifications.log import Notification, NotificationStatus, notifier
from tasks.push import outbox
from tests.builders import NOON


@pytest.fixture
def planned(engine: Engine, sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """An outbox in which Thiio order 17 is planned and 18 is held; something was said about 17."""
    monkeypatch.setenv("ULTRATHIIO_DATABASE_URL", sqlite_url)
    common = {"total_cents": 1863, "currency": "USD", "now": NOON}
    with engine.begin() as connection:
        outbox.plan(connection, "17", "THIIO-17", '{"email": "ada@example.com"}', **common)
        outbox.hold(connection, "18", "THIIO-18", reason="No item ID.", remedy="Add it.", **common)
    notifier(engine)(
        Notification(
            direction="out", system="ultracart", operation="POST /channel_partner/import",
            status=NotificationStatus.FAILED, entity="order", entity_id="17", http_status=500,
        )
    )  # fmt: skip
    return engine


def order(*words: str) -> int:
    """Run the command in this process and give its exit code."""
    code: int = app(["order", *words], result_action="return_value")
    return code


def test_it_shows_body_exchanges_and_what_happens_next(
    planned: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    """All of order 17, and nothing of 18."""
    assert order("17") == 0

    told = capsys.readouterr().out
    for part in (
        "18.63 USD",
        "planned",
        '"email": "ada@example.com"',
        "500",
        "The next run of push-orders sends",
    ):
        assert part in told
    assert "No item ID." not in told


def test_a_held_order_says_why_and_what_to_do(planned: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    """As an object for programs, too."""
    assert order("18", "--json") == 0

    story = json.loads(capsys.readouterr().out)
    assert (story["push"]["reason"], story["push"]["remedy"]) == ("No item ID.", "Add it.")
    assert story["exchanges"] == []


def test_an_unknown_order_is_named(planned: Engine) -> None:
    """With the remedy."""
    with pytest.raises(SetupError, match="Nothing is known of Thiio order 19"):
        order("19")
