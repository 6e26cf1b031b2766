"""The schema is created on first use, on both databases, as tables.py describes it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, insert, select

import tasks.database
from tasks.database import tables
from tasks.database.engine import is_current, migrate, open_engine
from tasks.database.lease import hold_lease, take_lease
from tasks.errors import LeaseHeld, SetupError


def test_migrations_lead_to_the_tables(any_engine: Engine) -> None:
    """A fresh database equals tables.py, and a second migration changes nothing."""
    migrate(any_engine)

    with any_engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        assert compare_metadata(context, tables.metadata) == []
    assert is_current(any_engine)


def test_the_schema_version_is_the_newest_migration() -> None:
    """The receiver compares this constant instead of importing Alembic."""
    folder = Path(next(iter(tasks.database.__path__))) / "migrations"

    assert ScriptDirectory(str(folder)).get_current_head() == tables.SCHEMA_VERSION


@pytest.mark.parametrize("url", ["nonsense", "mongodb://x/y"])
def test_a_url_that_cannot_be_used_is_a_setup_error(url: str) -> None:
    """The message shows how to write one, not the URL: it may hold a password."""
    with pytest.raises(SetupError, match="sqlite:///path/to/file"):
        open_engine(url)


def test_times_are_utc_and_aware(any_engine: Engine) -> None:
    """Any offset goes in, UTC comes out; a naive time is refused."""
    eastern = datetime(2026, 11, 1, 7, tzinfo=timezone(timedelta(hours=-5)))
    row = {"name": "w", "reached_at": eastern, "moved_at": eastern}

    with any_engine.begin() as connection:
        connection.execute(insert(tables.watermarks).values(row))
        reached = connection.scalar(select(tables.watermarks.c.reached_at))

    assert (reached, reached.tzinfo) == (datetime(2026, 11, 1, 12, tzinfo=UTC), UTC)
    with pytest.raises(Exception, match="naive"), any_engine.begin() as connection:
        connection.execute(
            insert(tables.watermarks).values(row | {"name": "n", "moved_at": eastern.replace(tzinfo=None)})
        )


def test_one_run_at_a_time_holds_a_lease(any_engine: Engine) -> None:
    """A second run is turned away while the first works, and let in after; so it is once a lease ran out."""
    with hold_lease(any_engine, "push-orders"):
        with (
            pytest.raises(LeaseHeld, match="push-orders is running at"),
            hold_lease(any_engine, "push-orders"),
        ):
            pass
        with hold_lease(any_engine, "prune"):
            pass

    take_lease(any_engine, "push-orders", seconds=-1)
    with hold_lease(any_engine, "push-orders"):
        pass
