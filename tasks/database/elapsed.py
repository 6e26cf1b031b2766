"""The time between two moments, in SQL that both databases understand."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Float
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction


class seconds_between(GenericFunction[float]):  # noqa: N801  # an SQL function: these are written small
    """Give the seconds between two moments, whichever is the earlier; right to a millisecond on SQLite."""

    type = Float()
    inherit_cache = True


@compiles(seconds_between, "sqlite")
def _on_sqlite(element: seconds_between, compiler: Any, **options: Any) -> str:
    one, other = (compiler.process(moment, **options) for moment in element.clauses)
    return f"abs(julianday({one}) - julianday({other})) * 86400.0"


@compiles(seconds_between, "postgresql")
def _on_postgres(element: seconds_between, compiler: Any, **options: Any) -> str:
    one, other = (compiler.process(moment, **options) for moment in element.clauses)
    return f"abs(extract(epoch FROM ({one}) - ({other})))"
