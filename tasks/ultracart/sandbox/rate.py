"""UltraCart's leaky buckets: so many calls an hour and a day, leaking evenly, without a fixed reset."""

from __future__ import annotations

import time

HOUR_SECONDS = 3_600
DAY_SECONDS = 86_400


class LeakyBucket:
    """Counts the calls of one period."""

    def __init__(self, limit: int, seconds: int) -> None:
        self._limit = limit
        self._seconds = seconds
        self._level = 0.0
        self._seen_at = time.monotonic()

    def take(self) -> str | None:
        """Count a call, or give UltraCart's words for one too many (its page 1498382337)."""
        now = time.monotonic()
        self._level = max(0.0, self._level - (now - self._seen_at) * self._limit / self._seconds)
        self._seen_at = now
        if self._level + 1 > self._limit:
            return f"rate of {self._limit} per {self._seconds} second(s) exceeded."
        self._level += 1
        return None


class CallLimits:
    """The limits of an application; None takes any number. UltraCart's own are 1,000 and 10,000."""

    def __init__(self, per_hour: int | None = None, per_day: int | None = None) -> None:
        limits = ((per_day, DAY_SECONDS), (per_hour, HOUR_SECONDS))
        self._buckets = [LeakyBucket(limit, seconds) for limit, seconds in limits if limit is not None]

    def take(self) -> str | None:
        """Count a call, or say which limit it exceeds."""
        return next(filter(None, (bucket.take() for bucket in self._buckets)), None)
