"""How far a backfill has come, and when it will be done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tasks.backfill.plan import count
from tasks.records.models import Window
from tasks.records.windows import PlannedWindow
from tasks.ultracart.budget import Budget, Limits, foresee

LAST_WINDOWS = 10
"""The pace is theirs: a stretch begins with thin windows and becomes denser, or the other way round."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Where a job stands `now`. `calls` are those of this run, which began at `started_at`."""

    windows: Sequence[PlannedWindow]
    calls: int
    started_at: datetime
    now: datetime
    budget: Budget
    limits: Limits

    @property
    def done(self) -> int:
        """Count the windows that are done, in this run or an earlier one."""
        return sum(each.is_done for each in self.windows)

    @property
    def left(self) -> int:
        """Count the windows that are not done."""
        return len(self.windows) - self.done

    @property
    def records(self) -> int:
        """Count the records that were read, in this run or an earlier one."""
        return sum(each.row_count for each in self.windows)

    @property
    def percent(self) -> float:
        """Give the share of windows that are done, 0 to 100, to one decimal."""
        return round(100.0 * self.done / len(self.windows), 1) if self.windows else 100.0

    def finish_at(self) -> datetime | None:
        """Say when all is done, at the last windows' pace, within UltraCart's limits; None if too early."""
        if self.left == 0:
            return self.now
        done_at = sorted(
            each.done_at for each in self.windows if each.done_at and each.done_at > self.started_at
        )
        if not done_at:
            return None
        marks = [self.started_at, *done_at][-LAST_WINDOWS - 1 :]
        pace = (marks[-1] - marks[0]) / (len(marks) - 1)
        calls_left = round(self.calls * self.left / len(done_at))
        # The calls' own time is in the pace: what counts here is when UltraCart takes the last of them.
        return max(self.now + self.left * pace, foresee(self.budget, self.limits, calls_left, 0.0, self.now))

    def markdown(self) -> str:
        """Write it as the artifact shows it above the bar."""
        next_window, finish = self._next(), self.finish_at()
        facts = [
            f"{self.done:,} of {count(len(self.windows), 'window')} done, {self.left:,} left",
            f"{count(self.records, 'record')} read, {count(self.calls, 'call')} to UltraCart in this run",
        ]
        if next_window:
            when = f"about {finish:%Y-%m-%d %H:%M} UTC" if finish else "told after the first window"
            facts += [
                f"In work: {next_window.start:%Y-%m-%d %H:%M} … {next_window.end:%Y-%m-%d %H:%M} UTC",
                f"Expected finish: {when}",
            ]
        else:
            facts.append(f"Finished: {self.now:%Y-%m-%d %H:%M} UTC")
        return "\n".join(f"- {fact}" for fact in facts)

    def answer(self) -> str:
        """Say in a line how far it has come."""
        return f"{count(self.done, 'window')} done, {self.left:,} left."

    def _next(self) -> Window | None:
        """Give the window after the last that is done; what was left behind before it comes last."""
        left = [each.window for each in self.windows if not each.is_done]
        reached = max((each.window.end for each in self.windows if each.is_done), default=None)
        ahead = [window for window in left if reached is None or window.start >= reached]
        return next(iter(ahead or left), None)
