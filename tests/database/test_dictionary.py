"""The data dictionary says what the tables are, and the committed one is the newest."""

from __future__ import annotations

from pathlib import Path

from tasks.database import tables
from tasks.database.dictionary import PERSONAL, write_dictionary

PROJECT = Path(__file__).resolve().parent.parent.parent


def test_every_table_and_column_is_described() -> None:
    """Whoever adds a column says what it is."""
    bare = [f"{table}" for table in tables.metadata.sorted_tables if not table.info.get("doc")]
    bare += [f"{column}" for table in tables.metadata.sorted_tables for column in table.c if not column.doc]

    assert bare == []


def test_the_committed_dictionary_is_that_of_the_tables() -> None:
    """To write it anew: python -m tasks.database.dictionary > deployments/DATA.md."""
    assert (PROJECT / "deployments/DATA.md").read_text() == write_dictionary()


def test_personal_columns_exist() -> None:
    """A column that was renamed does not lose its mark."""
    for table, columns in PERSONAL.items():
        assert columns <= set(tables.metadata.tables[table].c.keys())
