"""The flow `process-inbox`: work off what the receiver stored."""

from __future__ import annotations

from prefect import flow
from pydantic import BaseModel, Field

from tasks.inbox.steps import process_due_events


class ProcessInbox(BaseModel):
    """How much to work off in one run."""

    limit: int = Field(
        10_000, title="At most", ge=1, le=1_000_000, description="Events of one run; the next run goes on."
    )
    batch: int = Field(
        200, title="Batch", ge=1, le=5_000, description="Events that are claimed and mirrored together."
    )


@flow(name="process-inbox", flow_run_name="process-inbox")
async def process_inbox(options: ProcessInbox = ProcessInbox()) -> dict[str, int]:
    """Take the waiting events, oldest first: mirror their records, deliver them to Thiio, close them.

    What cannot be delivered now waits for another try; what can never be is kept as a dead letter with its
    reason. The run fails if there was either, after everything else was done.
    """
    return process_due_events(options.limit, options.batch)
