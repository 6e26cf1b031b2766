"""`ultrathiio notifications` and `ultrathiio notification ID`, as child processes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import Engine

from tests.inbox.running_receiver import url_of
from tests.notifications.log_rows import put_event, put_notification
from tests.test_commands import run

ORDER = {"entity": "order", "entity_id": "DEMO-1"}
WIDE = {"COLUMNS": "200"}


def listed(engine: Engine, *words: str) -> dict[str, Any]:
    """What `ultrathiio notifications … --json` prints."""
    done = run("notifications", *words, "--json", ULTRATHIIO_DATABASE_URL=url_of(engine))
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


def test_the_list_is_a_table(engine: Engine) -> None:
    """A row each, newest first, and how to see older ones; what is stored is not taken for markup."""
    put_notification(engine)
    put_notification(
        engine, 1, direction="out", system="thiio", operation="PUT /orders", status="in_doubt",
        http_status=504, duration_ms=1203, reason="[red]no[/red] answer \x1b[2J", **ORDER,
    )  # fmt: skip
    put_notification(engine, 2, status="failed")

    settings = {"ULTRATHIIO_DATABASE_URL": url_of(engine), **WIDE}
    done = run("notifications", "--until", "2026-11-25 12:02", "--limit", "1", **settings)

    [row, *_] = [line for line in done.stdout.splitlines() if line.startswith("│")]
    cells = [cell.strip() for cell in row.strip("│").split("│")]
    assert done.returncode == 0
    assert cells == [
        "2", "2026-11-25 12:01:00", "in doubt", "to thiio: PUT /orders", "504", "1203",
        r"[red]no[/red] answer \x1b[2J",
    ]  # fmt: skip
    assert "order DEMO-1" in done.stdout
    assert "Older ones: add --before 2" in done.stdout
    assert "\x1b" not in done.stdout


def test_every_option_chooses(engine: Engine) -> None:
    """Each finds the one that it says, as JSON with all fields."""
    fields = {
        "status": "failed", "system": "thiio", "direction": "out", "entity": "order", "entity_id": "DEMO-1",
        "event_id": 7, "run_id": "run-1", "operation": "POST /orders",
    }  # fmt: skip
    first = put_notification(engine, -60)
    wanted = put_notification(engine, **fields)
    put_notification(engine, 60)
    options = {
        "--status": "failed", "--system": "thiio", "--direction": "out", "--entity": "order",
        "--id": "DEMO-1", "--event": "7", "--run": "run-1", "--operation": "post",
        "--since": "2026-11-25 12:00", "--until": "2026-11-25 12:01",
    }  # fmt: skip

    one = listed(engine, *[word for option in options.items() for word in option])
    older = listed(engine, "--before", str(wanted))

    assert one == {
        "notifications": [
            {
                **fields, "id": wanted, "created_at": "2026-11-25T12:00:00Z", "http_status": None,
                "duration_ms": None, "reason": None, "request_id": None,
            }
        ],
        "older_than": None,
    }  # fmt: skip
    assert [line["id"] for line in older["notifications"]] == [first]
    assert listed(engine, "--since", "1m") == {"notifications": [], "older_than": None}


def test_one_is_shown_with_its_story(engine: Engine) -> None:
    """Bodies laid out, numbers to the letter, nothing cut, the event and its attempts."""
    event = put_event(engine, state="dead", reason="It is wrong.", found_by="gap")
    long = "x" * 300
    id = put_notification(
        engine, status="failed", event_id=event, sent='{"total":18.630}', received=f"[bold]{long} \x07",
        reason="It was wrong.", **ORDER,
    )  # fmt: skip

    done = run("notification", str(id), ULTRATHIIO_DATABASE_URL=url_of(engine), **WIDE)
    told = run("notification", str(id), "--json", ULTRATHIIO_DATABASE_URL=url_of(engine))

    assert done.returncode == 0
    for words in ('{\n  "total": 18.630\n}', f"[bold]{long} \\x07\n", "dead", "gap", "It is wrong."):
        assert words in done.stdout
    assert done.stdout.count("It was wrong.") == 2
    story = json.loads(told.stdout)
    assert (story["line"]["id"], story["event"]["state"]) == (id, "dead")
    assert [line["id"] for line in story["attempts"]] == [id]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            ("notifications", "--status", "bad"),
            "--status 'bad' cannot be used. Write one of: successful, failed",
        ),
        (("notifications", "--since", "soon"), "--since 'soon' cannot be used. Write a date (2026-11-25)"),
        (("notifications", "--since", "1h", "--until", "2h"), "--until '2h' cannot be used."),
        (("notifications", "--event=-3"), "--event '-3' cannot be used. Write a whole number from 1 up"),
        (("notifications", "--limit", "0"), "--limit 0 cannot be used. Write a number from 1 to 10000."),
        (("notification", "x"), "'x' is no notification ID. Write a whole number from 1 up."),
        (("notification", "9"), "There is no notification 9."),
    ],
    ids=lambda words: " ".join(words) if isinstance(words, tuple) else "",
)
def test_what_cannot_be_used_ends_with_2(engine: Engine, words: tuple[str, ...], told: str) -> None:
    """The message names the option, the value and the remedy."""
    done = run(*words, ULTRATHIIO_DATABASE_URL=url_of(engine))

    assert (done.returncode, done.stdout) == (2, "")
    assert told in " ".join(done.stderr.split())


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("sqlite:///new.sqlite3", "Run: ultrathiio migrate"),
        (
            "postgresql+psycopg://user:secret@127.0.0.1:1/ours",
            "The database cannot be read (OperationalError).",
        ),
    ],
)
def test_a_database_that_cannot_be_read_ends_with_2(url: str, told: str) -> None:
    """What to do is said, without a traceback and without the password."""
    done = run("notifications", ULTRATHIIO_DATABASE_URL=url)

    assert done.returncode == 2
    assert told in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert "secret" not in done.stderr


def test_nothing_found_is_no_failure(engine: Engine) -> None:
    """It is said, and the exit code is 0."""
    done = run("notifications", "--status", "failed", ULTRATHIIO_DATABASE_URL=url_of(engine))

    assert (done.returncode, done.stdout) == (0, "No notification matches.\n")
