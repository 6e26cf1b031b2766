"""Tell what an installation's database lacks of the tables that this connection works on."""

from __future__ import annotations

from sqlalchemy import Engine, Inspector, Table, inspect
from sqlalchemy.exc import DBAPIError, NoSuchTableError

from tasks.errors import SetupError
from tasks.settings import variable_name
from tasks.thiio.database.schema import ThiioTables
from tasks.thiio.mapping_file import VARIABLE


def check_schema(engine: Engine, tables: ThiioTables) -> None:
    """Raise `SetupError` naming every table and column that is missing, and where to name its own."""
    try:
        with engine.connect() as connection:
            inspector = inspect(connection)
            problems = [
                problem
                for our_name, table in tables.by_our_name().items()
                for problem in _problems(inspector, our_name, table)
            ]
    except DBAPIError as error:
        raise SetupError(
            f"Thiio's database cannot be read ({type(error.orig).__name__}). Correct "
            f"{variable_name(('thiio', 'database_url'))}, or let this machine reach the server."
        ) from error
    if problems:
        raise SetupError(
            f"Thiio's database does not fit: {'; '.join(problems)}. Create a view under that name, or name "
            f"the installation's own tables and columns in the file that {VARIABLE} names."
        )


def _problems(inspector: Inspector, our_name: str, table: Table) -> list[str]:
    try:
        present = {column["name"] for column in inspector.get_columns(table.name, schema=table.schema)}
    except NoSuchTableError:
        return [f"there is no table {table.fullname} (tables.{our_name})"]
    return [
        f"{table.fullname} has no column {column.name} (columns.{our_name}.{column.key})"
        for column in table.c
        if column.name not in present
    ]
