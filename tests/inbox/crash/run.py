"""One run: the stream goes through an installation, disturbed or not, until nothing waits any more."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from tasks.database.tables import inbox_events
from tasks.inbox.events import OPEN
from tasks.loopback import serve_on_loopback
from tests.conftest import execute, url_of
from tests.inbox.crash.cluster import Cluster, run_cluster
from tests.inbox.crash.killer import LOOK_SECONDS, Killer
from tests.inbox.crash.sender import Sender
from tests.inbox.crash.site import Site, open_site
from tests.inbox.crash.stream import Delivery, make_stream

KILLING_SECONDS, SETTLING_SECONDS = 150.0, 60.0
"""Longest time for the kills, and for what is left afterwards."""


@dataclass(slots=True)
class Course:
    """What happened in a run, beside what the databases tell."""

    sender: Sender
    killed: Counter[str] = field(default_factory=Counter)
    frozen: int = 0
    seconds: float = 0.0
    is_settled: bool = False
    """Every delivery was acknowledged, and no event is open."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The same stream twice: once undisturbed, once under fire."""

    seed: int
    database: str
    deliveries: Sequence[Delivery]
    undisturbed: Site
    site: Site
    cluster: Cluster | None
    course: Course


@contextmanager
def compare(folder: Path, database: str, *, seed: int, kills: int) -> Iterator[Comparison]:
    """Send the stream through two installations, and yield both for a block."""
    dice = random.Random(seed)  # noqa: S311  # dice, no secret
    ultracart, deliveries = make_stream(dice)
    with (
        _databases(folder, database) as (cluster, urls),
        serve_on_loopback(ultracart.respond) as ultracart_url,
    ):
        ultracart.base_url = f"{ultracart_url}/rest/v2"
        with (
            open_site(folder / "undisturbed", urls[0], ultracart, workers=1) as undisturbed,
            open_site(folder / "disturbed", urls[1], ultracart, workers=2) as site,
        ):
            course = run(undisturbed, deliveries, dice, kills=0)
            assert course.is_settled, f"undisturbed, it comes to no end: {course.sender.answers}"
            for process in (undisturbed.receiver, *undisturbed.workers):
                process.stop()
            course = run(site, deliveries, dice, kills=kills, cluster=cluster)
            yield Comparison(seed, database, deliveries, undisturbed, site, cluster, course)


@contextmanager
def _databases(folder: Path, database: str) -> Iterator[tuple[Cluster | None, tuple[str, str]]]:
    names = ("undisturbed", "disturbed")
    if database == "sqlite":
        yield None, tuple(f"sqlite:///{folder / name}.sqlite3" for name in names)
        return
    with run_cluster() as cluster:
        for name in names:
            execute(cluster.url, f"CREATE DATABASE {name}")
        yield cluster, tuple(url_of(cluster.url, name) for name in names)


def run(
    site: Site,
    deliveries: Sequence[Delivery],
    dice: random.Random,
    *,
    kills: int,
    cluster: Cluster | None = None,
) -> Course:
    """Send all deliveries, with kills in between, and wait until everything is applied."""
    started = time.monotonic()
    sender = Sender(site.url, deliveries)
    share = len(deliveries) // (kills + 1)
    killer = Killer(dice, site, cluster, lambda: sender.let_go(share))
    course = Course(sender, killer.killed)
    sender.start()
    try:
        for _ in zip(_tending(site, cluster, KILLING_SECONDS), killer.kill(kills), strict=False):
            pass
        sender.let_go(len(deliveries))
        course.is_settled = any(
            sender.is_done and _is_settled(site) for _ in _tending(site, cluster, SETTLING_SECONDS)
        )
    finally:
        sender.stop()
    course.frozen = killer.frozen
    course.seconds = time.monotonic() - started
    return course


def _tending(site: Site, cluster: Cluster | None, seconds: float) -> Iterator[None]:
    """Keep everything running until the time is over or the caller has seen enough."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if cluster is not None:
            cluster.kept.tend()
        site.tend()
        yield
        time.sleep(LOOK_SECONDS)


def _is_settled(site: Site) -> bool:
    is_open = select(func.count()).select_from(inbox_events).where(inbox_events.c.state.in_(OPEN))
    try:
        with site.engine.connect() as connection:
            return connection.scalar(is_open) == 0
    except DBAPIError:
        return False  # the database was the last to be killed, and is not back yet
