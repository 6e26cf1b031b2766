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
from tests.builders import NOON, make_order
from tests.reconcile.two_sides import store

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
IGNORED: dict[str, Any] = {
    "state": "ignored",
    "reason": "A sample sent by hand.",
    "ignored_until": NOON + 30 * DAY,
    "closed_at": NOON,
}
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


def ignore(engine: Engine, *ids: int, until: datetime = NOON + 30 * DAY) -> None:
    """Set mismatches aside, by their numbers."""
    with engine.begin() as connection:
        ledger.ignore(connection, ids, "A sample sent by hand.", until=until, now=NOON)


def note_repair(engine: Engine, id: int) -> None:
    """Note that a repair acted on a mismatch."""
    with engine.begin() as connection:
        ledger.note_repairs(connection, {id: "put back into the inbox"}, now=NOON + HOUR)


def read(engine: Engine) -> list[dict[str, Any]]:
    """Read the whole ledger, by number."""
    query = select(tables.mismatches).order_by(tables.mismatches.c.id)
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(query).mappings()]


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
    "ignored_until": None,
    "repair": None,
    "repaired_at": None,
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


def test_what_a_person_ignores_stays_ignored(any_engine: Engine) -> None:
    """A run that finds it again notes so, and does not open it; nor is it resolved."""
    write_down(any_engine, LOST)
    ignore(any_engine, 1)

    write_down(any_engine, LOST, now=NOON + HOUR)
    resolve(any_engine, 1, now=NOON + HOUR)

    assert read(any_engine) == [OPENED | IGNORED | {"last_seen_at": NOON + HOUR, "times_seen": 2}]


@pytest.mark.parametrize(
    "change",
    [{"ultracart_value": "completed"}, {"thiio_value": None}],
    ids=["in UltraCart", "in Thiio"],
)
def test_other_values_open_what_was_ignored(any_engine: Engine, change: dict[str, Any]) -> None:
    """A person ignored the old ones: it begins anew, and tells why, with the person's reason."""
    write_down(any_engine, LOST)
    ignore(any_engine, 1)

    write_down(any_engine, replace(LOST, **change), now=NOON + HOUR)

    reason = "open again: a value changed; it was ignored with the reason: A sample sent by hand."
    began = {"first_seen_at": NOON + HOUR, "last_seen_at": NOON + HOUR, "times_seen": 2, "reason": reason}
    assert read(any_engine) == [OPENED | began | change]


def test_the_time_of_ignoring_ends(any_engine: Engine) -> None:
    """At its end, and not a second before, it is open again, with the reason; others are left alone."""
    write_down(any_engine, LOST, replace(LOST, ultracart_id="D-2"))
    ignore(any_engine, 1)
    ignore(any_engine, 2, until=NOON + 31 * DAY)

    for moment in (NOON + 30 * DAY - timedelta(seconds=1), NOON + 30 * DAY):
        before = read(any_engine)
        with any_engine.begin() as connection:
            ledger.open_expired(connection, Entity.CUSTOMER, now=moment)
            ledger.open_expired(connection, Entity.ORDER, now=moment)

    reason = "open again: the time for which it was ignored is over; it was ignored with the reason: "
    first, second = read(any_engine)
    assert before[0] == OPENED | IGNORED
    assert first == OPENED | {"first_seen_at": NOON + 30 * DAY, "reason": reason + "A sample sent by hand."}
    assert second == before[1]


def test_what_was_ignored_can_be_taken_back(engine: Engine) -> None:
    """It is open as before."""
    write_down(engine, LOST)
    ignore(engine, 1)
    with engine.begin() as connection:
        ledger.unignore(connection, [1])

    assert read(engine) == [OPENED]


def test_only_what_is_open_can_be_ignored(engine: Engine) -> None:
    """A wrong number is told, and none of the others is touched."""
    write_down(engine, LOST)

    with pytest.raises(InvalidRecord, match="Mismatch 7, 8 is not open"):
        ignore(engine, 1, 8, 7)
    with engine.begin() as connection, pytest.raises(InvalidRecord, match="Mismatch 1 is not ignored"):
        ledger.unignore(connection, [1])

    assert read(engine) == [OPENED]


def test_a_repair_is_told_where_it_is_resolved(any_engine: Engine) -> None:
    """It stays open until a run finds the sides equal; then the reason says what was done, and when."""
    write_down(any_engine, LOST)
    note_repair(any_engine, 1)
    repaired = {"repair": "put back into the inbox on 2026-11-01 13:00 UTC", "repaired_at": NOON + HOUR}
    noted = read(any_engine)

    resolve(any_engine, 1, now=NOON + 2 * HOUR)

    reason = (
        "repaired: put back into the inbox on 2026-11-01 13:00 UTC; the sides agree again at "
        "2026-11-01 14:00 UTC"
    )
    assert noted == [OPENED | repaired]
    closed = {"state": "resolved", "reason": reason, "closed_at": NOON + 2 * HOUR}
    assert read(any_engine) == [OPENED | repaired | closed]


def test_a_repair_of_the_last_time_is_forgotten(any_engine: Engine) -> None:
    """What opens again was not repaired yet; and of what is closed no repair is noted."""
    write_down(any_engine, LOST)
    note_repair(any_engine, 1)
    resolve(any_engine, 1, now=NOON + HOUR)
    note_repair(any_engine, 1)

    write_down(any_engine, LOST, now=NOON + 2 * HOUR)

    began = {"first_seen_at": NOON + 2 * HOUR, "last_seen_at": NOON + 2 * HOUR, "times_seen": 2}
    assert read(any_engine) == [OPENED | began]


def test_a_record_that_was_deleted_ends_its_mismatch(any_engine: Engine) -> None:
    """Nobody is told that the sides agree, though a repair had acted."""
    write_down(any_engine, LOST, replace(LOST, entity=Entity.CUSTOMER))
    note_repair(any_engine, 1)
    store(any_engine, make_order("D-1", is_deleted=True))

    resolve(any_engine, 1, 2, now=NOON + HOUR)

    assert [row["reason"] for row in read(any_engine)] == [
        "a record of it was deleted, seen at 2026-11-01 13:00 UTC: nothing is left to agree on",
        "the sides agree again at 2026-11-01 13:00 UTC",
    ]
