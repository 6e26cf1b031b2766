"""UltraCart's leaky bucket: so many calls an hour, leaking evenly, without a fixed reset."""

from __future__ import annotations

import time

HOUR_SECONDS = 3_600


class LeakyBucket:
    """Counts calls; None for `per_hour` takes any number. UltraCart's own limit is 1,000 an hour."""

    def __init__(self, per_hour: int | None) -> None:
        self._per_hour = per_hour
        self._level = 0.0
        self._seen_at = time.monotonic()

    def take(self) -> str | None:
        """Count a call, or give UltraCart's words for one too many."""
        if self._per_hour is None:
            return None
        now = time.monotonic()
        self._level = max(0.0, self._level - (now - self._seen_at) * self._per_hour / HOUR_SECONDS)
        self._seen_at = now
        if self._level + 1 > self._per_hour:
            return f"rate of {self._per_hour} per {HOUR_SECONDS} second(s) exceeded."
        self._level += 1
        return None
