"""The flow `prune`: delete closed inbox events and notifications that are past their retention."""

from __future__ import annotations

from prefect import flow
from pydantic import BaseModel, Field

from tasks.inbox.steps import delete_old_rows


class Prune(BaseModel):
    """What to delete: never open events, dead letters only after ULTRATHIIO_INBOX__DEAD_RETENTION_DAYS."""

    older_than_days: int | None = Field(
        None,
        title="Older than (days)",
        ge=1,
        description="Empty: as ULTRATHIIO_INBOX__RETENTION_DAYS says.",
    )
    dry_run: bool = Field(True, title="Dry run", description="On: count only, delete nothing.")


@flow(name="prune", flow_run_name="prune")
async def prune(options: Prune = Prune()) -> dict[str, int]:
    """Count, and unless it is a dry run delete, what was closed longer ago than it is kept."""
    return delete_old_rows(options.older_than_days, options.dry_run)
