"""The life of mismatches: opened, seen again, resolved, opened again, ignored; only here is it written.

A mismatch is known by entity, kind, field and the ids of its records: windows that overlap find it once.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, case, null, select, update

from tasks.database import tables
from tasks.database.upsert import insert_for
from tasks.errors import InvalidRecord
from tasks.reconcile.mismatch import Mismatch, MismatchState

TABLE = tables.mismatches
KEY = ("entity", "kind", "field", "ultracart_id", "thiio_id")
SEEN = (
    "ultracart_value", "thiio_value", "amount_cents", "placed_at", "cause", "remedy", "config_hash",
    "last_seen_at",
)  # fmt: skip


def record(connection: Connection, found: Sequence[Mismatch], *, config_hash: str, now: datetime) -> None:
    """Open what is new, open again what was resolved, and mark the rest as seen again, with today's values.

    What is ignored stays ignored. The same run (`now`) counts a mismatch once, however often it meets it.
    """
    if not found:
        return
    rows = [_row(mismatch, config_hash, now) for mismatch in found]
    statement = insert_for(connection, TABLE)
    was_resolved = TABLE.c.state == MismatchState.RESOLVED
    statement = statement.on_conflict_do_update(
        index_elements=list(KEY),
        set_={
            **{name: statement.excluded[name] for name in SEEN},
            "times_seen": TABLE.c.times_seen + 1,
            "state": case((was_resolved, MismatchState.OPEN), else_=TABLE.c.state),
            "first_seen_at": case(
                (was_resolved, statement.excluded.first_seen_at), else_=TABLE.c.first_seen_at
            ),
            "reason": case((was_resolved, null()), else_=TABLE.c.reason),
            "closed_at": case((was_resolved, null()), else_=TABLE.c.closed_at),
        },
        where=TABLE.c.last_seen_at < statement.excluded.last_seen_at,
    )
    connection.execute(statement, rows)


def resolve(connection: Connection, ids: Sequence[int], *, now: datetime) -> int:
    """Close open mismatches whose records were judged `now` and no longer disagree; returns how many."""
    reason = f"the sides agree again at {now:%Y-%m-%d %H:%M} UTC"
    result = connection.execute(
        update(TABLE)
        .where(TABLE.c.id.in_(ids), TABLE.c.state == MismatchState.OPEN)
        .values(state=MismatchState.RESOLVED, reason=reason, closed_at=now)
    )
    return result.rowcount


def ignore(connection: Connection, ids: Sequence[int], reason: str, *, now: datetime) -> None:
    """Set open mismatches aside for good, with a person's reason.

    Raises `InvalidRecord`, and changes nothing, if one of them is not open.
    """
    _require(connection, ids, MismatchState.OPEN)
    connection.execute(
        update(TABLE)
        .where(TABLE.c.id.in_(ids))
        .values(state=MismatchState.IGNORED, reason=reason, closed_at=now)
    )


def unignore(connection: Connection, ids: Sequence[int]) -> None:
    """Take ignored mismatches back among the open ones.

    Raises `InvalidRecord`, and changes nothing, if one of them is not ignored.
    """
    _require(connection, ids, MismatchState.IGNORED)
    connection.execute(
        update(TABLE).where(TABLE.c.id.in_(ids)).values(state=MismatchState.OPEN, reason=None, closed_at=None)
    )


def _require(connection: Connection, ids: Sequence[int], state: MismatchState) -> None:
    known = set(connection.scalars(select(TABLE.c.id).where(TABLE.c.id.in_(ids), TABLE.c.state == state)))
    if missing := sorted(set(ids) - known):
        numbers = ", ".join(map(str, missing))
        raise InvalidRecord(
            f"Mismatch {numbers} is not {state}. Take the numbers from the newest report's column id."
        )


def _row(mismatch: Mismatch, config_hash: str, now: datetime) -> dict[str, Any]:
    return {
        **{name: getattr(mismatch, name) for name in (*KEY, *SEEN[:6])},
        "state": MismatchState.OPEN,
        "config_hash": config_hash,
        "first_seen_at": now,
        "last_seen_at": now,
        "times_seen": 1,
    }
