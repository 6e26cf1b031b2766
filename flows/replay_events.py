"""The flow `replay-events`: put closed inbox events back to work."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from prefect import flow
from prefect.artifacts import acreate_markdown_artifact
from pydantic import AwareDatetime, BaseModel, Field

from tasks.inbox.steps import find_events_to_replay, replay_chosen_events

LISTED = 200
"""So many events are shown in the artifact; the rest is counted."""


class ReplayState(StrEnum):
    """Which closed events are meant."""

    DEAD = "dead"
    SKIPPED = "skipped"
    DONE = "done"


class ReplayEvents(BaseModel):
    """Which events to put back; every field that is given must fit."""

    state: ReplayState = Field(ReplayState.DEAD, title="State", description="Only events in this state.")
    ids: list[int] = Field([], title="Event IDs", description="Only these events. Empty: all.")
    entity_id: str = Field(
        "", title="Order or customer ID", description="Only events of this UltraCart order or customer."
    )
    name: str = Field("", title="Event name", description="Only events of this name: order_refund.")
    reason: str = Field(
        "", title="Reason holds", description="Only events whose reason holds these words: cannot answer."
    )
    start: AwareDatetime | None = Field(
        None, title="Received from", description="First moment of receipt (inclusive)."
    )
    end: AwareDatetime | None = Field(
        None, title="Received until", description="Last moment of receipt (exclusive)."
    )
    limit: int = Field(1_000, title="At most", ge=1, le=100_000, description="Events of one run.")
    dry_run: bool = Field(True, title="Dry run", description="On: count and list them, change nothing.")

    @property
    def what(self) -> str:
        """Say in a run's name what it does."""
        return f"{self.state.value}{', dry run' if self.dry_run else ''}"

    def choice(self) -> dict[str, Any]:
        """Give which events are meant, as the step wants it; an empty text means all."""
        fields = self.model_dump(exclude={"dry_run"})
        return {name: None if value == "" else value for name, value in fields.items()}


@flow(name="replay-events", flow_run_name="replay-events {options.what}")
async def replay_events(options: ReplayEvents = ReplayEvents()) -> dict[str, int]:
    """Find the closed events that are meant, list them, and put them back; process-inbox then takes them."""
    events = find_events_to_replay(options.choice())
    await acreate_markdown_artifact(key="replayed-events", markdown=_describe(events, options.dry_run))
    replayed = 0 if options.dry_run else replay_chosen_events([event["id"] for event in events])
    return {"found": len(events), "replayed": replayed}


def _describe(events: list[dict[str, Any]], dry_run: bool) -> str:
    done = "would be put back (dry run)" if dry_run else "were put back to work"
    rows = [
        f"| {event['id']} | {event['name']} | {event['entity_id'] or '–'} | {event['state']} "
        f"| {event['received_at']:%Y-%m-%d %H:%M} | {event['replays']} | {_cell(event['reason'])} |"
        for event in events[:LISTED]
    ]
    more = [f"… and {len(events) - LISTED} more"] if len(events) > LISTED else []
    table = [
        "| Event | Name | Order or customer | State | Received (UTC) | Put back before | Reason |",
        "| --: | --- | --- | --- | --- | --: | --- |",
        *rows,
        "",
    ]
    return "\n".join([f"# {len(events)} events {done}", "", *(table if rows else ["None fits."]), *more, ""])


def _cell(reason: str | None) -> str:
    return (reason or "–").replace("|", "\\|").replace("\n", " ")[:200]
