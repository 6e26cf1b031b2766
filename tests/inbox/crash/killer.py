"""Chooses whom to kill and when, by dice: a seed gives the same kinds of victims and the same waits."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from tasks.database.engine import reading
from tasks.database.tables import inbox_events
from tasks.inbox.events import EventState
from tests.inbox.crash.cluster import Cluster
from tests.inbox.crash.processes import Kept
from tests.inbox.crash.site import Site

LONGEST_WAIT_SECONDS = 0.03
"""From a sign of work to the kill: by then it is stored, claimed, delivered and closed, or not."""
LOOK_SECONDS = 0.002
"""So often is looked whether it is time: a few events are applied in some hundredths of a second."""
HASTY = 0.15
"""Share of the kills that wait for no sign: they also hit what just starts, or does nothing."""
START_PATIENCE_SECONDS, WORK_PATIENCE_SECONDS = 10.0, 1.0
FREEZES = 3
FROZEN_SECONDS = 6.0
"""Longer than a lease: a worker wakes up whose events another one has."""
TARGETS = ("receiver", "receiver", "worker", "worker", "worker")
TARGETS_ON_POSTGRES = (*TARGETS, "postgres", "backend")


class Killer:
    """Kills; `burst` is called before each kill, so that there is something to interrupt."""

    def __init__(
        self, dice: random.Random, site: Site, cluster: Cluster | None, burst: Callable[[], None]
    ) -> None:
        self._dice = dice
        self._site = site
        self._cluster = cluster
        self._burst = burst
        self.killed: Counter[str] = Counter()
        self.frozen = 0

    def kill(self, times: int) -> Iterator[None]:
        """Kill so often; between two looks at whether it is time, the caller does what it has to do."""
        freeze_at = set(self._dice.sample(range(times), min(FREEZES, times)))
        while (number := self.killed.total()) < times:
            if number in freeze_at:
                freeze_at.discard(number)
                self.frozen += self._dice.choice(self._site.workers).freeze(FROZEN_SECONDS)
            yield from self._kill_one(self._dice.choice(TARGETS_ON_POSTGRES if self._cluster else TARGETS))

    def _kill_one(self, target: str) -> Iterator[None]:
        if self._dice.random() >= HASTY:
            yield from _wait_for(lambda: self._is_running(target), START_PATIENCE_SECONDS)
            self._burst()
            if target == "worker":
                yield from _wait_for(lambda: bool(self._at_work()), WORK_PATIENCE_SECONDS)
        else:
            self._burst()
        yield from _wait_for(lambda: False, self._dice.uniform(0, LONGEST_WAIT_SECONDS))
        self.killed[target] += self._strike(target)

    def _is_running(self, target: str) -> bool:
        """Tell whether a kill of the target would hit work: without a receiver nobody has any."""
        is_served = self._site.receiver.is_ready and (self._cluster is None or self._cluster.kept.is_ready)
        return is_served and (target != "worker" or any(each.is_ready for each in self._site.workers))

    def _at_work(self) -> list[Kept]:
        """Give the workers that have events in their hands."""
        owner = inbox_events.c.lease_owner
        query = select(owner).where(inbox_events.c.state == EventState.LEASED).distinct()
        try:
            with reading(self._site.engine) as connection:
                owners = list(connection.scalars(query))
        except DBAPIError:
            return []  # the database is away
        return [each for each in self._site.workers if any(name.endswith(f":{each.pid}") for name in owners)]

    def _strike(self, target: str) -> bool:
        if target == "receiver":
            return self._site.receiver.kill()
        if target == "worker":
            return self._dice.choice(self._at_work() or self._site.workers).kill()
        assert self._cluster is not None
        return self._cluster.kill() if target == "postgres" else self._cluster.kill_backend(self._dice)


def _wait_for(is_time: Callable[[], bool], seconds: float) -> Iterator[None]:
    deadline = time.monotonic() + seconds
    while not is_time() and time.monotonic() < deadline:
        yield
