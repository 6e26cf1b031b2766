"""Open our database and bring its schema up to date."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from tasks.database.tables import SCHEMA_VERSION
from tasks.errors import SetupError
from tasks.settings import Settings

MIGRATION_LOCK = 8_734_021
"""Number of the Postgres advisory lock under which the schema is changed; any number of our own does."""
CONNECT_SECONDS, SILENCE_SECONDS = 10, 30
"""How long Postgres may take to let us in, and leave unanswered what we sent, before it counts as away."""
SQLITE_BUSY_SECONDS = 30
"""How long a SQLite writer waits for another before it gives up."""


def open_engine(database_url: str) -> Engine:
    """Make an engine for a SQLAlchemy URL; a SQLite file's folder is made as well.

    SQLite runs in WAL mode with `synchronous=FULL`: a commit is on disk when it returns. A transaction takes
    the write lock when it begins (`BEGIN IMMEDIATE`), so that read-then-write never meets a stale read.
    Raises `SetupError` if the URL cannot be read; does not connect.
    """
    try:
        url = make_url(database_url)
        if url.get_backend_name() != "sqlite":
            return create_engine(url, pool_pre_ping=True, connect_args=_patience(url))
    except (ArgumentError, NoSuchModuleError) as error:
        raise SetupError(
            "The database URL cannot be used. Write sqlite:///path/to/file.sqlite3 or "
            "postgresql+psycopg://user:password@host/name."
        ) from error
    except ModuleNotFoundError as error:
        raise SetupError(
            f"The database driver {error.name} is missing. Run: pip install 'ultrathiio[postgres]'"
        ) from error
    if url.database:
        _make_folder(Path(url.database).parent)
    engine = create_engine(url, connect_args={"timeout": SQLITE_BUSY_SECONDS})
    event.listen(engine, "connect", _set_up_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _patience(url: URL) -> dict[str, int]:
    """Give libpq's time-outs, which are two minutes and a quarter of an hour otherwise; the URL's own win."""
    limits = {"connect_timeout": CONNECT_SECONDS, "tcp_user_timeout": SILENCE_SECONDS * 1_000}
    if not url.get_driver_name().startswith("psycopg"):
        return {}
    return {name: value for name, value in limits.items() if name not in url.query}


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SetupError(
            f"The folder {folder} of the SQLite file cannot be made ({error.strerror}). Name another one in "
            "the database URL."
        ) from error


def _set_up_sqlite(connection: Any, _record: object) -> None:
    # The driver must not begin transactions by itself, or _begin_sqlite would come second.
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    reads_only = connection.get_execution_options().get("reads_only", False)
    # Said every time: a connection of the pool may have served the other kind before.
    connection.exec_driver_sql(f"PRAGMA query_only={'ON' if reads_only else 'OFF'}")
    connection.exec_driver_sql("BEGIN" if reads_only else "BEGIN IMMEDIATE")


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Give a connection for a block that only reads: it waits for no writer, and no writer for it.

    All its queries see the database as it was at the first. On SQLite its transaction takes no write lock, on
    Postgres it is `READ ONLY` and `REPEATABLE READ`; a write in it is an error of the database
    (`DBAPIError`). It ends in a rollback.
    """
    is_postgres = engine.dialect.name == "postgresql"
    how = {"postgresql_readonly": True, "isolation_level": "REPEATABLE READ"} if is_postgres else {}
    with engine.connect() as connection:
        yield connection.execution_options(reads_only=True, **how)


def is_current(engine: Engine) -> bool:
    """Tell whether the schema is at `SCHEMA_VERSION`; needs no Alembic, so the receiver starts fast."""
    with reading(engine) as connection:
        if not inspect(connection).has_table("alembic_version"):
            return False
        version: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
        return version == SCHEMA_VERSION


def migrate(engine: Engine) -> None:
    """Bring the schema to the newest revision; safe to call at every start."""
    if is_current(engine):
        return
    from alembic import command  # imported late: only the first start of a version needs it
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            # Two processes that start together must not both make the tables. (SQLite has one writer anyway.)
            connection.execute(text(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def open_database(database_url: str) -> Engine:
    """Open our database, created or migrated if need be."""
    engine = open_engine(database_url)
    migrate(engine)
    return engine


@contextmanager
def opened(settings: Settings) -> Iterator[Engine]:
    """Open our database for a block, created or migrated if need be."""
    engine = open_database(settings.database_url.get_secret_value())
    try:
        yield engine
    finally:
        engine.dispose()
