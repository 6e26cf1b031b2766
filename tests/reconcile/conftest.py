"""Databases by the dozen: the tables are made once and copied, not migrated for every test."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from tasks.database.engine import open_database

TEMPLATE = "reconcile_template"


@pytest.fixture(scope="session")
def empty_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with our tables and no rows."""
    path = tmp_path_factory.mktemp("empty") / "ours.sqlite3"
    open_database(f"sqlite:///{path}").dispose()
    return path


@pytest.fixture
def sqlite_url(tmp_path: Path, empty_file: Path) -> str:
    """A SQLite file of this test's own."""
    shutil.copyfile(empty_file, tmp_path / "ours.sqlite3")
    return f"sqlite:///{tmp_path / 'ours.sqlite3'}"


@pytest.fixture(scope="session")
def template_url(postgres_url: str) -> str:
    """A Postgres database with our tables and no rows."""
    execute(postgres_url, f"CREATE DATABASE {TEMPLATE}")
    open_database(database_url(postgres_url, TEMPLATE)).dispose()
    return postgres_url


@pytest.fixture
def postgres_database_url(template_url: str) -> Iterator[str]:
    """A Postgres database of this test's own."""
    name = f"test_{secrets.token_hex(6)}"
    execute(template_url, f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
    yield database_url(template_url, name)
    execute(template_url, f"DROP DATABASE {name} WITH (FORCE)")


def database_url(server_url: str, name: str) -> str:
    """Name another database of the same server."""
    return make_url(server_url).set(database=name).render_as_string(hide_password=False)


def execute(server_url: str, statement: str) -> None:
    """Execute what Postgres does outside of a transaction only."""
    server = create_engine(server_url, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text(statement))
    server.dispose()
