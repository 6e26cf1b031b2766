"""What the receiver tells Prometheus: of its own work as it happens, and of the inbox when it is asked.

Nothing of a delivery's content is in it. The registry is the receiver's own: another one in the same process
has its own figures.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import Engine, func, select
from sqlalchemy.exc import SQLAlchemyError

from tasks.database import tables
from tasks.database.engine import reading
from tasks.inbox.events import EventState

SOURCES = ("ultracart", "thiio")
CONTENT_TYPE = CONTENT_TYPE_LATEST
COUNTED_STATES = (EventState.WAITING, EventState.LEASED, EventState.DEAD)
"""The states that somebody must act on. Closed events come to millions, and to count them takes seconds."""
MOST_COUNTED = 100_000
"""A state with more events than this is told as this many: a scrape stays cheap whatever has piled up."""
READ_SECONDS = 3.0
"""A database that is slower counts as away; Prometheus itself gives a scrape 10 seconds by default."""
COMMIT_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0)
GROUP_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256)


@dataclass(frozen=True, slots=True)
class InboxFigures:
    """Events by state, each at most `MOST_COUNTED`, and when the oldest waiting one came (aware, UTC)."""

    counts: dict[str, int]
    oldest_waiting: datetime | None


def count_of(state: str) -> Any:
    """Make the query for the number of events in a state, and for the time when the first of them came.

    (A `Select` of both; its type is written differently in SQLAlchemy 2.0 and 2.1.)
    """
    table = tables.inbox_events
    # In the order of the index, so that no planner thinks of reading the whole table instead.
    some = select(table.c.received_at).where(table.c.state == state).order_by(table.c.due_at)
    counted = some.limit(MOST_COUNTED).subquery()
    return select(func.count(), func.min(counted.c.received_at)).select_from(counted)


def read_inbox(engine: Engine) -> InboxFigures:
    """Count the open and the dead events by the index on state; raises SQLAlchemy's errors."""
    with reading(engine) as connection:
        found = {state: connection.execute(count_of(state)).one() for state in COUNTED_STATES}
    counts = {state.value: count for state, (count, _) in found.items()}
    return InboxFigures(counts, found[EventState.WAITING][1])


class _InboxCollector(Collector):
    """Writes the last reading of the inbox; of a database that is away it tells nothing else."""

    figures: InboxFigures | None = None

    def collect(self) -> Iterator[GaugeMetricFamily]:
        figures = self.figures
        up = "1 if the database answered this scrape"
        yield GaugeMetricFamily("ultrathiio_database_up", up, value=figures is not None)
        if figures is None:
            return
        events = GaugeMetricFamily(
            "ultrathiio_inbox_events",
            f"Events in the inbox that are not closed, by state; {MOST_COUNTED} stands for that or more",
            labels=["state"],
        )
        for state, count in figures.counts.items():
            events.add_metric([state], count)
        yield events
        dead = figures.counts[EventState.DEAD]
        yield GaugeMetricFamily("ultrathiio_dead_letters", "Events that a person must look at", value=dead)
        since = figures.oldest_waiting
        # Never negative: a clock that was set back makes an event seem to come from the future.
        age = max(0.0, (datetime.now(UTC) - since).total_seconds()) if since else 0.0
        name = "ultrathiio_oldest_waiting_event_seconds"
        yield GaugeMetricFamily(name, "Age of the oldest waiting event", value=age)


class ReceiverMetrics:
    """Counts what the receiver does, and reads the inbox at each scrape."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ours = self.registry
        received = Counter(
            "ultrathiio_received_events",
            "Events taken and stored, or known already",
            ["source"],
            registry=ours,
        )
        duplicates = Counter(
            "ultrathiio_duplicate_events", "Events that were in the inbox already", ["source"], registry=ours
        )
        self._by_source = {source: (received.labels(source), duplicates.labels(source)) for source in SOURCES}
        self._rejected = Counter(
            "ultrathiio_rejected_requests", "Requests turned away, by HTTP status", ["status"], registry=ours
        )
        self._cut_off = Counter(
            "ultrathiio_cut_off_connections", "Connections closed before an answer", ["reason"], registry=ours
        )
        self._waiting = Gauge(
            "ultrathiio_deliveries_waiting", "Deliveries that wait for a commit", registry=ours
        )
        self._commit_seconds = Histogram(
            "ultrathiio_commit_seconds", "Duration of a commit", buckets=COMMIT_SECONDS, registry=ours
        )
        self._deliveries_a_commit = Histogram(
            "ultrathiio_deliveries_a_commit", "Deliveries that share one", buckets=GROUP_SIZES, registry=ours
        )
        self._inbox = _InboxCollector()
        self.registry.register(self._inbox)
        self._reading: asyncio.Task[InboxFigures | None] | None = None

    def count_events(self, source: str, stored: int, duplicates: int) -> None:
        """Count the events of one delivery."""
        received, known = self._by_source[source]
        received.inc(stored + duplicates)
        known.inc(duplicates)

    def count_rejected(self, status: int) -> None:
        """Count a request that was turned away."""
        self._rejected.labels(str(status)).inc()

    def count_cut_off(self, reason: str) -> None:
        """Count a connection that was closed for being slow, or to make room."""
        self._cut_off.labels(reason).inc()

    def count_commit(self, deliveries: int, seconds: float) -> None:
        """Count a commit, called by the thread that writes."""
        self._deliveries_a_commit.observe(deliveries)
        self._commit_seconds.observe(seconds)

    def watch_queue(self, size: Callable[[], float]) -> None:
        """Ask for the number of waiting deliveries whenever it is to be told."""
        self._waiting.set_function(size)

    async def tell(self, engine: Engine) -> bytes:
        """Write all figures in Prometheus' text format; those of a database that is away are left out."""
        self._inbox.figures = await self._read(engine)
        return generate_latest(self.registry)

    async def _read(self, engine: Engine) -> InboxFigures | None:
        # A reading that hangs is waited for again by the next scrape: no second thread hangs beside it.
        reading = self._reading = self._reading or asyncio.create_task(self._read_once(engine))
        await asyncio.wait([reading], timeout=READ_SECONDS)
        return reading.result() if reading.done() else None

    async def _read_once(self, engine: Engine) -> InboxFigures | None:
        try:
            return await asyncio.to_thread(read_inbox, engine)
        except SQLAlchemyError:
            return None
        finally:
            self._reading = None
