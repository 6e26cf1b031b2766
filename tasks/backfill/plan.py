"""What a backfill is going to do, written for the person who has to say yes to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from tasks.backfill.calls import Calls
from tasks.backfill.job import Job, write_width
from tasks.records.models import Window
from tasks.records.windows import PlannedWindow
from tasks.ultracart.budget import Budget, Limits, foresee

WINDOW_SECONDS = 1.0
"""What a window takes besides its calls: measured with some hundred records in it, on two cores."""
SHOWN = 100
"""Windows that the artifact lists."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A backfill before it begins. `again` counts the finished windows that are done once more."""

    job: Job
    windows: Sequence[PlannedWindow]
    again: int
    calls: Calls
    seconds_a_call: float
    budget: Budget
    limits: Limits
    now: datetime
    rejected_retention_days: int
    is_dry_run: bool

    @property
    def to_do(self) -> list[Window]:
        """Give the windows that are still to be done, oldest first."""
        return [each.window for each in self.windows if not each.is_done]

    @property
    def done(self) -> int:
        """Count the windows that are done, and will be skipped."""
        return len(self.windows) - len(self.to_do)

    def answer(self) -> str:
        """Say in a line what is to do and when it is done."""
        windows = f"{len(self.to_do):,} of {count(len(self.windows), 'window')} to do"
        if not self.to_do:
            return f"{windows}."
        if not self.calls.likely:
            return f"{windows}, no calls to UltraCart, done {self._finish()}."
        return f"{windows}, about {self.calls.likely:,} calls to UltraCart, done {self._finish()}."

    def markdown(self) -> str:
        """Write the plan as the artifact shows it."""
        times = f"{self.job.start:%Y-%m-%d %H:%M} … {self.job.end:%Y-%m-%d %H:%M} UTC"
        nothing_read = " Nothing was read: this is the plan." if self.is_dry_run else ""
        facts = "\n".join(f"| {name} | {value} |" for name, value in self._facts())
        return (
            f"# Backfill {times}\n\n**{self.answer()}**{nothing_read}\n\n"
            f"| | |\n| --- | --- |\n{facts}\n\n{self._list_windows()}"
        )

    def _facts(self) -> list[tuple[str, str]]:
        job, limits = self.job, self.limits
        facts = [("What", f"{job.what}, in windows of {write_width(job.width)}"), ("Windows", self._count())]
        if job.end > self.now:
            facts.append(
                ("Until", f"{self.now:%Y-%m-%d %H:%M} UTC, which is now: what is to come comes later")
            )
        if self.calls.likely:
            facts += [
                ("Calls", self._count_calls()),
                (
                    "Budget",
                    f"{limits.calls_per_hour:,} calls an hour and {limits.calls_per_day:,} a day, of which "
                    f"{self.budget.hour_level:,.0f} and {self.budget.day_level:,.0f} are used now",
                ),
            ]
        if self.to_do:
            alone = " if nobody else calls UltraCart" if self.calls.likely else ""
            facts += [
                ("Time", f"about {write_duration(self._finish_at - self.now)}{alone}"),
                ("Done", self._finish() + (" if it is started now" if self.is_dry_run else "")),
            ]
        kept_since = self.now - timedelta(days=self.rejected_retention_days)
        if job.start < kept_since:
            facts.append(
                (
                    "Gone",
                    f"UltraCart deletes rejected orders after {self.rejected_retention_days} days: none is "
                    f"left of before {kept_since:%Y-%m-%d}. Others it keeps as long as the merchant's "
                    "retention setting says. What it has deleted cannot be read",
                )
            )
        return facts

    def _count(self) -> str:
        total = f"{len(self.windows):,} in all"
        if self.again:
            return f"{total}, {count(self.again, 'finished one')} to be done again"
        return f"{total}, {self.done:,} done earlier and skipped, {len(self.to_do):,} to do"

    def _count_calls(self) -> str:
        least = (
            f"at least {self.calls.least:,}: {self.job.least_calls_a_window} a window, 2 for the catalogue"
        )
        if self.calls.likely == self.calls.least:
            return least
        return f"{least}; about {self.calls.likely:,} by what our mirror knows of that time"

    @cached_property
    def _finish_at(self) -> datetime:
        called = foresee(self.budget, self.limits, self.calls.likely, self.seconds_a_call, self.now)
        return called + timedelta(seconds=WINDOW_SECONDS * len(self.to_do))

    def _finish(self) -> str:
        return f"about {self._finish_at:%Y-%m-%d %H:%M} UTC"

    def _list_windows(self) -> str:
        rows = "\n".join(
            f"| {each.window.start:%Y-%m-%d %H:%M} | {each.window.end:%Y-%m-%d %H:%M} | {write_state(each)} |"
            for each in self.windows[:SHOWN]
        )
        rest = len(self.windows) - SHOWN
        more = f"\n… and {rest:,} more.\n" if rest > 0 else ""
        return f"| from (UTC) | until (UTC) | |\n| --- | --- | --- |\n{rows}\n{more}"


def write_state(window: PlannedWindow) -> str:
    """Say where a window stands."""
    return f"done, {count(window.row_count, 'record')}" if window.is_done else "to do"


def write_duration(duration: timedelta) -> str:
    """Write a duration for people, rounded up: 2 minutes, 3.4 hours."""
    minutes = duration.total_seconds() / 60
    return f"{minutes / 60:,.1f} hours" if minutes >= 90 else count(max(1, round(minutes)), "minute")


def count(number: int, noun: str) -> str:
    """Write a number with its noun: 1 window, 2 windows."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
