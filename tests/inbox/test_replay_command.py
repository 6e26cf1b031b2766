"""`ultrathiio replay`: what it lists, what it changes, what it does not take."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine

from flows.__main__ import app
from tasks.errors import SetupError
from tasks.inbox import event_queue
from tasks.inbox.events import make_event, make_unreadable
from tests.builders import NOON
from tests.inbox.inbox_rows import read_events


@pytest.fixture
def dead(engine: Engine, sqlite_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Engine:
    """An inbox with one dead event and one that waits, which the settings name."""
    monkeypatch.setenv("ULTRATHIIO_DATABASE_URL", sqlite_url)
    events = [
        make_unreadable("ultracart", b"[{", "body: input data was truncated."),
        make_event("ultracart", "order_ship", "order", "DEMO-1", b"{}"),
    ]
    with engine.begin() as connection:
        event_queue.store_events(connection, events, now=NOON)
    return engine


def replay(*words: str) -> int:
    """Run the command in this process and give its exit code."""
    code: int = app(["replay", *words], result_action="return_value")
    return code


def test_what_fits_is_listed_and_not_changed(dead: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    """Only --yes changes anything."""
    assert replay("--reason", "TRUNCATED") == 0

    told = capsys.readouterr().out
    assert "unreadable" in told
    assert "1 events fit. Nothing was changed; add --yes to put them back." in told
    assert read_events(dead, "state", "replays") == [("dead", 0), ("waiting", 0)]


def test_with_yes_it_is_put_back(dead: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    """And counted."""
    assert replay("--event", "1", "--event", "2", "--yes") == 0

    assert "1 events are put back" in capsys.readouterr().out
    assert read_events(dead, "state", "replays") == [("waiting", 1), ("waiting", 0)]


def test_nothing_that_fits_is_no_failure(dead: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    """It says so."""
    assert replay("--id", "DEMO-9", "--state", "any") == 0

    assert "No closed event fits." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--state", "lost"), "--state 'lost' cannot be used. Write one of: done, skipped, dead, any."),
        (("--since", "never"), "--since 'never' cannot be used. Write a date"),
        (("--limit", "0"), "--limit 0 cannot be used."),
    ],
)
def test_what_cannot_be_used_is_named_with_its_remedy(
    dead: Engine, words: tuple[str, ...], told: str
) -> None:
    """Option, value and what to write instead."""
    with pytest.raises(SetupError) as raised:
        replay(*words)

    assert told in str(raised.value)
