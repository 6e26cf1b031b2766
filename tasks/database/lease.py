"""One run of a job at a time, even if Prefect's own limit has let go of a run that still works."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, Engine, delete, or_, select, update

from tasks.database.tables import leases
from tasks.database.upsert import insert_for
from tasks.errors import LeaseHeld

LEASE_SECONDS = 1_800


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """The right of one run to do a job, for `seconds` after it was taken or renewed."""

    name: str
    token: str
    seconds: int

    def renew(self, connection: Connection) -> None:
        """Let it last `seconds` from now, in the caller's transaction; raise `LeaseHeld` if it was lost.

        What else the transaction writes is so written by the holder, or not at all: a run that slept past its
        lease cannot go on beside the one that took over. One that merely ran out, and that nobody took, is
        renewed.
        """
        until = datetime.now(UTC) + timedelta(seconds=self.seconds)
        ours = (leases.c.name == self.name, leases.c.token == self.token)
        if connection.execute(update(leases).where(*ours).values(until=until)).rowcount != 1:
            raise LeaseHeld(
                f"This run lost the lease {self.name}: another run took over while it was held up. "
                "Nothing to do: the other run goes on."
            )


def worker_name() -> str:
    """Name this process for people: host and process id."""
    return f"{socket.gethostname()}:{os.getpid()}"


def _owner() -> str:
    """Name this process so that others on its host can tell whether it lives: see `_is_gone`."""
    return f"{worker_name()} {_process_space()}".rstrip()


def _process_space() -> str:
    """Give the namespace that our process id is from: containers may share a host's name, not this.

    Empty where the system does not tell.
    """
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return ""


def _is_gone(owner: str) -> bool:
    """Tell whether the holder is known to have ended: a process of this host that was killed."""
    name, _, space = owner.partition(" ")
    host, _, pid = name.rpartition(":")
    if not space or (host, space) != (socket.gethostname(), _process_space()) or not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


@contextmanager
def hold_lease(engine: Engine, name: str, *, seconds: int = LEASE_SECONDS) -> Iterator[Lease]:
    """Hold the lease `name` for a block; raise `LeaseHeld` if another run has it.

    A lease that nobody gave back ends by itself after `seconds`, or at once if its holder was a process of
    this host that is no more.
    """
    lease = take_lease(engine, name, seconds=seconds)
    try:
        yield lease
    finally:
        with engine.begin() as connection:
            connection.execute(delete(leases).where(leases.c.name == name, leases.c.token == lease.token))


def take_lease(engine: Engine, name: str, *, seconds: int) -> Lease:
    """Take the lease if it is free, run out, or held by a process that was killed; else raise `LeaseHeld`."""
    now = datetime.now(UTC)
    token = secrets.token_hex(16)
    row = {"owner": _owner(), "token": token, "until": now + timedelta(seconds=seconds)}
    with engine.begin() as connection:
        held = connection.execute(select(leases).where(leases.c.name == name)).first()
        may_take = leases.c.until < now
        if held is not None and _is_gone(held.owner):
            may_take = or_(may_take, leases.c.token == held.token)
        insert = insert_for(connection, leases).values(name=name, **row)
        statement = insert.on_conflict_do_update(index_elements=["name"], set_=row, where=may_take).returning(
            leases.c.token
        )
        if connection.scalar(statement) is None:
            holder = connection.execute(leases.select().where(leases.c.name == name)).one()
            raise LeaseHeld(
                f"{name} is running at {holder.owner.partition(' ')[0]}; its lease ends "
                f"{holder.until:%Y-%m-%d %H:%M} UTC. Nothing to do: the next run goes on."
            )
    return Lease(name=name, token=token, seconds=seconds)


def held_until(connection: Connection, name: str) -> datetime | None:
    """Tell until when a run holds the lease (aware UTC); None if it is free or run out."""
    query = select(leases.c.until).where(leases.c.name == name, leases.c.until >= datetime.now(UTC))
    until: datetime | None = connection.scalar(query)
    return until
