"""A copy of our database that can be put back: made here for SQLite, by Postgres' own tools for Postgres.

SQLite's backup copies what is committed at one moment, while others go on writing; a restore is one
transaction of the database that is overwritten, so a restore that is killed changes nothing.
"""

from __future__ import annotations

import os
import shlex
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from uuid import uuid4

from sqlalchemy import URL

from tasks.database.engine import SQLITE_BUSY_SECONDS
from tasks.database.tables import SCHEMA_VERSION
from tasks.errors import SetupError


def back_up_sqlite(database: Path, file: Path) -> int:
    """Copy a database into a file of its own, checked and on disk, for this user alone; gives its bytes.

    The file appears when it is complete, and takes the place of an older one. Raises `SetupError` if there is
    no database, or the copy is not sound.
    """
    if not database.exists():
        raise SetupError(f"There is no database {database}. Look at ULTRATHIIO_DATABASE_URL.")
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_name(f".{file.name}.{uuid4().hex}")
    os.close(os.open(unfinished, os.O_CREAT | os.O_EXCL, 0o600))
    try:
        with _connected(database) as source, _connected(unfinished) as copy:
            source.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")  # one file, with nothing beside it
        revision_of(unfinished)
        with unfinished.open("rb") as written:
            os.fsync(written.fileno())
        os.replace(unfinished, file)
    finally:
        unfinished.unlink(missing_ok=True)
    return file.stat().st_size


def restore_sqlite(file: Path, database: Path) -> str:
    """Put a copy in the place of a database, in one transaction; gives the revision of its schema.

    Raises `SetupError` if the copy is none of ours, is not sound, or was made by a newer version.
    """
    revision = revision_of(file)
    if revision > SCHEMA_VERSION:
        raise SetupError(
            f"{file} was made by a newer version (its tables are at {revision}, this version's at "
            f"{SCHEMA_VERSION}). Install that version, then restore."
        )
    database.parent.mkdir(parents=True, exist_ok=True)
    with _connected(file) as copy, _connected(database) as target:
        copy.backup(target)
    return revision


def revision_of(file: Path) -> str:
    """Give the schema's revision of a sound SQLite file with our tables; `SetupError` for any other."""
    if not file.is_file():
        raise SetupError(f"There is no file {file}.")
    try:
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            found = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
            [revision] = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except (sqlite3.DatabaseError, TypeError) as error:
        raise SetupError(f"{file} is no backup of ultrathiio ({type(error).__name__}).") from error
    if found != "ok":
        raise SetupError(f"{file} is damaged: {found}. Take another backup.")
    return str(revision)


def dump_words(url: URL, file: Path) -> str:
    """Write the command that backs a Postgres up; its password is asked for, or read from PGPASSWORD."""
    return _words("pg_dump", url, ["--format=custom", "--no-owner", f"--file={file}"])


def restore_words(url: URL, file: Path) -> str:
    """Write the command that puts a backup back, in one transaction."""
    options = ["--clean", "--if-exists", "--no-owner", "--single-transaction", "--exit-on-error"]
    return _words("pg_restore", url, options, str(file))


def _words(program: str, url: URL, options: list[str], *files: str) -> str:
    host = url.host or url.query.get("host")
    where = {"host": host, "port": url.port, "username": url.username, "dbname": url.database}
    named = [f"--{name}={value}" for name, value in where.items() if value]
    return shlex.join([program, *named, *options, *files])


@contextmanager
def _connected(file: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(file, timeout=SQLITE_BUSY_SECONDS)) as connection:
        yield connection
