"""A lease whose holder was killed does not keep others waiting; a step can wait for one that is held."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, select, update

from tasks.database.lease import hold_lease, take_lease
from tasks.database.tables import leases
from tasks.errors import LeaseHeld

HOLD = """
import sys, time
from tasks.database.engine import open_database
from tasks.database.lease import take_lease
take_lease(open_database(sys.argv[1]), "push-orders", seconds=600)
print("held", flush=True)
time.sleep(600)
"""


@contextmanager
def holder(engine: Engine) -> Iterator[subprocess.Popen[bytes]]:
    """Run another process that holds the lease for a block."""
    url = engine.url.render_as_string(hide_password=False)
    process = subprocess.Popen([sys.executable, "-c", HOLD, url], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def owner_of(engine: Engine) -> str:
    """Give who holds the lease."""
    with engine.connect() as connection:
        return str(connection.scalar(select(leases.c.owner)))


def test_a_lease_is_free_as_soon_as_its_holder_was_killed(any_engine: Engine) -> None:
    """A run that starts again after a crash need not wait until it runs out."""
    with holder(any_engine) as process:
        with pytest.raises(LeaseHeld, match=f":{process.pid}; its lease ends"):
            take_lease(any_engine, "push-orders", seconds=600)
        process.kill()
        process.wait()

        with hold_lease(any_engine, "push-orders"):
            assert f":{os.getpid()} " in owner_of(any_engine)


@pytest.mark.parametrize(
    "change",
    [lambda owner: f"elsewhere{owner}", lambda owner: f"{owner}0", lambda owner: owner.split()[0]],
    ids=["another host", "another container of this host", "a system that does not tell"],
)
def test_a_holder_that_cannot_be_seen_from_here_keeps_its_lease(engine: Engine, change: object) -> None:
    """Its process id says nothing about a process of ours."""
    with holder(engine) as process:
        process.kill()
    owner = change(owner_of(engine))  # type: ignore[operator]
    with engine.begin() as connection:
        connection.execute(update(leases).values(owner=owner))

    with pytest.raises(LeaseHeld):
        take_lease(engine, "push-orders", seconds=600)
    with engine.begin() as connection:
        connection.execute(update(leases).values(until=datetime.now(UTC)))
    take_lease(engine, "push-orders", seconds=600)
