"""The life of a mismatch: opened, seen again, resolved, opened again, ignored."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select

from tasks.database import tables
from tasks.errors import InvalidRecord
from tasks.reconcile import ledger
from tasks.reconcile.mismatch import Mismatch, MismatchKind
from tasks.records.models import Entity
from tests.builders import NOON

HOUR = timedelta(hours=1)
LOST = Mismatch(
    entity=Entity.ORDER,
    kind=MismatchKind.MISSING_IN_THIIO,
    ultracart_id="D-1",
    ultracart_value="processing",
    thiio_value="missing",
    amount_cents=2363,
    placed_at=NOON,
    cause="Nobody knows.",
    remedy="Look.",
)


def write_down(engine: Engine, *found: Mismatch, now: datetime = NOON, config_hash: str = "terms") -> None:
    """Record what a run of this moment found."""
    with engine.begin() as connection:
        ledger.record(connection, found, config_hash=config_hash, now=now)


def resolve(engine: Engine, *ids: int, now: datetime) -> int:
    """Resolve mismatches by their numbers."""
    with engine.begin() as connection:
        return ledger.resolve(connection, ids, now=now)


def read(engine: Engine) -> list[dict[str, Any]]:
    """Read the whole ledger."""
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(select(tables.mismatches)).mappings()]


OPENED: dict[str, Any] = {
    "id": 1,
    "entity": "order",
    "kind": "missing_in_thiio",
    "field": "",
    "ultracart_id": "D-1",
    "thiio_id": "",
    "ultracart_value": "processing",
    "thiio_value": "missing",
    "amount_cents": 2363,
    "placed_at": NOON,
    "cause": "Nobody knows.",
    "remedy": "Look.",
    "state": "open",
    "reason": None,
    "config_hash": "terms",
    "first_seen_at": NOON,
    "last_seen_at": NOON,
    "times_seen": 1,
    "closed_at": None,
}


def test_what_is_new_is_opened(any_engine: Engine) -> None:
    """A mismatch that nobody knew is open, seen once."""
    write_down(any_engine, LOST)

    assert read(any_engine) == [OPENED]


def test_what_is_known_is_seen_again_with_todays_values(any_engine: Engine) -> None:
    """It keeps its number and its beginning; values, cause and terms are those of the last run."""
    write_down(any_engine, LOST)

    write_down(
        any_engine, replace(LOST, ultracart_value="completed", cause="Now we do."), now=NOON + HOUR,
        config_hash="other terms",
    )  # fmt: skip

    seen_again = {"last_seen_at": NOON + HOUR, "times_seen": 2, "config_hash": "other terms"}
    assert read(any_engine) == [OPENED | seen_again | {"ultracart_value": "completed", "cause": "Now we do."}]


def test_a_run_counts_a_mismatch_once(any_engine: Engine) -> None:
    """However often one run meets it, and whatever an older run writes late, it is seen once a run."""
    write_down(any_engine, LOST, LOST, now=NOON)
    write_down(any_engine, LOST, now=NOON)
    write_down(any_engine, replace(LOST, thiio_value="old news"), now=NOON - HOUR)

    assert read(any_engine) == [OPENED]


def test_what_is_gone_is_resolved(engine: Engine) -> None:
    """It keeps its story and says how it ended; a second time there is nothing to resolve."""
    write_down(engine, LOST)

    assert (resolve(engine, 1, now=NOON + HOUR), resolve(engine, 1, now=NOON + HOUR)) == (1, 0)

    reason = "the sides agree again at 2026-11-01 13:00 UTC"
    assert read(engine) == [OPENED | {"state": "resolved", "closed_at": NOON + HOUR, "reason": reason}]


def test_what_comes_back_is_opened_again(any_engine: Engine) -> None:
    """The same row begins anew, and still knows how often it was seen."""
    write_down(any_engine, LOST)
    resolve(any_engine, 1, now=NOON + HOUR)

    write_down(any_engine, LOST, now=NOON + 2 * HOUR)

    began = {"first_seen_at": NOON + 2 * HOUR, "last_seen_at": NOON + 2 * HOUR, "times_seen": 2}
    assert read(any_engine) == [OPENED | began]


def test_what_a_person_ignores_stays_ignored(engine: Engine) -> None:
    """A run that finds it again notes so, and does not open it; nor is it resolved."""
    write_down(engine, LOST)
    with engine.begin() as connection:
        ledger.ignore(connection, [1], "A sample sent by hand.", now=NOON)

    write_down(engine, LOST, now=NOON + HOUR)
    resolve(engine, 1, now=NOON + HOUR)

    ignored = {"state": "ignored", "reason": "A sample sent by hand.", "closed_at": NOON}
    assert read(engine) == [OPENED | ignored | {"last_seen_at": NOON + HOUR, "times_seen": 2}]


def test_what_was_ignored_can_be_taken_back(engine: Engine) -> None:
    """It is open as before."""
    write_down(engine, LOST)
    with engine.begin() as connection:
        ledger.ignore(connection, [1], "A sample sent by hand.", now=NOON)
        ledger.unignore(connection, [1])

    assert read(engine) == [OPENED]


def test_only_what_is_open_can_be_ignored(engine: Engine) -> None:
    """A wrong number is told, and none of the others is touched."""
    write_down(engine, LOST)

    with engine.begin() as connection, pytest.raises(InvalidRecord, match="Mismatch 7, 8 is not open"):
        ledger.ignore(connection, [1, 8, 7], "because", now=NOON)
    with engine.begin() as connection, pytest.raises(InvalidRecord, match="Mismatch 1 is not ignored"):
        ledger.unignore(connection, [1])

    assert read(engine) == [OPENED]
