"""A filled database of the first release comes through every migration with all its rows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import JSON, Column, Engine, Integer, MetaData, insert, select, text
from sqlalchemy.exc import OperationalError, ProgrammingError

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


def make_value(column: Column[Any], number: int, *, is_aware: bool) -> Any:
    """Make a value for a column, another one in each row, with all that a text may hold."""
    if column.name == "found_by":
        return "replay" if number == REPLAYED else "webhook"
    if isinstance(column.type, JSON):
        return {"core": f"2026-11-01T12:00:{number:02}+00:00", "all": [None, "é", 0.5]}
    kind = column.type.python_type
    if kind is datetime:
        return LATER if is_aware else LATER.replace(tzinfo=None)
    if kind is bool:
        return number % 2 == 0
    if kind is int:
        is_key = column.primary_key or column.name == "event_id"
        return number if is_key or isinstance(column.type, Integer) else number * 10**14
    return f"{number}é'\"%\n{column.name}{'x' * 5_000}"[: getattr(column.type, "length", None)]


def fill(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    """Put rows into every table of a database, and give them as they are read again."""
    found = reflect(engine)
    is_aware = engine.dialect.name == "postgresql"
    with engine.begin() as connection:
        for table in found.sorted_tables:
            rows = [
                {column.name: make_value(column, number, is_aware=is_aware) for column in table.columns}
                for number in range(1, ROWS + 1)
            ]
            connection.execute(insert(table), rows)
    return read(engine, found)


def reflect(engine: Engine) -> MetaData:
    """Give our tables as they are in a database."""
    found = MetaData()
    found.reflect(engine, only=lambda name, _: name != "alembic_version")
    return found


def read(engine: Engine, wanted: MetaData) -> dict[str, list[tuple[Any, ...]]]:
    """Give all rows of all tables, in order of their keys, with the columns that are wanted."""
    with engine.connect() as connection:
        return {
            table.name: [
                tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key.columns))
            ]
            for table in wanted.sorted_tables
        }


def test_no_row_is_lost_and_no_value_changed(old_engine: Engine) -> None:
    """Every column of every row of the first release is as it was, but for what a migration is about."""
    old = reflect(old_engine)
    before = fill(old_engine)

    migrate(old_engine)
    after = read(old_engine, old)

    assert is_current(old_engine)
    assert len(before) >= 15
    assert {name: len(rows) for name, rows in after.items()} == dict.fromkeys(before, ROWS)
    changed = {
        (name, column.name, number)
        for name, rows in before.items()
        for number, (old_row, new_row) in enumerate(zip(rows, after[name], strict=True), start=1)
        for column, was, is_now in zip(old.tables[name].columns, old_row, new_row, strict=True)
        if was != is_now
    }
    assert changed == {("inbox_events", "found_by", REPLAYED)}


def test_what_came_through_is_read_by_this_release(old_engine: Engine) -> None:
    """By the tables as this release knows them, new columns included."""
    fill(old_engine)
    migrate(old_engine)

    now = read(old_engine, tables.metadata)

    assert {name: len(rows) for name, rows in now.items() if rows} == dict.fromkeys(
        reflect(old_engine).tables.keys() - new_tables(old_engine), ROWS
    )
    with old_engine.connect() as connection:
        events = tables.inbox_events.c
        told = connection.execute(select(events.id, events.found_by, events.replays, events.received_at))
        rows = {id: rest for id, *rest in told}
    assert rows[REPLAYED] == ["webhook", 1, LATER]
    assert rows[REPLAYED + 1] == ["webhook", 0, LATER]


def new_tables(engine: Engine) -> set[str]:
    """Give the tables that were made since, which are empty."""
    return {name for name, rows in read(engine, reflect(engine)).items() if not rows}


def test_a_migration_that_fails_changes_nothing(old_engine: Engine) -> None:
    """On both databases all migrations of an upgrade are one transaction: the old release still runs."""
    before = fill(old_engine)
    with old_engine.begin() as connection:
        connection.execute(text("CREATE TABLE call_budgets (in_the_way integer)"))
    old = reflect(old_engine)

    with pytest.raises((OperationalError, ProgrammingError)):
        migrate(old_engine)

    with old_engine.connect() as connection:
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == "0001"
    assert (
        reflect(old_engine).tables["inbox_events"].columns.keys() == old.tables["inbox_events"].columns.keys()
    )
    assert {name: rows for name, rows in read(old_engine, old).items() if rows} == before
