"""The data dictionary: every table and column for people, written from the tables themselves.

python -m tasks.database.dictionary > deployments/DATA.md
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from sqlalchemy import Column, Table
from sqlalchemy.dialects import postgresql

from tasks.database import tables

OPENING = """\
# Data dictionary

The tables of ultrathiio, for those who query them. They may be read at any time and are written by ultrathiio
alone. Columns that end in `_cents` are integer minor units of the row's `currency`; times are UTC; ids of the
remote systems are text. **Personal data** is marked with ●. Types are Postgres's; SQLite keeps times as text.
Schema {version}.
"""
PERSONAL = {
    "customers": {
        "email", "email_key", "first_name", "last_name", "phone", "line1", "line2", "city", "state",
        "postal_code", "country",
    },
    "inbox_payloads": {"body"},
    "notifications": {"sent", "received"},
    "pushes": {"body"},
    "mismatches": {"ultracart_value", "thiio_value"},
}  # fmt: skip
PERSONAL["orders"] = PERSONAL["customers"]
"""Columns that can hold what is told of a person."""


def write_dictionary() -> str:
    """Write every table with its columns, as Markdown."""
    parts = [OPENING.format(version=tables.SCHEMA_VERSION)]
    parts += [_section(table) for table in tables.metadata.tables.values()]
    return "\n".join(parts)


def _section(table: Table) -> str:
    head = [
        f"## {table.name}",
        "",
        table.info["doc"],
        "",
        "| column | type | what it is |",
        "| --- | --- | --- |",
    ]
    return "\n".join([*head, *_rows(table), ""])


def _rows(table: Table) -> Iterator[str]:
    for column in table.columns:
        mark = " ●" if column.name in PERSONAL.get(table.name, ()) else ""
        yield f"| `{column.name}`{mark} | {_type(column)} | {column.doc} |"


def _type(column: Column[object]) -> str:
    name = column.type.compile(dialect=postgresql.dialect()).lower()  # type: ignore[no-untyped-call]  # untyped there
    name = {"timestamp with time zone": "time"}.get(name, name)
    return name + (", key" if column.primary_key else "" if column.nullable else ", not null")


if __name__ == "__main__":
    sys.stdout.write(write_dictionary())
