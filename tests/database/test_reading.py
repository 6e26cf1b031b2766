"""Who only reads keeps no writer waiting, waits for none, and cannot write by mistake."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, func, insert, select
from sqlalchemy.exc import DBAPIError

from tasks.database import tables
from tasks.database.engine import reading
from tests.notifications.log_rows import put_notification

COUNT = select(func.count()).select_from(tables.notifications)


def test_a_reader_and_a_writer_do_not_wait_for_each_other(any_engine: Engine) -> None:
    """A writer commits while somebody reads one moment; somebody reads while a writer has not committed."""
    with reading(any_engine) as reader:
        assert reader.scalar(COUNT) == 0
        put_notification(any_engine)
        assert reader.scalar(COUNT) == 0
    with any_engine.begin() as writer:
        writer.execute(insert(tables.leases).values(name="a", owner="b", token="c", until=func.now()))
        with reading(any_engine) as reader:
            assert reader.scalar(COUNT) == 1


def test_what_is_only_for_reading_does_not_write(any_engine: Engine) -> None:
    """The database refuses it; the same connection writes again once it is used for writing."""
    row = {"name": "a", "owner": "b", "token": "c", "until": func.now()}
    with reading(any_engine) as reader, pytest.raises(DBAPIError):
        reader.execute(insert(tables.leases).values(row))

    with any_engine.begin() as writer:
        writer.execute(insert(tables.leases).values(row))
        assert writer.scalar(select(func.count()).select_from(tables.leases)) == 1
