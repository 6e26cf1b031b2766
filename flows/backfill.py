"""The flow `backfill`: read and compare any stretch of time again, window by window."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from prefect import State, Task, flow
from prefect.artifacts import acreate_markdown_artifact, acreate_progress_artifact, aupdate_progress_artifact
from prefect.client.schemas.objects import StateType
from prefect.deployments import arun_deployment
from prefect.runtime import deployment
from pydantic import AwareDatetime, BaseModel, Field, model_validator

from tasks.errors import BudgetSpent
from tasks.reconcile.steps import reconcile_customers_window, reconcile_orders_window
from tasks.records.steps import finish_window, plan_windows
from tasks.thiio.steps import pull_thiio_catalogue, pull_thiio_customers, pull_thiio_orders
from tasks.ultracart.steps import (
    pull_ultracart_catalogue,
    pull_ultracart_customers,
    pull_ultracart_orders,
)

REQUESTS_A_WINDOW = 6
"""At least one customer page and one page of each of the five order queries."""
REQUESTS_AN_HOUR = 1_000
"""UltraCart's limit for one API key (www.ultracart.com/api, rate limiting)."""


class Backfill(BaseModel):
    """Which stretch of time to read and compare again."""

    start: AwareDatetime = Field(title="From", description="First moment (inclusive), with time zone.")
    end: AwareDatetime = Field(title="Until", description="Last moment (exclusive), with time zone.")
    window_days: int = Field(
        7, title="Days a window", ge=1, le=92, description="The stretch is done in windows of this length."
    )
    dry_run: bool = Field(
        True, title="Plan only", description="On: show the windows and requests, read nothing."
    )

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> Backfill:
        if self.end <= self.start:
            raise ValueError(f"'Until' ({self.end}) must be later than 'From' ({self.start}).")
        return self


@flow(name="backfill", flow_run_name="backfill {options.start:%Y-%m-%d}…{options.end:%Y-%m-%d}")
async def backfill(options: Backfill) -> dict[str, Any] | State[Any]:
    """Cut the stretch into windows, show the plan, then pull and reconcile one window after the other.

    A window that is done stays done: a killed or cancelled backfill goes on where it stopped when it is
    started again with the same times. When UltraCart's calls of the day are used up it ends, and a run that
    goes on is planned for the time when there are calls again.
    """
    job = f"backfill {options.start.isoformat()}…{options.end.isoformat()} by {options.window_days} days"
    windows = plan_windows(job, options.start, options.end, options.window_days, options.dry_run)
    await acreate_markdown_artifact(key="backfill-plan", markdown=_plan(options, windows))
    if options.dry_run:
        return {"windows": len(windows), "done": 0}

    progress = await acreate_progress_artifact(0.0, key="backfill-progress", description=job)
    done = 0
    try:
        pull_ultracart_catalogue()
        pull_thiio_catalogue()
        for start, end in windows:
            pulled = pull_ultracart_customers(start, end) | pull_ultracart_orders(start, end)
            pulled |= pull_thiio_customers(start, end) | pull_thiio_orders(start, end)
            patient(reconcile_customers_window)(start, end)
            patient(reconcile_orders_window)(start, end)
            finish_window(job, start, end, sum(pulled.values()))
            done += 1
            await aupdate_progress_artifact(progress, 100.0 * done / len(windows))
    except BudgetSpent as spent:
        return await _go_on_later(options, spent, f"Windows done: {done}, left: {len(windows) - done}.")
    return {"windows": len(windows), "done": done}


async def _go_on_later(options: Backfill, spent: BudgetSpent, done: str) -> State[Any]:
    """Plan a run of the same deployment for the time when UltraCart takes calls again."""
    if deployment.id is None:
        goes_on = "Start it again with the same times after that."
    else:
        await arun_deployment(
            UUID(deployment.id),
            parameters={"options": options.model_dump(mode="json")},
            scheduled_time=spent.resumes_at,
            timeout=0,
            as_subflow=False,
        )
        goes_on = "A run that goes on by itself is planned for then."
    message = f"{spent} {done} {goes_on}"
    return State(type=StateType.CANCELLED, name="WaitingForBudget", message=message)


def patient(step: Task[[datetime, datetime], dict[str, int]]) -> Task[[datetime, datetime], dict[str, int]]:
    """Let a step wait for an hourly run that compares the same records at this moment."""
    return step.with_options(retries=20, retry_delay_seconds=6)


def _plan(options: Backfill, windows: list[tuple[datetime, datetime]]) -> str:
    requests = len(windows) * REQUESTS_A_WINDOW
    rows = "\n".join(f"| {start:%Y-%m-%d %H:%M} | {end:%Y-%m-%d %H:%M} |" for start, end in windows[:100])
    more = f"\n\n… and {len(windows) - 100} more windows." if len(windows) > 100 else ""
    return (
        f"# Backfill {options.start:%Y-%m-%d} … {options.end:%Y-%m-%d}\n\n"
        f"{len(windows)} windows to do, at least {requests} requests to UltraCart, "
        f"at least {requests / REQUESTS_AN_HOUR:.1f} hours of its hourly limit."
        f"{' Nothing was read: this is the plan.' if options.dry_run else ''}\n\n"
        f"| from (UTC) | until (UTC) |\n| --- | --- |\n{rows}{more}\n"
    )
