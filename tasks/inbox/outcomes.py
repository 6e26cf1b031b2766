"""What became of the events of a claim, written down in as few transactions as are safe.

Each outcome moves its events, links their record and leaves a notification an event, all in one transaction.
What another worker has taken meanwhile is neither moved nor told of.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, Engine

from tasks.inbox import event_queue
from tasks.inbox.event_queue import Claim
from tasks.inbox.events import Event, EventState, FoundBy
from tasks.notifications.log import Notification, NotificationStatus, save_notifications
from tasks.records.links import Link, forget_gone, link_pairs
from tasks.settings import InboxSettings

logger = logging.getLogger(__name__)

OUTCOMES_A_WRITE = 500
SECONDS_A_WRITE = 5.0
"""A worker that is killed has delivered this much at most without having written it down; see `Outcomes`."""
TAKEN_OVER = "Another worker has other events of its record."
STATUS = {
    EventState.DONE: NotificationStatus.SUCCESSFUL,
    EventState.SKIPPED: NotificationStatus.SKIPPED,
    EventState.DEAD: NotificationStatus.FAILED,
    EventState.WAITING: NotificationStatus.FAILED,
}
COUNTED_AS = {
    EventState.DONE: "done",
    EventState.SKIPPED: "skipped",
    EventState.DEAD: "dead",
    EventState.WAITING: "retried",
    None: "paused",
}
SAID_OF = {EventState.DEAD: "is dead", EventState.WAITING: "waits for another try"}


@dataclass(slots=True)
class ApplyCounts:
    """What became of a claim's events; `failures` are sentences about those that are dead or must try again.

    `paused` wait without a lost attempt; `lost` were taken by another worker, since ours was too slow.
    """

    claimed: int = 0
    done: int = 0
    skipped: int = 0
    retried: int = 0
    paused: int = 0
    lost: int = 0
    dead: int = 0
    failures: list[str] = field(default_factory=list)

    def add(self, other: ApplyCounts) -> None:
        """Add another claim's counts."""
        for name, value in asdict(other).items():
            setattr(self, name, getattr(self, name) + value)

    def note(self, state: EventState | None, events: Sequence[Event], reason: str | None) -> None:
        """Count events that went into a state; None: paused."""
        name = COUNTED_AS[state]
        setattr(self, name, getattr(self, name) + len(events))
        if state in SAID_OF:
            self.failures += [f"{name_of(event)} {SAID_OF[state]}: {reason}" for event in events]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome:
    """What is to be written of some events; `state` None puts them down without counting the attempt."""

    events: Sequence[Event]
    state: EventState | None
    reason: str | None = None
    due_at: datetime | None = None
    linked: Link | None = None


