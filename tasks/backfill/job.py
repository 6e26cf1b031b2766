"""What a backfill is to read and compare, and the name under which its finished windows are remembered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tasks.records.choices import Kinds, PullFrom
from tasks.records.models import Entity, Side

CALLS_A_WINDOW = {Entity.CUSTOMER: 1, Entity.ORDER: 5}
"""Lists of UltraCart that are read for a window: see `UltraCartClient.iter_changed_orders`."""
CATALOGUE_CALLS = 2
"""Items and gateways, once a run."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """A stretch [start, end) in windows of `width`; times are aware UTC."""

    start: datetime
    end: datetime
    width: timedelta
    side: PullFrom
    kinds: Kinds

    @property
    def key(self) -> str:
        """Name it: another width, side or kind of records is another job. At most 120 characters."""
        times = "…".join(f"{time.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}" for time in (self.start, self.end))
        return f"backfill:{self.kinds}:{self.side}:{times}:{self.width // timedelta(hours=1)}h"

    @property
    def is_compared(self) -> bool:
        """Tell whether each window is compared: only if both sides were read of the same time."""
        return self.side is PullFrom.BOTH

    @property
    def least_calls_a_window(self) -> int:
        """Give the calls to UltraCart that a window takes even if there is nothing in it."""
        if not self.side.has(Side.ULTRACART):
            return 0
        return sum(CALLS_A_WINDOW[entity] for entity in self.kinds.entities)

    @property
    def what(self) -> str:
        """Say what is read, and whether it is compared."""
        kinds = "customers and orders" if self.kinds is Kinds.BOTH else self.kinds.value
        sides = {PullFrom.ULTRACART: "UltraCart", PullFrom.THIIO: "Thiio"}.get(self.side, "both sides")
        return f"{kinds} of {sides}, {'read and compared' if self.is_compared else 'read, not compared'}"


def write_width(width: timedelta) -> str:
    """Write a window's width for people: 7 days, 1 day, 6 hours."""
    number, unit = (width.days, "day") if width.seconds == 0 else (width // timedelta(hours=1), "hour")
    return f"{number} {unit}{'' if number == 1 else 's'}"
