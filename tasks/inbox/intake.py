"""Group commit: one thread writes all waiting deliveries in one transaction, then answers each sender.

A commit waits for the disk. Deliveries that come in while it does share the next one, so that many senders
cost hardly more than one.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError

from tasks.database.engine import migrate
from tasks.inbox.event_queue import StoreCounts, store_deliveries
from tasks.inbox.events import NewEvent
from tasks.inbox.metrics import ReceiverMetrics
from tasks.notifications.log import Notification, NotificationStatus, save_notifications

logger = logging.getLogger(__name__)

ANSWER_SECONDS = 25.0
"""UltraCart waits 30 seconds for an answer (its page on webhooks)."""
TRIES = 3
COLLISIONS = ("40P01", "40001")
"""SQLSTATE of a deadlock and of a serialization failure (Postgres, appendix A): tried again, it may pass."""


class IntakeFull(Exception):
    """More deliveries wait for a commit than may."""


@dataclass(frozen=True, slots=True)
class _Delivery:
    events: Sequence[NewEvent]
    stored: asyncio.Future[StoreCounts]
    on_settled: Callable[[], None]
    until: float  # a time of the event loop


class Intake:
    """The only writer of a receiver. The schema is made before the first commit, if need be.

    Deliveries are handed over in the event loop that `start` was called in, and their futures are its own.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        queue_size: int,
        deliveries_a_commit: int,
        metrics: ReceiverMetrics,
    ) -> None:
        self._engine = engine
        self._waiting: queue.Queue[_Delivery | None] = queue.Queue(queue_size)
        self._deliveries_a_commit = deliveries_a_commit
        self._metrics = metrics
        self._thread = threading.Thread(target=self._work, name="inbox-intake", daemon=True)
        self._is_migrated = False
        self._unanswered: deque[_Delivery] = deque()
        self._expiry: asyncio.TimerHandle | None = None
        metrics.watch_queue(self._waiting.qsize)

    def start(self) -> None:
        """Begin to write; call it in the running event loop."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    async def stop(self) -> None:
        """Write what waits, then end."""
        await asyncio.to_thread(self._waiting.put, None)
        await asyncio.to_thread(self._thread.join)

    def submit(
        self, events: Sequence[NewEvent], on_settled: Callable[[], None] = lambda: None
    ) -> asyncio.Future[StoreCounts]:
        """Hand over a delivery; the future is done once it is durable, or holds the error.

        After `ANSWER_SECONDS` it is `TimeoutError`; that stops nothing: the events may still be stored, and
        when they come again they are duplicates. `on_settled` is called once nothing of the delivery waits
        any more, and at once if too many do (`IntakeFull`).
        """
        until = self._loop.time() + ANSWER_SECONDS
        delivery = _Delivery(events, self._loop.create_future(), on_settled, until)
        try:
            self._waiting.put_nowait(delivery)
        except queue.Full:
            on_settled()
            raise IntakeFull from None
        self._unanswered.append(delivery)
        if self._expiry is None:
            self._expiry = self._loop.call_at(until, self._expire)
        return delivery.stored

    def prepare(self) -> None:
        """Try soon to make the tables: who asks for readiness may send nothing before they are there."""
        with suppress(IntakeFull):
            self.submit(())

    def _expire(self) -> None:
        """Answer those whose time is up; one timer serves all: they come in the order of time."""
        while self._unanswered and self._unanswered[0].until <= self._loop.time():
            _answer(self._unanswered.popleft().stored, TimeoutError())
        waits = bool(self._unanswered)
        self._expiry = self._loop.call_at(self._unanswered[0].until, self._expire) if waits else None

    def _work(self) -> None:
        with suppress(Exception):  # it is logged; a database that is away is asked again by each delivery
            self._prepare()
        is_open = True
        while is_open:
            batch = [self._waiting.get(), *self._take_waiting()]
            is_open = None not in batch
            self._write_all([delivery for delivery in batch if delivery is not None])

    def _prepare(self) -> None:
        if not self._is_migrated:
            try:
                migrate(self._engine)
            except Exception as error:
                _warn("the database cannot be used yet", error)
                raise
            self._is_migrated = True

    def _take_waiting(self) -> list[_Delivery | None]:
        taken: list[_Delivery | None] = []
        with suppress(queue.Empty):
            while len(taken) < self._deliveries_a_commit - 1:
                taken.append(self._waiting.get_nowait())
        return taken

    def _write_all(self, batch: list[_Delivery]) -> None:
        try:
            self._prepare()
        except Exception as error:
            self._tell(batch, error)
            return
        try:
            counts = self._write_patiently(batch)
        except Exception as error:  # whatever it is: with this thread, every later delivery would be lost
            if len(batch) > 1 and not isinstance(error, OperationalError | InterfaceError):
                # One delivery that the database does not take must not turn the others away.
                for delivery in batch:
                    self._write_all([delivery])
                return
            # The database is away, full or locked: to ask again for each would keep all of them waiting.
            _warn(f"{len(batch)} deliveries could not be stored", error)
            self._tell(batch, error)
        else:
            self._tell(batch, counts)

    def _write_patiently(self, batch: list[_Delivery]) -> list[StoreCounts]:
        """Write, once more if another writer of the same rows was in the way."""
        for _ in range(TRIES - 1):
            try:
                return self._write(batch)
            except DBAPIError as error:
                if getattr(error.orig, "sqlstate", None) not in COLLISIONS:
                    raise
        return self._write(batch)

    def _write(self, batch: list[_Delivery]) -> list[StoreCounts]:
        started = time.perf_counter()
        with self._engine.begin() as connection:
            deliveries = [delivery.events for delivery in batch]
            counts = store_deliveries(connection, deliveries, now=datetime.now(UTC))
            save_notifications(connection, [*_tell_unreadable(batch)])
        self._metrics.count_commit(len(batch), time.perf_counter() - started)
        return counts

    def _tell(self, batch: list[_Delivery], result: list[StoreCounts] | Exception) -> None:
        # One call for all: each wakes the event loop by a system call.
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(self._settle, batch, result)

    def _settle(self, batch: list[_Delivery], result: list[StoreCounts] | Exception) -> None:
        for at, delivery in enumerate(batch):
            delivery.on_settled()
            _answer(delivery.stored, result if isinstance(result, Exception) else result[at])
        while self._unanswered and self._unanswered[0].stored.done():
            self._unanswered.popleft()


def _answer(stored: asyncio.Future[StoreCounts], result: StoreCounts | Exception) -> None:
    if stored.done():
        return  # its sender was given up
    if isinstance(result, Exception):
        stored.set_exception(result)
        stored.exception()  # looked at: a sender that has gone must not make a traceback
    else:
        stored.set_result(result)


def _warn(what: str, error: Exception) -> None:
    # A database's error holds what was to be stored, and is not shown.
    is_known = isinstance(error, SQLAlchemyError)
    logger.warning("%s: %s", what, type(error).__name__, exc_info=None if is_known else error)


def _tell_unreadable(batch: Sequence[_Delivery]) -> Iterator[Notification]:
    """Tell of what no worker will ever see; every other event is told when it is worked off."""
    for event in (event for delivery in batch for event in delivery.events if event.dead):
        yield Notification(
            direction="in",
            system=event.source,
            operation="webhook",
            status=NotificationStatus.FAILED,
            received={"body": event.body},  # not bare: nobody shall try to read it as JSON once more
            reason=event.dead,
        )
