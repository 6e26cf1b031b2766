"""The flow `ignore-mismatches`: a person says which mismatches may stay, for how long, and why."""

from __future__ import annotations

from prefect import State, flow
from prefect.states import Completed
from pydantic import BaseModel, Field, model_validator

from tasks.reconcile.ignoring import DAYS, MOST_DAYS
from tasks.reconcile.steps import ignore_mismatches as set_aside
from tasks.reconcile.steps import take_back_mismatches


class IgnoreMismatches(BaseModel):
    """Which mismatches to ignore, for how long, and why."""

    ids: list[int] = Field(
        title="Mismatch numbers", min_length=1, description="As the report numbers them; all must be open."
    )
    reason: str = Field(
        "", title="Reason", max_length=500, description="Why they may differ; the report shows it. Required."
    )
    days: int = Field(
        DAYS,
        title="Days",
        ge=1,
        le=MOST_DAYS,
        description="After so many days they are open again; so they are as soon as a value changes.",
    )
    take_back: bool = Field(
        False, title="Take back", description="On: open these again that were ignored; needs no reason."
    )

    @model_validator(mode="after")
    def _has_a_reason(self) -> IgnoreMismatches:
        if not self.take_back and not self.reason.strip():
            raise ValueError("'Reason' is empty. Say why these may differ: the report shows it.")
        return self


@flow(name="ignore-mismatches", flow_run_name="ignore-mismatches")
async def ignore_mismatches(options: IgnoreMismatches) -> State[str]:
    """Set open mismatches aside with a reason, or take them back.

    They are open again when the days are over, and as soon as either side says another value. A number that
    is not open fails the run, and none is changed.
    """
    if options.take_back:
        said = take_back_mismatches(options.ids)
    else:
        said = set_aside(options.ids, options.reason, options.days)
    return Completed(message=said, data=said)
