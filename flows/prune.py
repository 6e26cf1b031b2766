"""The flow `prune`: delete closed inbox events, notifications and files of reports past their retention."""

from __future__ import annotations

from prefect import flow
from pydantic import BaseModel, Field

from tasks.inbox.steps import delete_old_rows
from tasks.reconcile.steps import delete_old_reports


class Prune(BaseModel):
    """What to delete: never open events, dead letters only after ULTRATHIIO_INBOX__DEAD_RETENTION_DAYS."""

    older_than_days: int = Field(
        0,
        title="Older than (days)",
        ge=0,
        description="0: as ULTRATHIIO_INBOX__RETENTION_DAYS and ULTRATHIIO_REPORT__RETENTION_DAYS say.",
    )
    dry_run: bool = Field(True, title="Dry run", description="On: count only, delete nothing.")

    @property
    def what(self) -> str:
        """Say in a run's name what it does."""
        return ", dry run" if self.dry_run else ""


@flow(name="prune", flow_run_name="prune{options.what}")
async def prune(options: Prune = Prune()) -> dict[str, int]:
    """Count, and unless it is a dry run delete, what was closed longer ago than it is kept."""
    days = options.older_than_days or None
    rows = delete_old_rows(days, options.dry_run)
    return {**rows, "report_files": delete_old_reports(days, options.dry_run)}
