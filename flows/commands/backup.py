"""`ultrathiio backup FILE` and `ultrathiio restore FILE`."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from sqlalchemy import URL

from tasks.database.backup import back_up_sqlite, dump_words, restore_sqlite, restore_words
from tasks.database.engine import open_database, open_engine
from tasks.errors import SetupError
from tasks.settings import load_settings

BY_HAND = "This is a Postgres: use its own tools, which ask for the password or read it from PGPASSWORD."


def make_backup(file: Path, /, *, yes: bool = False) -> int:
    """Copy our database into a file while everything runs; of a Postgres, print the command that does it.

    Parameters
    ----------
    file
        The file to be written. It holds personal data: keep it as you keep the database.
    yes
        Overwrite the file if it is there.
    """
    url, database = _places()
    console = Console(highlight=False, soft_wrap=True)
    if database is None:
        console.print(f"{BY_HAND}\n{dump_words(url, file)}", markup=False)
        return 0
    if file.exists() and not yes:
        raise SetupError(f"{file} is there already. Name another file, or add --yes to overwrite it.")
    size = back_up_sqlite(database, file)
    console.print(
        f"{file}: {size:,} bytes, checked. Put it back with: ultrathiio restore {file}", markup=False
    )
    return 0


def restore_backup(file: Path, /, *, yes: bool = False) -> int:
    """Put a backup in the place of our database; of a Postgres, print the command that does it.

    Parameters
    ----------
    file
        What `ultrathiio backup` wrote.
    yes
        Overwrite the database that is there. Stop receiver and workers first.
    """
    url, database = _places()
    console = Console(highlight=False, soft_wrap=True)
    if database is None:
        console.print(f"{BY_HAND}\n{restore_words(url, file)}\nultrathiio migrate", markup=False)
        return 0
    if database.exists() and not yes:
        raise SetupError(
            f"{database} is there already, and everything in it would be lost. Make a backup of it, stop the "
            "receiver and the workers, then add --yes."
        )
    revision = restore_sqlite(file, database)
    open_database(url.render_as_string(hide_password=False)).dispose()
    console.print(
        f"{database} is as it was when {file} was made (tables of revision {revision}, up to date now). "
        "What came in since is missing: find-gaps brings back lost webhooks, pull-records or backfill the "
        "records, and push-orders looks up what it finds planned or in doubt.",
        markup=False,
    )
    return 0


def _places() -> tuple[URL, Path | None]:
    """Give the URL of our database and, if it is a SQLite file, its path; raises `SetupError`."""
    engine = open_engine(load_settings().database_url.get_secret_value())
    url = engine.url
    engine.dispose()
    if url.get_backend_name() != "sqlite":
        return url, None
    if not url.database or url.database == ":memory:":
        raise SetupError("ULTRATHIIO_DATABASE_URL names no file. Write sqlite:///path/to/file.sqlite3.")
    return url, Path(url.database)
