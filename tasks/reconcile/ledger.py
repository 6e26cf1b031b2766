"""The life of mismatches: opened, seen again, resolved, opened again, ignored; only here is it written.

A mismatch is known by entity, kind, field and the ids of its records: windows that overlap find it once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    bindparam,
    case,
    exists,
    literal,
    null,
    or_,
    select,
    update,
)

from tasks.database import tables
from tasks.database.upsert import insert_for
from tasks.errors import InvalidRecord
from tasks.reconcile.mismatch import Mismatch, MismatchState
from tasks.reconcile.scope import RECORDS
from tasks.records.models import Entity, Side

TABLE = tables.mismatches
KEY = ("entity", "kind", "field", "ultracart_id", "thiio_id")
SEEN = (
    "ultracart_value", "thiio_value", "amount_cents", "placed_at", "cause", "remedy", "config_hash",
    "last_seen_at",
)  # fmt: skip


def record(connection: Connection, found: Sequence[Mismatch], *, config_hash: str, now: datetime) -> None:
    """Open what is new, open again what was resolved, and mark the rest as seen again, with today's values.

    What is ignored stays ignored, unless a value is another one now: a person ignored the old ones. The same
    run (`now`) counts a mismatch once, however often it meets it.
    """
    if not found:
        return
    rows = [_row(mismatch, config_hash, now) for mismatch in found]
    statement = insert_for(connection, TABLE)
    was_resolved = TABLE.c.state == MismatchState.RESOLVED
    has_changed = and_(TABLE.c.state == MismatchState.IGNORED, _other_values(statement.excluded))
    opens = or_(was_resolved, has_changed)
    # A value given up when it opens anew; else what it was.
    forgotten = {
        name: case((opens, null()), else_=TABLE.c[name])
        for name in ("closed_at", "ignored_until", "repair", "repaired_at")
    }
    statement = statement.on_conflict_do_update(
        index_elements=list(KEY),
        set_={
            **{name: statement.excluded[name] for name in SEEN},
            **forgotten,
            "times_seen": TABLE.c.times_seen + 1,
            "state": case((opens, MismatchState.OPEN), else_=TABLE.c.state),
            "first_seen_at": case((opens, statement.excluded.first_seen_at), else_=TABLE.c.first_seen_at),
            "reason": case(
                (was_resolved, null()),
                (has_changed, _open_again("a value changed")),
                else_=TABLE.c.reason,
            ),
        },
        where=TABLE.c.last_seen_at < statement.excluded.last_seen_at,
    )
    connection.execute(statement, rows)


def open_expired(connection: Connection, entity: Entity, *, now: datetime) -> None:
    """Open again what was ignored for a time that is over by `now`; the run then judges it like any other."""
    over = (
        TABLE.c.entity == entity,
        TABLE.c.state == MismatchState.IGNORED,
        TABLE.c.ignored_until <= now,
    )
    reason = _open_again("the time for which it was ignored is over")
    connection.execute(update(TABLE).where(*over).values(OPENED | {"reason": reason, "first_seen_at": now}))


def resolve(connection: Connection, ids: Sequence[int], *, now: datetime) -> int:
    """Close open mismatches whose records were judged `now` and no longer disagree; returns how many.

    The reason says how: a record was deleted, a repair had acted, or simply equal again.
    """
    moment = f"{now:%Y-%m-%d %H:%M} UTC"
    agree = f"the sides agree again at {moment}"
    reason = case(
        (_is_record_gone(), f"a record of it was deleted, seen at {moment}: nothing is left to agree on"),
        (TABLE.c.repair.is_not(None), literal("repaired: ") + TABLE.c.repair + literal(f"; {agree}")),
        else_=agree,
    )
    result = connection.execute(
        update(TABLE)
        .where(TABLE.c.id.in_(ids), TABLE.c.state == MismatchState.OPEN)
        .values(state=MismatchState.RESOLVED, reason=reason, closed_at=now)
    )
    return result.rowcount


def ignore(
    connection: Connection, ids: Sequence[int], reason: str, *, until: datetime, now: datetime
) -> None:
    """Set open mismatches aside until a time (aware UTC), with a person's reason.

    Raises `InvalidRecord`, and changes nothing, if one of them is not open.
    """
    require(connection, ids, MismatchState.OPEN)
    connection.execute(
        update(TABLE)
        .where(TABLE.c.id.in_(ids))
        .values(state=MismatchState.IGNORED, reason=reason, ignored_until=until, closed_at=now)
    )


def unignore(connection: Connection, ids: Sequence[int]) -> None:
    """Take ignored mismatches back among the open ones.

    Raises `InvalidRecord`, and changes nothing, if one of them is not ignored.
    """
    require(connection, ids, MismatchState.IGNORED)
    connection.execute(update(TABLE).where(TABLE.c.id.in_(ids)).values(OPENED | {"reason": None}))


def note_repairs(connection: Connection, acts: Mapping[int, str], *, now: datetime) -> None:
    """Note on open mismatches, by number, what a repair did about them: "put back into the inbox".

    They stay open: only a comparison can tell whether it helped.
    """
    if not acts:
        return
    noted = update(TABLE).where(TABLE.c.id == bindparam("number"), TABLE.c.state == MismatchState.OPEN)
    noted = noted.values(repair=bindparam("act"), repaired_at=now)
    moment = f"{now:%Y-%m-%d %H:%M} UTC"
    connection.execute(noted, [{"number": id, "act": f"{act} on {moment}"} for id, act in acts.items()])


def require(connection: Connection, ids: Sequence[int], state: MismatchState) -> None:
    """Raise `InvalidRecord` that names the mismatches which are not in this state."""
    known = set(connection.scalars(select(TABLE.c.id).where(TABLE.c.id.in_(ids), TABLE.c.state == state)))
    if missing := sorted(set(ids) - known):
        numbers = ", ".join(map(str, missing))
        raise InvalidRecord(
            f"Mismatch {numbers} is not {state}. Take the numbers from the newest report's column id."
        )


OPENED: dict[str, Any] = {"state": MismatchState.OPEN, "closed_at": None, "ignored_until": None}


def _other_values(found: Any) -> ColumnElement[bool]:
    names = ("ultracart_value", "thiio_value")
    return or_(*(TABLE.c[name].is_distinct_from(found[name]) for name in names))


def _open_again(why: str) -> ColumnElement[str]:
    return literal(f"open again: {why}; it was ignored with the reason: ") + TABLE.c.reason


def _is_record_gone() -> ColumnElement[bool]:
    gone = []
    for entity, records in RECORDS.items():
        for side in Side:
            named = and_(records.c.side == side, records.c.id == TABLE.c[f"{side}_id"])
            gone.append(and_(TABLE.c.entity == entity, exists().where(named, records.c.is_deleted)))
    return or_(*gone)


def _row(mismatch: Mismatch, config_hash: str, now: datetime) -> dict[str, Any]:
    return {
        **{name: getattr(mismatch, name) for name in (*KEY, *SEEN[:6])},
        "state": MismatchState.OPEN,
        "config_hash": config_hash,
        "first_seen_at": now,
        "last_seen_at": now,
        "times_seen": 1,
    }
