"""How many calls UltraCart still takes: two leaky buckets, one call in flight.

Source: www.ultracart.com/api, "Rate limits": 1,000 calls an hour and 10,000 a day for each application,
without a fixed reset, and no two calls at the same time. Everything here is arithmetic; `pacing.py` keeps the
figures.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

HOUR_SECONDS = 3_600.0
DAY_SECONDS = 86_400.0
RESUME_SHARE = 0.1
"""Once the day's calls are used up, nobody calls before this share of them is free again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits of a key."""

    calls_per_hour: int
    calls_per_day: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Where a key stands; times are aware UTC."""

    hour_level: float = 0.0
    day_level: float = 0.0
    counted_at: datetime
    held_until: datetime | None = None
    blocked_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Wait:
    """No call now: wait so long, and why, for people. `is_short` if it is only another call's turn."""

    seconds: float
    reason: str
    is_short: bool = False


def leak(budget: Budget, limits: Limits, now: datetime) -> Budget:
    """Let both buckets run out until `now`; a clock that went back leaks nothing."""
    seconds = max(0.0, (now - budget.counted_at).total_seconds())
    return replace(
        budget,
        hour_level=max(0.0, budget.hour_level - seconds * limits.calls_per_hour / HOUR_SECONDS),
        day_level=max(0.0, budget.day_level - seconds * limits.calls_per_day / DAY_SECONDS),
        counted_at=max(now, budget.counted_at),
    )


def why_wait(budget: Budget, limits: Limits, now: datetime) -> Wait | None:
    """Say why no call may be made `now`, or None if one may. `budget` has leaked until `now`."""
    if budget.held_until is not None and budget.held_until > now:
        # Looked at again soon: the other call gives its turn back long before this.
        return Wait((budget.held_until - now).total_seconds(), "another call is in flight", is_short=True)
    if budget.blocked_until is not None and budget.blocked_until > now:
        return Wait((budget.blocked_until - now).total_seconds(), "UltraCart said to wait")
    if budget.day_level + 1 > limits.calls_per_day:
        surplus = budget.day_level - limits.calls_per_day * (1 - RESUME_SHARE)
        seconds = surplus * DAY_SECONDS / limits.calls_per_day
        return Wait(seconds, f"{limits.calls_per_day:,} calls a day are used up")
    if budget.hour_level + 1 > limits.calls_per_hour:
        surplus = budget.hour_level + 1 - limits.calls_per_hour
        seconds = surplus * HOUR_SECONDS / limits.calls_per_hour
        return Wait(seconds, f"{limits.calls_per_hour:,} calls an hour are used up")
    return None


def spend(budget: Budget, now: datetime, hold_seconds: float) -> Budget:
    """Count a call that begins `now` and takes its turn for at most `hold_seconds`."""
    return replace(
        budget,
        hour_level=budget.hour_level + 1,
        day_level=budget.day_level + 1,
        held_until=now + timedelta(seconds=hold_seconds),
    )


def foresee(budget: Budget, limits: Limits, calls: int, seconds_a_call: float, now: datetime) -> datetime:
    """Say when so many calls are through if they begin `now`, one after the other, and nobody else calls.

    It goes through them one by one, by the same rules as the calls themselves.
    """
    budget = leak(budget, limits, now)
    for _ in range(calls):
        while wait := why_wait(budget, limits, now):
            # A little longer, lest what a float cannot hold leaves the call a hair short of its turn.
            now += timedelta(seconds=wait.seconds + 0.001)
            budget = leak(budget, limits, now)
        budget = spend(budget, now, 0.0)
        now += timedelta(seconds=seconds_a_call)
        budget = leak(budget, limits, now)
    return now
