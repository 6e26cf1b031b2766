"""Group commit: one thread writes all waiting deliveries in one transaction, then answers each sender.

A commit waits for the disk. Deliveries that come in while it does share the next one, so that many senders
cost hardly more than one.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from tasks.database.engine import migrate
from tasks.inbox.event_queue import StoreCounts, store_events
from tasks.inbox.events import NewEvent
from tasks.notifications.log import Notification, NotificationStatus, save_notifications

logger = logging.getLogger(__name__)

DELIVERIES_A_COMMIT = 256


class IntakeFull(Exception):
    """More deliveries wait for a commit than may."""


@dataclass(frozen=True, slots=True)
class _Delivery:
    events: Sequence[NewEvent]
    stored: Future[StoreCounts]


class Intake:
    """The only writer of a receiver. The schema is made before the first commit, if need be."""

    def __init__(self, engine: Engine, queue_size: int) -> None:
        self._engine = engine
        self._waiting: queue.Queue[_Delivery | None] = queue.Queue(queue_size)
        self._thread = threading.Thread(target=self._work, name="inbox-intake", daemon=True)
        self._is_migrated = False

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def stop(self) -> None:
        """Write what waits, then end."""
        self._waiting.put(None)
        self._thread.join()

    def submit(self, events: Sequence[NewEvent]) -> Future[StoreCounts]:
        """Hand over a delivery; the future is done once it is durable, or holds the error.

        Raises `IntakeFull` at once if too many wait.
        """
        delivery = _Delivery(events, Future())
        try:
            self._waiting.put_nowait(delivery)
        except queue.Full:
            raise IntakeFull from None
        return delivery.stored

    def prepare(self) -> None:
        """Try soon to make the tables: who asks for readiness may send nothing before they are there."""
        with suppress(IntakeFull):
            self.submit(())

    def _work(self) -> None:
        self._prepare()
        is_open = True
        while is_open:
            batch = [self._waiting.get(), *self._take_waiting()]
            is_open = None not in batch
            self._write_all([delivery for delivery in batch if delivery is not None])

    def _prepare(self) -> None:
        """Make the tables; a database that is away now is asked again with the first delivery."""
        try:
            migrate(self._engine)
            self._is_migrated = True
        except Exception as error:
            _warn("the database cannot be used yet", error)

    def _take_waiting(self) -> list[_Delivery | None]:
        taken: list[_Delivery | None] = []
        while len(taken) < DELIVERIES_A_COMMIT:
            try:
                taken.append(self._waiting.get_nowait())
            except queue.Empty:
                break
        return taken

    def _write_all(self, batch: list[_Delivery]) -> None:
        try:
            self._write(batch)
        except Exception as error:  # whatever it is: with this thread, every later delivery would be lost
            if len(batch) == 1:
                _warn("a delivery could not be stored", error)
                batch[0].stored.set_exception(error)
                return
            # One delivery that the database does not take must not turn the others away.
            for delivery in batch:
                self._write_all([delivery])

    def _write(self, batch: list[_Delivery]) -> None:
        if not self._is_migrated:
            migrate(self._engine)
            self._is_migrated = True
        now = datetime.now(UTC)
        with self._engine.begin() as connection:
            counts = [store_events(connection, delivery.events, now=now) for delivery in batch]
            save_notifications(connection, [*_tell_unreadable(batch)])
        for delivery, count in zip(batch, counts, strict=True):
            delivery.stored.set_result(count)


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
