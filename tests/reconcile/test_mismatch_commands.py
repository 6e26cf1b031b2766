"""`ultrathiio mismatches` and `ultrathiio ignore`: what they list, change, and do not take."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine

from flows.__main__ import app
from tasks.errors import SetupError
from tasks.records.models import Entity
from tests.builders import make_order
from tests.reconcile.test_reconcile_ledger import read
from tests.reconcile.two_sides import found_in, make_customer_pair, make_pair, reconcile, store


@pytest.fixture
def ledger(engine: Engine, sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """A total that differs (1), an order (2) and a customer (3) that are missing; the settings name it."""
    monkeypatch.setenv("ULTRATHIIO_DATABASE_URL", sqlite_url)
    monkeypatch.setenv("COLUMNS", "200")
    ultracart, thiio = make_pair(1)
    store(engine, ultracart, replace(thiio, total_cents=1), make_order("D-1"))
    reconcile(engine)
    store(engine, make_customer_pair(2)[0])
    reconcile(engine, Entity.CUSTOMER)
    return engine


def call(*words: str) -> int:
    """Run a command in this process and give its exit code."""
    code: int = app(words, result_action="return_value")
    return code


def listed(capsys: pytest.CaptureFixture[str], *words: str) -> list[dict[str, Any]]:
    """What `ultrathiio mismatches … --json` prints."""
    assert call("mismatches", *words, "--json") == 0
    lines: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["mismatches"]
    return lines


def test_the_list_is_a_table(ledger: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    """Newest first: what, both sides, why and what to do."""
    assert call("mismatches", "--entity", "order") == 0

    told = capsys.readouterr().out
    assert told.index("missing in Thiio") < told.index("different total")
    for words in ("DEMO-1", "23.63 USD", "0.01 USD", "open"):
        assert words in told


def test_every_option_chooses(ledger: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    """Each finds the one that it says, as JSON with all fields."""
    for words, numbers in (
        ((), [3, 2, 1]),
        (("--limit", "2"), [3, 2]),
        (("--entity", "customer"), [3]),
        (("--kind", "field_differs"), [1]),
        (("--number", "1", "--number", "3"), [3, 1]),
        (("--id", "80001"), [1]),
        (("--id", "DEMO-1"), [1]),
        (("--state", "ignored"), []),
        (("--state", "any", "--id", "D-1"), [2]),
    ):
        assert [line["id"] for line in listed(capsys, *words)] == numbers, words
    [line] = listed(capsys, "--number", "2")
    assert set(line) == set(read(ledger)[0]) - {"amount_cents", "placed_at", "config_hash", "repaired_at"}


def test_a_person_ignores_and_takes_back(ledger: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    """The list shows the reason and until when."""
    assert call("ignore", "1", "2", "--reason", "Samples [bold]of[/bold] May.", "--days", "7") == 0
    said = capsys.readouterr().out
    assert call("mismatches", "--state", "ignored") == 0
    shown = capsys.readouterr().out
    ignored = found_in(ledger, "ignored")
    assert call("ignore", "2", "--take-back") == 0

    assert "or until a value changes: 1, 2. Reason: Samples [bold]of[/bold] May." in said
    assert "Samples [bold]of[/bold] May." in shown
    assert "until 2" in shown
    assert len(ignored) == 2
    assert capsys.readouterr().out == "Open again: 2.\n"
    assert len(found_in(ledger, "ignored")) == 1


def test_nothing_that_fits_is_no_failure(ledger: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    """It says so."""
    assert call("mismatches", "--id", "D-9") == 0

    assert capsys.readouterr().out == "No mismatch fits.\n"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("mismatches", "--state", "lost"), "--state 'lost' cannot be used. Write one of: open, resolved"),
        (("mismatches", "--kind", "lost"), "--kind 'lost' cannot be used. Write one of: missing_in_thiio"),
        (("mismatches", "--entity", "lost"), "--entity 'lost' cannot be used."),
        (("mismatches", "--limit", "0"), "--limit 0 cannot be used."),
        (("ignore", "1"), "The reason is empty."),
        (("ignore", "--reason", "why"), "No mismatch is named."),
        (("ignore", "1", "--reason", "why", "--days", "400"), "400 days cannot be used."),
        (("ignore", "1", "9", "--reason", "why"), "Mismatch 9 is not open."),
        (("ignore", "1", "--take-back"), "Mismatch 1 is not ignored."),
        (("ignore", "1", "--take-back", "--reason", "why"), "--take-back goes without --reason"),
    ],
    ids=lambda words: " ".join(words) if isinstance(words, tuple) else "",
)
def test_what_cannot_be_used_is_named_and_changes_nothing(
    ledger: Engine, words: tuple[str, ...], told: str
) -> None:
    """Option or number, value, and what to write instead."""
    with pytest.raises(SetupError) as raised:
        call(*words)

    assert told in str(raised.value)
    assert found_in(ledger, "ignored") == set()
