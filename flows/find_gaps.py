"""The flow `find-gaps`: find the webhooks that UltraCart sent and the inbox never saw."""

from __future__ import annotations

from typing import Any

from prefect import State, flow
from prefect.artifacts import acreate_markdown_artifact
from prefect.client.schemas.objects import StateType
from prefect.states import Cancelled, Completed
from pydantic import AwareDatetime, BaseModel, Field

from tasks.errors import BudgetSpent, LeaseHeld, fail_if_any
from tasks.inbox.gaps.steps import find_lost_webhooks


class FindGaps(BaseModel):
    """How far to look back. Without a time the run goes on where the last one ended."""

    start: AwareDatetime | None = Field(
        None, title="From", description="First delivery to look at. Empty: the stored watermark."
    )
    dry_run: bool = Field(
        True, title="Dry run", description="On: tell what was lost, read nothing again, store nothing."
    )

    @property
    def what(self) -> str:
        """Say in a run's name what it does."""
        return ", dry run" if self.dry_run else ""


@flow(name="find-gaps", flow_run_name="find-gaps{options.what}")
async def find_gaps(options: FindGaps = FindGaps()) -> dict[str, int] | State[Any]:
    """Read UltraCart's own log of what it sent, compare it with the inbox, and read again what was lost.

    A run that found losses is Completed under the name `LossesFound`, which an automation can listen to; the
    artifact `lost-webhooks` has each of them. A webhook that UltraCart has switched off makes the run fail,
    after everything else was done. When UltraCart's calls are used up the watermark stays where it is, and
    the next run goes on from there.
    """
    try:
        found = find_lost_webhooks(options.start, options.dry_run)
    except LeaseHeld as held:
        return Cancelled(message=str(held))
    except BudgetSpent as spent:
        message = f"{spent} Nothing was stored; the first run after that goes on from the same watermark."
        return State(type=StateType.CANCELLED, name="WaitingForBudget", message=message)
    await acreate_markdown_artifact(
        key="lost-webhooks", markdown=found["markdown"], description=found["answer"]
    )
    fail_if_any("find-gaps", found["failures"])
    if found["is_alarm"]:
        return Completed(name="LossesFound", message=found["answer"], data=found["numbers"])
    numbers: dict[str, int] = found["numbers"]
    return numbers