class Outcomes:
    """Collects the outcomes of one claim. `write` must be called at the end.

    Where a delivery may be repeated without harm, outcomes are written together: a commit costs more than a
    delivery. `is_repeatable` False writes each at once.
    """

    def __init__(
        self,
        engine: Engine,
        settings: InboxSettings,
        claim: Claim,
        run_id: str | None,
        *,
        is_repeatable: bool,
    ) -> None:
        self.counts = ApplyCounts(claimed=len(claim.events))
        self._engine = engine
        self._settings = settings
        self._token = claim.token
        self._lease_until = claim.until
        self._held = {event.id for event in claim.events}
        self._run_id = run_id
        self._waiting: list[_Outcome] = []
        self._outcomes_a_write = OUTCOMES_A_WRITE if is_repeatable else 1
        self._written_at = time.monotonic()

    def holds(self, events: Sequence[Event]) -> bool:
        """Tell whether all of these events are still ours; a lease that is half over is renewed for that."""
        half = timedelta(seconds=self._settings.lease_seconds / 2)
        if now() > self._lease_until - half:
            self.write()
        held = [event for event in events if event.id in self._held]
        if len(held) == len(events):
            return True
        logger.warning("Another worker has taken over %s; this one was too slow.", name_of(events[0]))
        self.counts.lost += len(events) - len(held)
        if held:  # they belong with those that the other has
            self.pause(held, TAKEN_OVER, now())
        return False

    def done(self, events: Sequence[Event], remark: str | None = None, linked: Link | None = None) -> None:
        """Close events as done and remember what their record was delivered to."""
        self._add(_Outcome(events=events, state=EventState.DONE, reason=remark, linked=linked))

    def skip(self, event: Event, reason: str) -> None:
        """Close an event of which there is nothing to do."""
        self._add(_Outcome(events=[event], state=EventState.SKIPPED, reason=reason))

    def bury(self, events: Sequence[Event], reason: str) -> None:
        """Close events that can never be handled as they are."""
        self._add(_Outcome(events=events, state=EventState.DEAD, reason=reason))

    def retry(self, events: Sequence[Event], reason: str) -> None:
        """Let events wait for another try, longer each time; after its last one an event is dead."""
        last = self._settings.max_attempts
        if tired := [event for event in events if event.attempts >= last]:
            self.bury(tired, f"{reason} That was the last of {last} tries.")
        for event in events:
            if event.attempts < last:
                due_at = now() + timedelta(seconds=self._wait_after(event.attempts))
                self._add(_Outcome(events=[event], state=EventState.WAITING, reason=reason, due_at=due_at))

    def pause(self, events: Sequence[Event], reason: str, due_at: datetime) -> None:
        """Put events down until `due_at` without counting the attempt: nothing is wrong with them."""
        self._add(_Outcome(events=events, state=None, reason=reason, due_at=due_at))

    def pause_rest(self, reason: str, due_at: datetime) -> None:
        """Write what was collected, and put down all that the claim still holds."""
        self.write()
        with self._engine.begin() as connection:
            paused = event_queue.give_back(connection, self._token, sorted(self._held), reason, due_at=due_at)
        self.counts.paused += len(paused)
        self._held = set()

    def write(self) -> None:
        """Write what was collected, and hold on to the rest for another lease."""
        until = now() + timedelta(seconds=self._settings.lease_seconds)
        with self._engine.begin() as connection:
            moved = self._move(connection)
            written = [(outcome, [e for e in outcome.events if e.id in moved]) for outcome in self._waiting]
            links = [outcome.linked for outcome, events in written if outcome.linked and events]
            forget_gone(connection, links)
            link_pairs(connection, links)
            told = [
                notification_of(event, STATUS[outcome.state], outcome.reason)
                for outcome, events in written
                if outcome.state is not None
                for event in events
            ]
            save_notifications(connection, told, run_id=self._run_id)
            self._held = event_queue.renew_lease(connection, self._token, until=until)
        for outcome, events in written:
            self.counts.note(outcome.state, events, outcome.reason)
            self.counts.lost += len(outcome.events) - len(events)
        self._waiting = []
        self._lease_until = until
        self._written_at = time.monotonic()

    def _add(self, outcome: _Outcome) -> None:
        self._waiting.append(outcome)
        is_late = time.monotonic() - self._written_at > SECONDS_A_WRITE
        if len(self._waiting) >= self._outcomes_a_write or is_late:
            self.write()

    def _move(self, connection: Connection) -> set[int]:
        """Move the events, those with the same fate together, and give the ids that were ours to move."""
        fates: dict[tuple[EventState | None, str, datetime | None], list[int]] = {}
        for outcome in self._waiting:
            fate = (outcome.state, outcome.reason or "", outcome.due_at)
            if outcome.state is EventState.DONE:
                fate = (outcome.state, "", None)  # its remark is for the notification
            fates.setdefault(fate, []).extend(event.id for event in outcome.events)
        moved: set[int] = set()
        for (state, reason, due_at), ids in fates.items():
            moved |= self._move_to(connection, state, ids, reason, due_at or now())
        return moved

    def _move_to(
        self, connection: Connection, state: EventState | None, ids: list[int], reason: str, due_at: datetime
    ) -> set[int]:
        match state:
            case EventState.DONE:
                return event_queue.finish(connection, self._token, ids, now=now())
            case EventState.SKIPPED:
                return event_queue.skip(connection, self._token, ids, reason, now=now())
            case EventState.DEAD:
                return event_queue.bury(connection, self._token, ids, reason, now=now())
            case EventState.WAITING:
                return event_queue.retry_later(connection, self._token, ids, reason, due_at=due_at)
            case _:
                return event_queue.give_back(connection, self._token, ids, reason, due_at=due_at)

    def _wait_after(self, attempts: int) -> float:
        doublings: int = 2 ** (attempts - 1)
        wait = min(self._settings.retry_base_seconds * doublings, self._settings.retry_cap_seconds)
        # Spread out, so that what failed together does not come back together.
        return wait * random.uniform(0.75, 1.25)  # noqa: S311  # nothing secret hangs on it


def notification_of(event: Event, status: NotificationStatus, reason: str | None) -> Notification:
    """Tell of an event; what was received is its payload, which is kept once, with the event."""
    tried = f"Try {event.attempts}" if event.attempts > 1 else ""
    by = "repair" if event.found_by == FoundBy.REPAIR else "person"
    replayed = f"put back by a {by}" if event.replays else ""
    about = ", ".join(part for part in (tried, replayed) if part)
    return Notification(
        direction="in",
        system=event.source,
        operation=event.name,
        status=status,
        reason=": ".join(part for part in (about, reason) if part) or None,
        entity=event.entity,
        entity_id=event.entity_id,
        event_id=event.id,
    )


def name_of(event: Event) -> str:
    """Name an event for people."""
    return f"inbox event {event.id} ({event.name} {event.entity_id or 'without id'})"


def now() -> datetime:
    """Give the time, aware UTC."""
    return datetime.now(UTC)
