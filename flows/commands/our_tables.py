"""Our tables, opened for a command that only looks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from tasks.database.engine import is_current, open_engine, reading
from tasks.errors import SetupError
from tasks.settings import load_settings


@contextmanager
def our_tables() -> Iterator[Connection]:
    """Give a connection for reading; raises `SetupError` if there is no database with our tables."""
    engine = open_engine(load_settings().database_url.get_secret_value())
    try:
        if not is_current(engine):
            raise SetupError("The tables are not up to date. Run: ultrathiio migrate")
        with reading(engine) as connection:
            yield connection
    except SQLAlchemyError as error:
        raise SetupError(
            f"The database cannot be read ({type(error).__name__}). Look whether it runs, and at "
            "ULTRATHIIO_DATABASE_URL."
        ) from error
    finally:
        engine.dispose()
