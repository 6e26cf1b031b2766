"""The flow `reconcile-customers`: find the customers on which the two sides disagree."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from prefect import State, flow
from prefect.states import Cancelled
from pydantic import AwareDatetime, BaseModel, Field, model_validator

from tasks.errors import LeaseHeld
from tasks.reconcile.steps import find_pulled_until, reconcile_customers_window
from tasks.records.steps import choose_window, move_watermark


class ReconcileCustomers(BaseModel):
    """Which customers to compare. Without times the run goes on where the last one ended."""

    start: AwareDatetime | None = Field(
        None, title="From", description="First moment (inclusive). Empty: the stored watermark."
    )
    end: AwareDatetime | None = Field(
        None, title="Until", description="Last moment (exclusive). Empty: up to where both sides were pulled."
    )

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> ReconcileCustomers:
        end = self.end or datetime.now(UTC)
        if self.start and end <= self.start:
            raise ValueError(f"'Until' ({end}) must be later than 'From' ({self.start}).")
        return self


@flow(name="reconcile-customers", flow_run_name="reconcile-customers")
async def reconcile_customers(
    options: ReconcileCustomers = ReconcileCustomers(),
) -> dict[str, int] | State[Any]:
    """Pair the customers that our mirror holds of both sides by e-mail address, and compare their details.

    Customers that were created or changed since the last run are compared, and every mismatch that is still
    open: what agrees again is resolved. Nothing is changed on either side, and nothing is read from them:
    that is pull-records' work. Times given by hand leave the watermark where it is. If another run compares
    customers at this moment, this one ends as Cancelled; the next one goes on.
    """
    try:
        start, end = choose_window("reconcile:customers", options.start, options.end or find_pulled_until())
        counts = reconcile_customers_window(start, end)
    except LeaseHeld as held:
        return Cancelled(message=str(held))
    if options == ReconcileCustomers():
        move_watermark("reconcile:customers", end)
    return counts
