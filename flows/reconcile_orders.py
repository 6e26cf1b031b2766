"""The flow `reconcile-orders`: find the orders on which the two sides disagree."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from prefect import State, flow
from prefect.states import Cancelled
from pydantic import AwareDatetime, BaseModel, Field, model_validator

from tasks.errors import LeaseHeld
from tasks.reconcile.steps import find_pulled_until, reconcile_orders_window
from tasks.records.steps import choose_window, move_watermark


class ReconcileOrders(BaseModel):
    """Which orders to compare. Without times the run goes on where the last one ended."""

    start: AwareDatetime | None = Field(
        None, title="From", description="First moment (inclusive). Empty: the stored watermark."
    )
    end: AwareDatetime | None = Field(
        None, title="Until", description="Last moment (exclusive). Empty: up to where both sides were pulled."
    )

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> ReconcileOrders:
        end = self.end or datetime.now(UTC)
        if self.start and end <= self.start:
            raise ValueError(f"'Until' ({end}) must be later than 'From' ({self.start}).")
        return self


@flow(name="reconcile-orders", flow_run_name="reconcile-orders")
async def reconcile_orders(options: ReconcileOrders = ReconcileOrders()) -> dict[str, int] | State[Any]:
    """Pair the orders that our mirror holds of both sides, and compare each pair field by field, to the cent.

    Orders that were placed or changed since the last run are compared, and every mismatch that is still open:
    what agrees again is resolved. Nothing is changed on either side, and nothing is read from them: that is
    pull-records' work. Times given by hand leave the watermark where it is. If another run compares orders
    at this moment, this one ends as Cancelled; the next one goes on.
    """
    try:
        start, end = choose_window("reconcile:orders", options.start, options.end or find_pulled_until())
        counts = reconcile_orders_window(start, end)
    except LeaseHeld as held:
        return Cancelled(message=str(held))
    if options == ReconcileOrders():
        move_watermark("reconcile:orders", end)
    return counts
