"""The flow `replay-events`: put closed inbox events back to work."""

from __future__ import annotations

from enum import StrEnum

from prefect import flow
from prefect.artifacts import acreate_markdown_artifact
from pydantic import AwareDatetime, BaseModel, Field

from tasks.inbox.steps import find_events_to_replay, replay_chosen_events


class ReplayState(StrEnum):
    """Which closed events are meant."""

    DEAD = "dead"
    SKIPPED = "skipped"
    DONE = "done"


class ReplayEvents(BaseModel):
    """Which events to put back; every field that is given must fit."""

    state: ReplayState = Field(ReplayState.DEAD, title="State", description="Only events in this state.")
    ids: list[int] = Field([], title="Event IDs", description="Only these events. Empty: all.")
    entity_id: str | None = Field(
        None, title="Order or customer ID", description="Only events of this UltraCart order or customer."
    )
    name: str | None = Field(None, title="Event name", description="Only events of this name: order_refund.")
    start: AwareDatetime | None = Field(
        None, title="Received from", description="First moment of receipt (inclusive)."
    )
    end: AwareDatetime | None = Field(
        None, title="Received until", description="Last moment of receipt (exclusive)."
    )
    limit: int = Field(1_000, title="At most", ge=1, le=100_000, description="Events of one run.")
    dry_run: bool = Field(True, title="Dry run", description="On: count and list them, change nothing.")


@flow(name="replay-events", flow_run_name="replay-events {options.state.value}")
async def replay_events(options: ReplayEvents = ReplayEvents()) -> dict[str, int]:
    """Find the closed events that are meant, list them, and put them back; process-inbox then takes them."""
    ids = find_events_to_replay(options.model_dump(exclude={"dry_run"}))
    await acreate_markdown_artifact(key="replayed-events", markdown=_describe(ids, options.dry_run))
    replayed = 0 if options.dry_run else replay_chosen_events(ids)
    return {"found": len(ids), "replayed": replayed}


def _describe(ids: list[int], dry_run: bool) -> str:
    done = "would be put back (dry run)" if dry_run else "were put back to work"
    more = f" … and {len(ids) - 200} more" if len(ids) > 200 else ""
    return f"# {len(ids)} events {done}\n\n{', '.join(map(str, ids[:200])) or 'none'}{more}\n"
