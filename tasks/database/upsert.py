"""Insert-or-update on SQLite and Postgres with the same words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def insert_for(connection: Connection, table: Table) -> Any:
    """Give the dialect's `INSERT`, which knows `on_conflict_do_update` and `on_conflict_do_nothing`."""
    return insert_in(connection.dialect.name, table)


def insert_in(dialect: str, table: Table) -> Any:
    """Give the same for a dialect's name: a statement can be made once and kept."""
    return (postgresql if dialect == "postgresql" else sqlite).insert(table)


def upsert(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows of equal keys, or overwrite those with the same primary key; one statement, many rows."""
    if not rows:
        return
    statement = insert_for(connection, table)
    key = [column.name for column in table.primary_key]
    changed = {name: statement.excluded[name] for name in rows[0] if name not in key}
    if changed:
        statement = statement.on_conflict_do_update(index_elements=key, set_=changed)
    else:
        statement = statement.on_conflict_do_nothing(index_elements=key)
    connection.execute(statement, list(rows))
