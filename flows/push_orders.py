"""The flow `push-orders`: bring phone orders of Thiio into UltraCart, each exactly once."""

from __future__ import annotations

import asyncio
import logging
from typing import Any
from uuid import UUID

from prefect import State, flow
from prefect.artifacts import acreate_markdown_artifact
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import StateType
from prefect.flow_runs import apause_flow_run
from prefect.input import RunInput
from prefect.runtime import deployment
from prefect.states import Cancelled
from pydantic import BaseModel, Field

from tasks.errors import BudgetSpent, LeaseHeld, SetupError, fail_if_any
from tasks.push.account import count_outcomes, describe_plan, planned_ids
from tasks.push.approval import choose, describe_question, still_approved, why_ask
from tasks.push.steps import (
    describe_catalogues,
    describe_outbox,
    plan_pushes,
    send_pushes,
    settle_pushes,
    waiting_for_approval,
)
from tasks.thiio.steps import pull_thiio_catalogue
from tasks.ultracart.steps import pull_ultracart_catalogue

logger = logging.getLogger(__name__)
MINUTE_SECONDS = 60
LOOK_FOR_ANSWER_SECONDS = 3
PAUSE_MARGIN_SECONDS = 60
"""Prefect may take a paused run for lost so much later than we do."""


class PushOrders(BaseModel):
    """Which orders to push."""

    order_ids: list[str] = Field(
        [],
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
    approve_above_orders: int | None = Field(
        None,
        title="Ask above so many orders",
        ge=0,
        description="Wait for a person's yes before more orders than this are sent; 0 always asks.",
    )
    approve_above_total: int | None = Field(
        None,
        title="Ask above this total",
        ge=0,
        description="Wait for a person's yes before orders of more than this in all are sent; whole units "
        "of the store's currency.",
    )
    approval_minutes: int = Field(
        60,
        title="Minutes for the answer",
        ge=1,
        le=1_440,
        description="Without an answer by then the run is cancelled and nothing is sent.",
    )
    with_tests: bool = Field(
        False, title="Test orders too", description="On: test orders are pushed as well."
    )
    retry_rejected: bool = Field(
        False,
        title="Retry rejected",
        description="On: send orders again that UltraCart refused; they must be named by ID.",
    )
    release: bool = Field(
        False,
        title="Release",
        description="On: orders named by ID go out in spite of their age, and those in doubt are looked up "
        "now, not when their wait is over.",
    )

    @property
    def what(self) -> str:
        """Say in a run's name what it does."""
        number = f", {len(self.order_ids)} by ID" if self.order_ids else ""
        return number + (", dry run" if self.dry_run else "")


class PushApproval(RunInput):
    """A person's answer."""

    send: bool = Field(
        False,
        title="Send these orders",
        description="On: they are sent. Off: nothing is sent, they stay planned.",
    )


class NobodyAnswered(Exception):
    """The time for an answer is over."""


@flow(name="push-orders", flow_run_name="push-orders{options.what}")
async def push_orders(options: PushOrders = PushOrders()) -> dict[str, Any] | State[Any]:
    """Read both catalogues, look up what is in doubt, plan what is due, send what is planned.

    An order whose product or gateway has no mapping is held with its reason, and goes out by itself with the
    first run after the mapping is there. Above a number of orders or a total, if one is given, the run waits
    for a person's yes and plans anew after it. The artifact `product-mapping` tells what is wrong with
    products and gateways, `push-plan` tells of every unsynced order, `push-outbox` of what waits after the
    run, and why. If another run pushes at this moment, this one ends as Cancelled; without calls left at
    UltraCart as `WaitingForBudget`.
    """
    try:
        pull_ultracart_catalogue()
        pull_thiio_catalogue()
        await acreate_markdown_artifact(key="product-mapping", markdown=describe_catalogues())
        return await _push(options)
    except LeaseHeld as held:
        return Cancelled(message=str(held))
    except NobodyAnswered:
        return Cancelled(
            message=f"Nobody answered within {options.approval_minutes} minutes. Nothing was sent; the "
            "orders stay planned."
        )
    except BudgetSpent as spent:
        message = f"{spent} What was not sent stays planned; the first run after that goes on."
        return State(type=StateType.CANCELLED, name="WaitingForBudget", message=message)


async def _push(options: PushOrders) -> dict[str, Any] | State[Any]:
    if options.dry_run:
        planned = _plan(options)
        await acreate_markdown_artifact(key="push-plan", markdown=describe_plan(planned, dry_run=True))
        return count_outcomes(planned)

    try:
        return await _settle_plan_send(options)
    finally:
        await acreate_markdown_artifact(key="push-outbox", markdown=describe_outbox())


async def _settle_plan_send(options: PushOrders) -> dict[str, Any] | State[Any]:
    settled = settle_pushes(options.order_ids if options.release else None)
    for change in settled["changed"]:
        logger.warning(change)
    planned = _plan(options)
    await acreate_markdown_artifact(key="push-plan", markdown=describe_plan(planned, dry_run=False))
    fail_if_away(settled)

    chosen = choose(planned, options.limit)
    ids = planned_ids(chosen)
    why = why_ask(chosen, above_orders=options.approve_above_orders, above_total=options.approve_above_total)
    if why is not None:
        if not await _ask(describe_question(chosen, why, options.approval_minutes), options.approval_minutes):
            return Cancelled(message="The answer was no. Nothing was sent; the orders stay planned.")
        pull_ultracart_catalogue()
        pull_thiio_catalogue()
        planned = _plan(options)
        ids = still_approved(chosen, planned)

    sent = send_pushes(ids)
    fail_if_any("push-orders", settled.pop("failures") + sent.pop("failures"))
    settled["changed"] = len(settled["changed"])
    return {"orders": count_outcomes(planned), "settled": settled, "sent": sent}


def _plan(options: PushOrders) -> list[dict[str, Any]]:
    return plan_pushes(
        options.order_ids or None,
        options.dry_run,
        options.with_tests,
        options.retry_rejected,
        options.release,
    )


def fail_if_away(settled: dict[str, Any]) -> None:
    """End the run before anything is sent if UltraCart did not answer a look-up."""
    if settled["is_away"]:
        fail_if_any("push-orders", [*settled["failures"], "UltraCart is away: nothing was sent in this run."])


async def _refuse_to_wait_in_a_slot() -> None:
    """Raise `SetupError` if this deployment has a concurrency limit.

    Prefect takes the slot back from a run that waits, and ends the run when the slot's lease is to be renewed
    (seen with 3.9.1, after four minutes).
    """
    if deployment.id is None:
        return
    async with get_client() as client:
        found = await client.read_deployment(UUID(deployment.id))
    if found.concurrency_limit or found.global_concurrency_limit:
        raise SetupError(
            f"The deployment {found.name} has a concurrency limit, so its runs cannot wait for a person's "
            "yes. Start push-orders/on-demand, which has none. Nothing was sent; the orders stay planned."
        )


async def _ask(question: str, minutes: int) -> bool:
    """Pause the run until a person answers in Prefect's UI; raises `NobodyAnswered` once the time is over.

    Prefect's own deadline has to lie behind ours: a run that is paused beyond it can end as Failed only,
    whatever the flow returns (`HandleResumingPausedFlows` in `prefect.server.orchestration.core_policy`).
    An answer in the last moment is still seen: we wait two looks longer than was said.
    """
    await _refuse_to_wait_in_a_slot()
    # Without a value for `send`: one that is given here costs the field its title.
    form = PushApproval.with_initial_data(description=question)
    seconds = minutes * MINUTE_SECONDS + 2 * LOOK_FOR_ANSWER_SECONDS
    with waiting_for_approval(minutes):
        try:
            async with asyncio.timeout(seconds) as deadline:
                answer = await apause_flow_run(
                    wait_for_input=form,
                    timeout=seconds + PAUSE_MARGIN_SECONDS,
                    poll_interval=LOOK_FOR_ANSWER_SECONDS,
                )
        except TimeoutError:
            if not deadline.expired():
                raise
            raise NobodyAnswered from None
    return answer.send
