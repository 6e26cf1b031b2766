"""The flow `backfill`: read and compare any stretch of time again, window by window."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from prefect import State, flow
from prefect.artifacts import acreate_markdown_artifact, acreate_progress_artifact, aupdate_progress_artifact
from prefect.client.schemas.objects import StateType
from prefect.deployments import arun_deployment
from prefect.runtime import deployment
from prefect.states import Cancelled, Completed
from pydantic import AwareDatetime, BaseModel, Field, model_validator

from tasks.backfill.job import Job
from tasks.backfill.steps import finish_window, is_anything_in, look_at_progress, plan_backfill
from tasks.database.steps import patient
from tasks.errors import BudgetSpent, LeaseHeld, RecordsFailed, fail_if_any
from tasks.reconcile.steps import reconcile_customers_window, reconcile_orders_window
from tasks.records.choices import Kinds, PullFrom
from tasks.records.models import Entity, Side
from tasks.records.windows import check_times
from tasks.thiio.steps import pull_thiio_catalogue, pull_thiio_customers, pull_thiio_orders
from tasks.ultracart.steps import (
    pull_ultracart_catalogue,
    pull_ultracart_customers,
    pull_ultracart_orders,
)

MOST_WINDOWS = 10_000
CATALOGUES = {Side.ULTRACART: pull_ultracart_catalogue, Side.THIIO: pull_thiio_catalogue}
PULLS = {
    (Side.ULTRACART, Entity.CUSTOMER): pull_ultracart_customers,
    (Side.ULTRACART, Entity.ORDER): pull_ultracart_orders,
    (Side.THIIO, Entity.CUSTOMER): pull_thiio_customers,
    (Side.THIIO, Entity.ORDER): pull_thiio_orders,
}
COMPARISONS = {
    Entity.CUSTOMER: patient(reconcile_customers_window),
    Entity.ORDER: patient(reconcile_orders_window),
}


class Unit(StrEnum):
    """What the length of a window is counted in."""

    DAYS = "days"
    HOURS = "hours"


class Backfill(BaseModel):
    """Which stretch of time to read and compare again."""

    start: AwareDatetime = Field(title="From", description="First moment (inclusive), with time zone.")
    end: AwareDatetime = Field(
        title="Until", description="Last moment (exclusive), with time zone. What is to come is left out."
    )
    kinds: Kinds = Field(Kinds.BOTH, title="Records", description="Which kind of records to read.")
    side: PullFrom = Field(
        PullFrom.BOTH,
        title="Side",
        description="Which system to read. One side alone is read only: to compare takes both.",
    )
    window_length: int = Field(
        7,
        title="Window length",
        ge=1,
        le=92,
        description="The stretch is done in windows of this length; a window that is stopped begins anew.",
    )
    window_unit: Unit = Field(
        Unit.DAYS, title="Window unit", description="Days, or hours where one day holds very much."
    )
    again: bool = Field(
        False,
        title="Again",
        description="On: windows that an earlier run with the same choices has finished are done again. "
        "Off: they are skipped.",
    )
    dry_run: bool = Field(
        True, title="Plan only", description="On: show windows, calls and finish time; read nothing."
    )

    @property
    def job(self) -> Job:
        """Give what is to be done."""
        return Job(
            start=self.start.astimezone(UTC),
            end=self.end.astimezone(UTC),
            width=timedelta(**{self.window_unit: self.window_length}),
            side=self.side,
            kinds=self.kinds,
        )

    @property
    def what(self) -> str:
        """Say in a run's name what it does."""
        return f"{self.start:%Y-%m-%d}…{self.end:%Y-%m-%d}{', plan only' if self.dry_run else ''}"

    @model_validator(mode="after")
    def _can_be_done(self) -> Backfill:
        check_times(self.start, self.end)
        now = datetime.now(UTC)
        if self.start >= now:
            raise ValueError(f"'From' ({self.start}) must be in the past.")
        number = (min(self.end, now) - self.start) / self.job.width
        if number > MOST_WINDOWS:
            raise ValueError(
                f"That makes {number:,.0f} windows; {MOST_WINDOWS:,} are the most. Choose a longer "
                "'Window length'."
            )
        return self


