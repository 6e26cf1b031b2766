"""A push that asks a person first, on a real Prefect server: yes, no, and nobody there."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterState, FlowRunFilterStateType
from prefect.client.schemas.objects import FlowRun, State, StateType
from sqlalchemy import Engine

import flows.push_orders as push_module
from flows.push_orders import PushOrders, push_orders
from tasks.thiio.sandbox.server import ThiioSandbox
from tasks.ultracart.sandbox.server import UltraCartSandbox
from tests.flows.running import newest_artifact, run

ALWAYS_ASK = PushOrders(dry_run=False, approve_above_orders=0, approval_minutes=1)
PAUSED = FlowRunFilter(state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.PAUSED])))


@pytest.fixture(autouse=True)
def _in_haste(monkeypatch: pytest.MonkeyPatch) -> None:
    """A look a second at the answer."""
    monkeypatch.setattr(push_module, "LOOK_FOR_ANSWER_SECONDS", 1)


def run_and_answer(*, send: bool) -> tuple[State[Any], str]:
    """Run the push, answer it as Prefect's UI does; gives its end and the question it asked."""

    async def both() -> tuple[State[Any], str]:
        running: Any = asyncio.create_task(push_orders(ALWAYS_ASK, return_state=True))  # type: ignore[arg-type]
        async with get_client() as client:
            paused = await wait_for_pause(client)
            keyset = paused.state.state_details.run_input_keyset if paused.state else None
            question = await client.read_flow_run_input(paused.id, (keyset or {})["description"])
            await client.resume_flow_run(paused.id, run_input={"send": send})
        return await running, question

    return asyncio.run(both())


async def wait_for_pause(client: PrefectClient) -> FlowRun:
    """Give the run that waits, once its form can be answered."""
    for _ in range(200):
        for paused in await client.read_flow_runs(flow_run_filter=PAUSED):
            keyset = paused.state.state_details.run_input_keyset if paused.state else None
            try:
                await client.read_flow_run_input(paused.id, (keyset or {})["schema"])
            except Exception:  # noqa: S112  # the form is stored after the pause
                continue
            return paused
        await asyncio.sleep(0.1)
    raise AssertionError("no run is paused")


def test_without_an_answer_the_run_ends_cancelled_and_nothing_is_sent(
    workplace: Engine,
    ultracart: UltraCartSandbox,
    thiio: ThiioSandbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Prefect shows the sentence that says so; the order stays planned, and the outbox is told of."""
    monkeypatch.setattr(push_module, "MINUTE_SECONDS", 1)
    order = thiio.place_phone_order()

    state = run(push_orders, ALWAYS_ASK)

    said = "Nobody answered within 1 minutes. Nothing was sent; the orders stay planned."
    assert (state.type, state.message) == (StateType.CANCELLED, said)
    assert ultracart.imports == {}
    assert f"| {order} |" in newest_artifact("push-outbox")


def test_a_no_sends_nothing(workplace: Engine, ultracart: UltraCartSandbox, thiio: ThiioSandbox) -> None:
    """The run ends as Cancelled and says that it was a no."""
    thiio.place_phone_order()

    state, _ = run_and_answer(send=False)

    assert state.is_cancelled()
    assert state.message == "The answer was no. Nothing was sent; the orders stay planned."
    assert ultracart.imports == {}


def test_a_yes_sends_what_was_shown(
    workplace: Engine, ultracart: UltraCartSandbox, thiio: ThiioSandbox
) -> None:
    """The question shows the order and nothing of the customer; after the yes it is imported once."""
    order = thiio.place_phone_order()
    email = thiio.read_order(order)["email"]

    state, question = run_and_answer(send=True)

    assert state.is_completed()
    assert ultracart.imports == {f"THIIO-{order}": 1}
    assert f"| {order} |" in question
    assert "what to do" not in question
    assert email not in question
