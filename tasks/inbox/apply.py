"""Work off a claim of inbox events: translate, mirror, deliver to Thiio, close; each with its notification.

The events of one record are applied together: the mirror keeps its newest state whatever their order, and
Thiio gets that state once. An order that comes in pieces is read again from UltraCart.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DataError

from tasks.errors import InvalidRecord, RecordError, RemoteRefused, RemoteUnavailable, UltraThiioError
from tasks.inbox import event_queue
from tasks.inbox.entity import News, find_counterparts, group_by_entity
from tasks.inbox.event_queue import Claim
from tasks.inbox.events import UNREADABLE, Event
from tasks.notifications.log import Notification, NotificationStatus, save_notifications
from tasks.records.links import link
from tasks.records.mirror import save_customers, save_orders
from tasks.records.models import Customer, Entity, Order
from tasks.settings import InboxSettings
from tasks.thiio.connection import ThiioConnection
from tasks.ultracart.webhook_body import HANDLED_EVENTS, read_event

logger = logging.getLogger(__name__)

FetchOrders = Callable[[Sequence[str]], list[Order]]
"""Reads orders by id from UltraCart as they are now; unknown ids are left out."""
ECHO = "Pushed from Thiio by us; linked, not delivered again."
REFUSED = "Our tables cannot hold a value of it: too long, too large, or no text. Correct it in UltraCart."
NEVER_READ = "Its body could not be read when it came. Correct the sender: what it sends then is a new event."


@dataclass(slots=True)
class ApplyCounts:
    """What became of a claim's events; `failures` are sentences about those that are dead or must wait."""

    claimed: int = 0
    done: int = 0
    skipped: int = 0
    retried: int = 0
    dead: int = 0
    failures: list[str] = field(default_factory=list)

    def add(self, other: ApplyCounts) -> None:
        """Add another claim's counts."""
        for name, value in asdict(other).items():
            setattr(self, name, getattr(self, name) + value)


