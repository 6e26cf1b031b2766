"""One run of a job at a time, even if Prefect's own limit has let go of a run that still works."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, delete, or_
from sqlalchemy.dialects import postgresql, sqlite

from tasks.database.tables import leases
from tasks.errors import LeaseHeld

LEASE_SECONDS = 1_800


def worker_name() -> str:
    """Name this process for people: host and process id."""
    return f"{socket.gethostname()}:{os.getpid()}"


@contextmanager
def hold_lease(engine: Engine, name: str, *, seconds: int = LEASE_SECONDS) -> Iterator[str]:
    """Hold the lease `name` for a block and yield its token; raise `LeaseHeld` if another run has it.

    A lease that nobody gave back ends by itself after `seconds`.
    """
    token = take_lease(engine, name, seconds=seconds)
    try:
        yield token
    finally:
        with engine.begin() as connection:
            connection.execute(delete(leases).where(leases.c.name == name, leases.c.token == token))


def take_lease(engine: Engine, name: str, *, seconds: int) -> str:
    """Take or renew nothing: take the lease if it is free or run out, else raise `LeaseHeld`."""
    now = datetime.now(UTC)
    token = secrets.token_hex(16)
    dialect = postgresql if engine.dialect.name == "postgresql" else sqlite
    row = {"owner": worker_name(), "token": token, "until": now + timedelta(seconds=seconds)}
    insert = dialect.insert(leases).values(name=name, **row)
    statement = insert.on_conflict_do_update(
        index_elements=["name"], set_=row, where=or_(leases.c.until < now)
    ).returning(leases.c.token)
    with engine.begin() as connection:
        if connection.scalar(statement) is None:
            holder = connection.execute(leases.select().where(leases.c.name == name)).one()
            raise LeaseHeld(
                f"{name} is running at {holder.owner}; its lease ends {holder.until:%Y-%m-%d %H:%M} UTC. "
                "Nothing to do: the next run goes on."
            )
    return token
