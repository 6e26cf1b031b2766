"""The time between two moments, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, insert, select

from tasks.database import tables
from tasks.database.elapsed import seconds_between

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize("apart", [0, 1, -1, 599, 600, 86_400 * 400])
def test_seconds_between_two_moments(any_engine: Engine, apart: int) -> None:
    """Whichever is the earlier, and over a change of summer time."""
    table = tables.watermarks
    moments = {"reached_at": NOON, "moved_at": NOON + timedelta(seconds=apart)}
    with any_engine.begin() as connection:
        connection.execute(insert(table).values(name="w", **moments))
        found = connection.scalar(select(seconds_between(table.c.reached_at, table.c.moved_at)))

    assert float(found) == pytest.approx(abs(apart), abs=0.001)
