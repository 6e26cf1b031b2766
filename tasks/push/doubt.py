"""When a push in doubt is looked up again, and when it counts as lost on the way: arithmetic, no calls.

UltraCart may still be at work on an import that we gave up waiting for, and its look-up may lag. So time has
to pass, and the look-ups are spread over it.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from tasks.push.outbox import Push
from tasks.settings import PushSettings

LONGEST_WAIT = timedelta(hours=1)
ALARM_AFTER = timedelta(hours=2)
"""A push that is in doubt for longer than this needs a person."""


def next_lookup_at(push: Push, now: datetime, settings: PushSettings) -> datetime:
    """Say when a push that was just looked up in vain is due again; the waits double, up to an hour.

    A wait that would pass over the moment from which it may count as lost ends there.
    """
    seconds = settings.lookup_again_seconds * 2 ** min(push.lookups, 20)
    due = now + min(timedelta(seconds=seconds), LONGEST_WAIT)
    settled = _settled_at(push, settings)
    return settled if settled is not None and now < settled < due else due


def why_not_lost(push: Push, lookups: int, now: datetime, settings: PushSettings) -> str | None:
    """Say why so many empty look-ups do not prove yet that a push never arrived; None if they do."""
    if lookups < settings.lookup_attempts:
        return f"{lookups} of {settings.lookup_attempts} look-ups were empty"
    settled = _settled_at(push, settings)
    if settled is None:
        return "it is not known when it was sent"
    if now < settled:
        return f"UltraCart may be at work on it until {settled:%H:%M:%S} UTC"
    return None


def is_due(push: Push, now: datetime) -> bool:
    """Tell whether it is time to look a push up."""
    return push.next_lookup_at is None or push.next_lookup_at <= now


def is_alarming(push: Push, now: datetime) -> bool:
    """Tell whether a push is in doubt for so long that a person should know."""
    return push.sent_at is not None and now - push.sent_at > ALARM_AFTER


def _settled_at(push: Push, settings: PushSettings) -> datetime | None:
    return None if push.sent_at is None else push.sent_at + timedelta(minutes=settings.absence_minutes)
