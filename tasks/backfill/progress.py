"""How far a backfill has come, and when it will be done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tasks.backfill.plan import count
from tasks.records.models import Window
from tasks.records.windows import PlannedWindow
from tasks.ultracart.budget import Budget, Limits, foresee


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Where a job stands `now`. `calls` and `done_now` are this run's, which began at `started_at`."""

    windows: Sequence[PlannedWindow]
    done_now: int
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
        """Give the share of windows that are done, 0 to 100."""
        return 100.0 * self.done / len(self.windows) if self.windows else 100.0

    def finish_at(self) -> datetime | None:
        """Say when all is done, at this run's pace and within UltraCart's limits; None if it is too early."""
        if self.left == 0:
            return self.now
        if self.done_now == 0:
            return None
        elapsed = self.now - self.started_at
        at_this_pace = self.now + elapsed * (self.left / self.done_now)
        if not self.calls:
            return at_this_pace
        calls_left = round(self.calls * self.left / self.done_now)
        within_limits = foresee(
            self.budget, self.limits, calls_left, elapsed.total_seconds() / self.calls, self.now
        )
        return max(at_this_pace, within_limits)

    def markdown(self) -> str:
        """Write it as the artifact shows it below the bar."""
        next_window, finish = self._next(), self.finish_at()
        facts = [
            ("Windows", f"{self.done:,} done, {self.left:,} left of {len(self.windows):,}"),
            ("Records read", f"{self.records:,}"),
            ("Calls to UltraCart", f"{self.calls:,} in this run"),
        ]
        if next_window:
            facts.append(
                ("Next", f"{next_window.start:%Y-%m-%d %H:%M} … {next_window.end:%Y-%m-%d %H:%M} UTC")
            )
            when = f"about {finish:%Y-%m-%d %H:%M} UTC" if finish else "told after the first window"
            facts.append(("Expected finish", when))
        else:
            facts.append(("Finished", f"{self.now:%Y-%m-%d %H:%M} UTC"))
        rows = "\n".join(f"| {name} | {value} |" for name, value in facts)
        return f"| | |\n| --- | --- |\n{rows}\n"

    def answer(self) -> str:
        """Say in a line how far it has come."""
        return f"{count(self.done, 'window')} done, {self.left:,} left."

    def _next(self) -> Window | None:
        """Give the window after the last that is done; what was left behind before it comes last."""
        left = [each.window for each in self.windows if not each.is_done]
        reached = max((each.window.end for each in self.windows if each.is_done), default=None)
        ahead = [window for window in left if reached is None or window.start >= reached]
        return next(iter(ahead or left), None)