@flow(name="backfill", flow_run_name="backfill {options.what}")
async def backfill(options: Backfill) -> State[dict[str, int]]:
    """Cut the stretch into windows, show the plan, then read and compare one window after the other.

    A window that is done stays done: a killed or cancelled backfill goes on where it stopped when it is
    started again with the same choices. When UltraCart's calls of the day are used up it ends, and a run that
    goes on is planned for the time when there are calls again. A record that cannot be read makes the run
    fail, after everything else was done; its window stays to be done.
    """
    job, started_at = options.job, datetime.now(UTC)
    plan = plan_backfill(job, options.again, options.dry_run)
    await acreate_markdown_artifact(
        key="backfill-plan", markdown=plan["markdown"], description=plan["answer"]
    )
    windows = plan["to_do"]
    if options.dry_run:
        return Completed(message=plan["answer"], data={"windows": len(windows), "done": 0})

    so_far = look_at_progress(job, started_at)
    artifact = await acreate_progress_artifact(
        so_far["percent"], key="backfill-progress", description=so_far["markdown"]
    )
    done, failures = 0, list[str]()
    try:
        if windows:
            read_catalogues(job)
        for start, end in windows:
            count, failed = read(job, start, end)
            compare(job, start, end, count)
            failures += failed
            if failed:
                continue
            finish_window(job, start, end, count)
            done += 1
            so_far = look_at_progress(job, started_at)
            await aupdate_progress_artifact(artifact, so_far["percent"], so_far["markdown"])
    except BudgetSpent as spent:
        return await _go_on_later(options, spent, so_far["answer"])
    except LeaseHeld as held:
        return Cancelled(message=f"{held} {so_far['answer']} Start it again with the same choices.")
    fail_if_any("backfill", failures)
    counts = {"windows": len(windows), "done": done, "records": so_far["records"], "calls": so_far["calls"]}
    return Completed(message=so_far["answer"], data=counts)


def read_catalogues(job: Job) -> None:
    """Read products and gateways of the sides that are to be read."""
    for side, pull in CATALOGUES.items():
        if job.side.has(side):
            pull()


def read(job: Job, start: datetime, end: datetime) -> tuple[int, list[str]]:
    """Read a window, and give how many records were stored, and what could not be."""
    count, failures = 0, list[str]()
    for (side, entity), pull in PULLS.items():
        if job.side.has(side) and entity in job.kinds.entities:
            try:
                count += sum(pull(start, end).values())
            except RecordsFailed as failed:
                failures += failed.failures
    return count, failures


def compare(job: Job, start: datetime, end: datetime, count: int) -> None:
    """Compare a window of which `count` records were read just now; where there is none, do nothing."""
    if job.is_compared and (count or is_anything_in(job, start, end)):
        for entity in job.kinds.entities:
            COMPARISONS[entity](start, end)


async def _go_on_later(options: Backfill, spent: BudgetSpent, so_far: str) -> State[Any]:
    """Plan a run of the same deployment for the time when UltraCart takes calls again."""
    if deployment.id is None:
        goes_on = "Start it again with the same choices after that."
    else:
        # What this run has finished "again" is finished: the next one goes on from it.
        going_on = options.model_copy(update={"again": False})
        await arun_deployment(
            UUID(deployment.id),
            parameters={"options": going_on.model_dump(mode="json")},
            scheduled_time=spent.resumes_at,
            timeout=0,
            as_subflow=False,
        )
        goes_on = "A run that goes on by itself is planned for then."
    message = f"{spent} {so_far} {goes_on}"
    return State(type=StateType.CANCELLED, name="WaitingForBudget", message=message)
