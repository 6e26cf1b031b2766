"""Work off a claim of inbox events: translate, mirror, deliver to Thiio, close; each with its notification.

The events of one record are applied together: the mirror keeps its newest state whatever their order, and
Thiio gets that state once. An order that comes in pieces, or of which two snapshots of one second disagree,
is read again from UltraCart.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from tasks.errors import InvalidRecord, RecordError, RemoteRefused, RemoteUnavailable, UltraThiioError
from tasks.inbox import event_queue
from tasks.inbox.entity import News, group_by_entity
from tasks.inbox.event_queue import Abandoned, Claim
from tasks.inbox.events import UNREADABLE, Event
from tasks.inbox.outcomes import ApplyCounts, Outcomes, name_of, notification_of
from tasks.inbox.reread import read_unreadable
from tasks.inbox.settle import Readers, Settler, place_of
from tasks.notifications.log import NotificationStatus, save_notifications
from tasks.records.links import Link
from tasks.records.models import Customer, Order
from tasks.settings import Settings
from tasks.thiio.connection import ThiioConnection
from tasks.ultracart.webhook_body import HANDLED_EVENTS, read_event

ECHO = "Pushed from Thiio by us; linked, not delivered again."
NOT_HANDLED = "ultrathiio does nothing with {name} of {source}; replay it once a version does."
OUTAGE = 3
"""So many records in a row that Thiio did not take are Thiio's trouble, not theirs."""


class Applier:
    """Takes claims and applies them."""

    def __init__(
        self,
        engine: Engine,
        settings: Settings,
        thiio: ThiioConnection,
        readers: Readers,
        run_id: str | None = None,
    ) -> None:
        self._engine = engine
        self._settings = settings
        self._thiio = thiio
        self._readers = readers
        self._run_id = run_id

    def take(self, limit: int, now: datetime | None = None) -> tuple[Claim, ApplyCounts]:
        """Claim due events; gives also the count of those that died with their workers."""
        now = now or datetime.now(UTC)
        inbox = self._settings.inbox
        with self._engine.begin() as connection:
            abandoned = event_queue.recover_expired(connection, max_attempts=inbox.max_attempts, now=now)
            told = [
                notification_of(each.event, NotificationStatus.FAILED, _silence(each)) for each in abandoned
            ]
            save_notifications(connection, told, run_id=self._run_id)
            claim = event_queue.claim_events(
                connection, limit=limit, lease_seconds=inbox.lease_seconds, now=now
            )
        dead = [f"{name_of(each.event)} is dead: {_silence(each)}" for each in abandoned if each.is_dead]
        return claim, ApplyCounts(dead=len(dead), failures=dead)

    def apply(self, claim: Claim) -> ApplyCounts:
        """Handle every event of a claim, and say what became of each.

        What stops all work (set-up, an outage of Thiio, our own database) puts the rest back without counting
        the attempt, and is raised: nothing is burnt.
        """
        is_repeatable = self._thiio.repeats_safely
        outcomes = Outcomes(
            self._engine, self._settings.inbox, claim, self._run_id, is_repeatable=is_repeatable
        )
        try:
            groups = group_by_entity(self._read(claim.events, outcomes))
            settled = Settler(self._engine, self._readers, outcomes).settle(groups)
            self._deliver_all(settled, outcomes)
            outcomes.write()
        except (UltraThiioError, SQLAlchemyError) as error:
            reason = str(error) if isinstance(error, UltraThiioError) else place_of(error)
            wait = timedelta(seconds=self._settings.inbox.pause_seconds)
            with suppress(SQLAlchemyError):  # then the lease runs out, and the events come back by themselves
                outcomes.pause_rest(reason, due_at=datetime.now(UTC) + wait)
            raise
        return outcomes.counts

    def _read(self, events: Sequence[Event], outcomes: Outcomes) -> Iterator[tuple[Event, Customer | Order]]:
        for event in events:
            try:
                if event.name == UNREADABLE:
                    outcomes.done([event], read_unreadable(self._engine, event, self._settings.receiver))
                elif event.source != "ultracart" or event.name not in HANDLED_EVENTS:
                    outcomes.skip(event, NOT_HANDLED.format(name=event.name, source=event.source))
                elif record := read_event(event.name, event.body, self._settings.default_region):
                    yield event, record
            except RecordError as error:
                outcomes.bury([event], str(error))
            except SQLAlchemyError:
                raise
            except Exception as error:
                outcomes.retry([event], place_of(error))

    def _deliver_all(self, groups: Sequence[News], outcomes: Outcomes) -> None:
        unanswered: list[tuple[News, RemoteUnavailable]] = []
        for news in groups:
            if not outcomes.holds(news.events):
                continue
            try:
                self._deliver(news, outcomes)
            except RemoteUnavailable as error:
                unanswered.append((news, error))
                if len(unanswered) >= OUTAGE:
                    self._put_last(unanswered, outcomes)
                    raise _outage(error) from error
            except RemoteRefused as error:
                outcomes.bury(news.events, str(error))
                _retry_all(unanswered, outcomes)  # Thiio is there: it said no
            except InvalidRecord as error:
                outcomes.bury(news.events, str(error))
            except (UltraThiioError, SQLAlchemyError):
                raise
            except Exception as error:
                outcomes.retry(news.events, place_of(error))
            else:
                if not news.is_echo:  # of which Thiio was told nothing
                    _retry_all(unanswered, outcomes)
        _retry_all(unanswered, outcomes)

    def _put_last(self, unanswered: Sequence[tuple[News, RemoteUnavailable]], outcomes: Outcomes) -> None:
        """Let what met an outage wait for longer than the rest: if it is at fault, the rest gets past it."""
        due_at = datetime.now(UTC) + 2 * timedelta(seconds=self._settings.inbox.pause_seconds)
        for news, error in unanswered:
            outcomes.pause(news.events, str(error), due_at)

    def _deliver(self, news: News, outcomes: Outcomes) -> None:
        record, thiio_id = news.record, news.thiio_id or news.pushed_from
        remark = None
        if news.is_echo:
            thiio_id, remark = news.pushed_from, ECHO
        elif isinstance(record, Order):
            thiio_id = self._thiio.deliver_order(record, news.told_event, thiio_id)
        elif isinstance(record, Customer):
            thiio_id = self._thiio.deliver_customer(record, news.thiio_id)
        rule = "push" if news.pushed_from else "delivered"
        linked = None if thiio_id is None else Link(news.entity, news.id, thiio_id, rule)
        outcomes.done(news.events, remark, linked)


def _silence(abandoned: Abandoned) -> str:
    tries = f"try {abandoned.event.attempts}"
    last = ", its last" if abandoned.is_dead else ""
    return f"Its worker {abandoned.worker} ended without a word during {tries}{last}."


def _outage(error: RemoteUnavailable) -> RemoteUnavailable:
    return RemoteUnavailable(
        f"Thiio did not answer for {OUTAGE} records in a row. All others wait, no attempt is lost. {error}",
        system=error.system,
        status=error.status,
        retry_after_seconds=error.retry_after_seconds,
    )


def _retry_all(unanswered: list[tuple[News, RemoteUnavailable]], outcomes: Outcomes) -> None:
    for news, error in unanswered:
        outcomes.retry(news.events, str(error))
    unanswered.clear()
