"""A person's word on mismatches: leave these alone for a time, and why; or take that back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from tasks.errors import InvalidRecord
from tasks.reconcile import ledger

DAYS, MOST_DAYS = 30, 366
"""So long a mismatch is ignored unless a person says otherwise, and at most."""


def set_aside(connection: Connection, ids: Sequence[int], reason: str, days: int, *, now: datetime) -> str:
    """Ignore open mismatches for some days from `now`; give the sentence that says so.

    Raises `InvalidRecord`, and changes nothing, if a number, the reason or the days cannot be used.
    """
    _require_numbers(ids)
    if not reason.strip():
        raise InvalidRecord("The reason is empty. Say why these may differ: the report shows it.")
    if not 1 <= days <= MOST_DAYS:
        raise InvalidRecord(f"{days} days cannot be used. Write a number from 1 to {MOST_DAYS}.")
    until = now + timedelta(days=days)
    ledger.ignore(connection, ids, reason.strip(), until=until, now=now)
    return (
        f"Ignored until {until:%Y-%m-%d %H:%M} UTC, or until a value changes: {_numbers(ids)}. "
        f"Reason: {reason.strip()}"
    )


def take_back(connection: Connection, ids: Sequence[int]) -> str:
    """Open ignored mismatches again; give the sentence that says so.

    Raises `InvalidRecord`, and changes nothing, if a number cannot be used.
    """
    _require_numbers(ids)
    ledger.unignore(connection, ids)
    return f"Open again: {_numbers(ids)}."


def _require_numbers(ids: Sequence[int]) -> None:
    if not ids:
        raise InvalidRecord("No mismatch is named. Write their numbers, as the report shows them.")


def _numbers(ids: Sequence[int]) -> str:
    return ", ".join(map(str, sorted(set(ids))))
