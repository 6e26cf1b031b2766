"""A filled database of the first release comes through every migration with all its rows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine, MetaData, Table, create_engine, inspect, select

from tasks.database import tables
from tasks.database.engine import is_current, migrate, open_engine
from tests.conftest import execute, url_of
from tests.database.old_schema import migrate_to

ROWS = 40
LATER = datetime(2026, 11, 1, 12, 0, 0, 123456, tzinfo=UTC)
REPLAYED = 7
"""Number of the event that was replayed: revision 3 moves that to a column of its own."""


@pytest.fixture(params=["sqlite", "postgres"])
def old_engine(request: pytest.FixtureRequest, fresh_sqlite_url: str) -> Iterator[Engine]:
    """A database at the first release's schema, once on SQLite and once on Postgres."""
    url, server = fresh_sqlite_url, ""
    if request.param == "postgres":
        server = request.getfixturevalue("postgres_url")
        execute(server, "CREATE DATABASE old_release")
        url = url_of(server, "old_release")
    engine = open_engine(url)
    migrate_to(engine, "0001")
    yield engine
    engine.dispose()
    if server:
        execute(server, "DROP DATABASE old_release WITH (FORCE)")


def old_tables(engine: Engine) -> MetaData:
    """Give the tables as they are in a database."""
    found = MetaData()
    found.reflect(engine)
    return found


def make_value(table: Table, name: str, number: int) -> Any:
    """Make a value for a column, another one in each row, with all that a text may hold."""
    kind = table.c[name].type
    if name in ("parts", "tracking_numbers"):
        return {"core": f"2026-11-01T12:00:{number:02}+00:00"} if name == "parts" else ["1Z1", f"1Z{number}"]
    if kind.python_type is datetime:
        return LATER if table.bind_is_postgres else LATER.replace(tzinfo=None)  # type: ignore[attr-defined]
    if kind.python_type is bool:
        return number % 2 == 0
    if kind.python_type is int:
        return number if name in ("id", "event_id", "position") else number * 1_000_003
    length = getattr(kind, "length", None) or 5_000
    return f"{number}é'\"%{name} – {'x' * length}"[:length]
