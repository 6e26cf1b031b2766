"""Tell the database how large its tables have become."""

from __future__ import annotations

from sqlalchemy import Connection, Table, text

SAMPLED_ROWS = 100_000
"""Rows of each index that SQLite looks at: a tenth of a second, however large the table is.

It takes what it did not see for no more than that: with 1,000 it still goes through a side for a page of ids.
"""


def refresh_statistics(connection: Connection, *tables: Table) -> None:
    """Let the database sample tables anew, so that it plans for the size they have.

    After a bulk load Postgres still plans for the size before it, until its own analysis comes by: 300 rows a
    side then take 10 seconds to join, and the time grows with the square. SQLite never samples by itself: it
    takes ten rows for a whole side. Its other connections use the figures once they are opened anew.
    """
    if connection.dialect.name == "sqlite":
        connection.execute(text(f"PRAGMA analysis_limit = {SAMPLED_ROWS}"))
    for table in tables:
        connection.execute(text(f"ANALYZE {table.name}"))
