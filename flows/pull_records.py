"""The flow `pull-records`: copy what changed on both sides into our mirror."""

from __future__ import annotations

from typing import Any

from prefect import flow
from pydantic import AwareDatetime, BaseModel, Field, model_validator

from tasks.records.choices import PullFrom
from tasks.records.models import Side
from tasks.records.steps import choose_window, move_watermark
from tasks.records.windows import check_times
from tasks.thiio.steps import pull_thiio_catalogue, pull_thiio_customers, pull_thiio_orders
from tasks.ultracart.steps import (
    pull_ultracart_catalogue,
    pull_ultracart_customers,
    pull_ultracart_orders,
)


class PullRecords(BaseModel):
    """What to pull. Without times the run goes on where the last one ended."""

    side: PullFrom = Field(PullFrom.BOTH, title="Side", description="Which system to read.")
    start: AwareDatetime | None = Field(
        None, title="From", description="First moment to read (inclusive). Empty: the stored watermark."
    )
    end: AwareDatetime | None = Field(
        None, title="Until", description="Last moment to read (exclusive). Empty: now."
    )

    @property
    def has_no_times(self) -> bool:
        """Tell whether the run goes on where the last one ended."""
        return self.start is None and self.end is None

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> PullRecords:
        check_times(self.start, self.end)
        return self


@flow(name="pull-records", flow_run_name="pull-records {options.side.value}")
async def pull_records(options: PullRecords = PullRecords()) -> dict[str, Any]:
    """Read products, gateways, customers and orders that changed, first of UltraCart, then of Thiio.

    Each side has its own watermark, which moves once everything before it is stored. Times given by hand
    leave it where it is.
    """
    counts: dict[str, Any] = {}
    if options.side.has(Side.ULTRACART):
        start, end = choose_window("pull-records:ultracart", options.start, options.end)
        counts |= pull_ultracart_catalogue()
        counts |= pull_ultracart_customers(start, end)
        counts |= pull_ultracart_orders(start, end)
        if options.has_no_times:
            move_watermark("pull-records:ultracart", end)
    if options.side.has(Side.THIIO):
        start, end = choose_window("pull-records:thiio", options.start, options.end)
        counts |= pull_thiio_catalogue()
        counts |= pull_thiio_customers(start, end)
        counts |= pull_thiio_orders(start, end)
        if options.has_no_times:
            move_watermark("pull-records:thiio", end)
    return counts