class Applier:
    """Applies claims. `fetch_orders` is asked at most once a claim."""

    def __init__(
        self,
        engine: Engine,
        settings: InboxSettings,
        region: str,
        thiio: ThiioConnection,
        fetch_orders: FetchOrders,
        run_id: str | None = None,
    ) -> None:
        self._engine = engine
        self._settings = settings
        self._region = region
        self._thiio = thiio
        self._fetch_orders = fetch_orders
        self._run_id = run_id
        self._token = ""
        self._counts = ApplyCounts()

    def apply(self, claim: Claim) -> ApplyCounts:
        """Handle every event of a claim, and say what became of each.

        A set-up error puts the rest back without counting the attempt, and is raised: nothing is burnt.
        """
        self._token, self._counts = claim.token, ApplyCounts(claimed=len(claim.events))
        try:
            groups = self._mirror(group_by_entity(self._read(claim.events)))
            self._complete([news for news in groups if news.is_incomplete])
            for news in groups:
                with self._failures_set_aside(news.events):
                    self._deliver(news)
        except UltraThiioError as error:
            with self._engine.begin() as connection:
                event_queue.give_back(connection, self._token, reason=str(error))
            raise
        return self._counts

    def _read(self, events: Sequence[Event]) -> Iterator[tuple[Event, Customer | Order]]:
        for event in events:
            if event.name == UNREADABLE:
                self._bury([event], NEVER_READ)
                continue
            if event.source != "ultracart" or event.name not in HANDLED_EVENTS:
                self._skip(event)
                continue
            try:
                record = read_event(event.name, event.body, self._region)
            except RecordError as error:
                self._bury([event], str(error))
                continue
            if record is not None:
                yield event, record

    def _mirror(self, groups: Sequence[News]) -> Sequence[News]:
        """Store the snapshots and give back whose were stored; what the database does not take is buried."""
        try:
            with self._engine.begin() as connection:
                self._save(connection, groups, [snapshot for news in groups for snapshot in news.snapshots])
                find_counterparts(connection, groups)
        except (DataError, OverflowError):  # the latter is SQLite's word for a number too large
            if len(groups) == 1:
                self._bury(groups[0].events, REFUSED)
                return []
            return [news for each in groups for news in self._mirror([each])]
        return groups

    def _complete(self, incomplete: Sequence[News]) -> None:
        """Read orders that came in pieces again; if UltraCart does not give them now, they wait."""
        if not incomplete:
            return
        try:
            fetched = self._fetch_orders([news.id for news in incomplete])
        except (RemoteUnavailable, RemoteRefused, RecordError) as error:
            # Not raised: one order that UltraCart cannot give must not stop all others.
            logger.warning(
                "%d orders came in pieces and cannot be read again now: %s", len(incomplete), error
            )
            return
        with self._engine.begin() as connection:
            self._save(connection, incomplete, fetched)
            find_counterparts(connection, incomplete)

    def _save(
        self, connection: Connection, groups: Sequence[News], snapshots: Sequence[Customer | Order]
    ) -> None:
        customers = [each for each in snapshots if isinstance(each, Customer)]
        orders = [each for each in snapshots if isinstance(each, Order)]
        merged: list[Customer | Order] = [
            *save_customers(connection, customers),
            *save_orders(connection, orders),
        ]
        records = {(type(record), record.id): record for record in merged}
        for news in groups:
            kind = Order if news.entity is Entity.ORDER else Customer
            news.record = records.get((kind, news.id), news.record)

    def _deliver(self, news: News) -> None:
        record = news.record
        if news.is_incomplete:
            raise RemoteUnavailable(
                f"Order {news.id} came in pieces and UltraCart does not show it; it is read again later."
            )
        if news.is_echo:
            self._close(news, news.pushed_from, ECHO)
        elif isinstance(record, Order):
            thiio_id = news.thiio_id or news.pushed_from
            self._close(news, self._thiio.deliver_order(record, news.newest_event, thiio_id))
        elif isinstance(record, Customer):
            self._close(news, self._thiio.deliver_customer(record, news.thiio_id))

    def _close(self, news: News, thiio_id: str | None, remark: str | None = None) -> None:
        with self._engine.begin() as connection:
            if thiio_id is not None:
                rule = "push" if news.pushed_from else "delivered"
                self._link(connection, news, thiio_id, rule)
            event_queue.finish(connection, self._token, news.event_ids, now=_now())
            self._tell(connection, news.events, NotificationStatus.SUCCESSFUL, remark)
        self._counts.done += len(news.events)

    def _link(self, connection: Connection, news: News, thiio_id: str, rule: str) -> None:
        if not link(connection, news.entity, news.id, thiio_id, rule):
            logger.warning(
                "%s %s was delivered to Thiio %s, but one of the two is linked elsewhere",
                news.entity, news.id, thiio_id,
            )  # fmt: skip

    @contextmanager
    def _failures_set_aside(self, events: Sequence[Event]) -> Iterator[None]:
        """Let one record's failure be its own: what may pass waits, what will not is buried."""
        try:
            yield
        except RemoteUnavailable as error:
            self._retry_or_bury(events, str(error))
        except (RemoteRefused, InvalidRecord) as error:
            self._bury(events, str(error))

    def _retry_or_bury(self, events: Sequence[Event], reason: str) -> None:
        tired = [event for event in events if event.attempts >= self._settings.max_attempts]
        if tired:
            self._bury(tired, f"{reason} That was the last of {self._settings.max_attempts} tries.")
        for event in events:
            if event not in tired:
                self._retry(event, reason)

    def _retry(self, event: Event, reason: str) -> None:
        wait = self._settings.retry_base_seconds * 2 ** (event.attempts - 1)
        # Spread out, so that what failed together does not come back together.
        spread = random.uniform(0.75, 1.25)  # noqa: S311  # nothing secret hangs on it
        seconds = min(wait, self._settings.retry_cap_seconds) * spread
        with self._engine.begin() as connection:
            due_at = _now() + timedelta(seconds=seconds)
            event_queue.retry_later(connection, self._token, [event.id], reason, due_at=due_at)
            self._tell(connection, [event], NotificationStatus.FAILED, reason)
        self._counts.retried += 1
        self._counts.failures.append(f"{_name(event)} waits for another try: {reason}")

    def _bury(self, events: Sequence[Event], reason: str) -> None:
        with self._engine.begin() as connection:
            ids = [event.id for event in events]
            event_queue.bury(connection, self._token, ids, reason, now=_now())
            self._tell(connection, events, NotificationStatus.FAILED, reason)
        self._counts.dead += len(events)
        self._counts.failures += [f"{_name(event)} is dead: {reason}" for event in events]

    def _skip(self, event: Event) -> None:
        reason = (
            f"ultrathiio does nothing with {event.name} of {event.source}; replay it once a version does."
        )
        with self._engine.begin() as connection:
            event_queue.skip(connection, self._token, [event.id], reason, now=_now())
            self._tell(connection, [event], NotificationStatus.SKIPPED, reason)
        self._counts.skipped += 1

    def _tell(
        self, connection: Connection, events: Sequence[Event], status: NotificationStatus, reason: str | None
    ) -> None:
        told = [
            Notification(
                direction="in",
                system=event.source,
                operation=event.name,
                status=status,
                received=event.body,
                reason=reason,
                entity=event.entity,
                entity_id=event.entity_id,
                event_id=event.id,
            )
            for event in events
        ]
        save_notifications(connection, told, run_id=self._run_id)


def _name(event: Event) -> str:
    return f"inbox event {event.id} ({event.name} {event.entity_id or 'without id'})"


def _now() -> datetime:
    return datetime.now(UTC)
