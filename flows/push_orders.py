"""The flow `push-orders`: bring phone orders of Thiio into UltraCart, each exactly once."""

from __future__ import annotations

from typing import Any

from prefect import State, flow
from prefect.artifacts import acreate_markdown_artifact
from prefect.states import Cancelled
from pydantic import BaseModel, Field

from tasks.errors import LeaseHeld, fail_if_any
from tasks.push.account import count_outcomes, describe_plan, planned_ids
from tasks.push.steps import plan_pushes, send_pushes, settle_pushes
from tasks.thiio.steps import pull_thiio_catalogue
from tasks.ultracart.steps import pull_ultracart_catalogue


class PushOrders(BaseModel):
    """Which orders to push."""

    order_ids: list[str] | None = Field(
        None,
        title="Thiio order IDs",
        description="Only these orders. Empty: every unsynced order that is due.",
    )
    limit: int = Field(
        200,
        title="At most",
        ge=1,
        le=1_000,
        description="Orders sent in one run; UltraCart takes 1,000 an hour.",
    )
    dry_run: bool = Field(
        True, title="Dry run", description="On: show what would be sent and what is held, send nothing."
    )
    with_tests: bool = Field(
        False, title="Test orders too", description="On: test orders are pushed as well."
    )
    retry_rejected: bool = Field(
        False,
        title="Retry rejected",
        description="On: send orders again that UltraCart refused; they must be named by ID.",
    )


@flow(name="push-orders", flow_run_name="push-orders")
async def push_orders(options: PushOrders = PushOrders()) -> dict[str, Any] | State[Any]:
    """Read both catalogues, look up what is in doubt, plan what is due, send what is planned.

    An order whose product or gateway has no mapping is held with its reason, and goes out by itself with the
    first run after the mapping is there. The artifact `push-plan` tells of every unsynced order. If another
    run pushes at this moment, this one ends as Cancelled.
    """
    pull_ultracart_catalogue()
    pull_thiio_catalogue()
    try:
        return await _push(options)
    except LeaseHeld as held:
        return Cancelled(message=str(held))


async def _push(options: PushOrders) -> dict[str, Any]:
    settled = {} if options.dry_run else settle_pushes()
    planned = plan_pushes(
        options.order_ids or None, options.dry_run, options.with_tests, options.retry_rejected
    )
    await acreate_markdown_artifact(key="push-plan", markdown=describe_plan(planned, dry_run=options.dry_run))
    if options.dry_run:
        return count_outcomes(planned)

    sent = send_pushes(planned_ids(planned)[: options.limit])
    fail_if_any("push-orders", settled.pop("failures") + sent.pop("failures"))
    return {"orders": count_outcomes(planned), "settled": settled, "sent": sent}
