"""What an operator does with `prefect deployment run`, and reads in Prefect's UI."""

from __future__ import annotations

import asyncio
import re
import time
from pathlib import Path
from typing import Any
from uuid import UUID

from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.objects import FlowRun

RUN_SECONDS = 90


def ask(question: Any) -> Any:
    """Ask the server: `question` is a function from a client to what it awaits."""

    async def answer() -> Any:
        async with get_client() as client:
            return await question(client)

    return asyncio.run(answer())


def pause_schedules() -> int:
    """Stop all schedules, so that what runs does not depend on the minute; give the number of deployments."""

    async def pause(client: PrefectClient) -> int:
        deployments = await client.read_deployments()
        for each in deployments:
            await client.pause_deployment(each.id)
        return len(deployments)

    return int(ask(pause))


def allow_at_once(name: str, runs: int) -> None:
    """Let so many runs of a deployment work at the same time."""

    async def change(client: PrefectClient) -> None:
        deployment = await client.read_deployment_by_name(name)
        path = f"/deployments/{deployment.id}"
        (await client._client.patch(path, json={"concurrency_limit": runs})).raise_for_status()

    ask(change)


def start(name: str, **options: Any) -> UUID:
    """Start a run of a deployment, as `prefect deployment run` does, and give its ID."""

    async def create(client: PrefectClient) -> UUID:
        deployment = await client.read_deployment_by_name(name)
        parameters = deployment.parameters | ({"options": options} if options else {})
        run = await client.create_flow_run_from_deployment(deployment.id, parameters=parameters)
        return run.id

    return UUID(str(ask(create)))


def look(id: UUID) -> FlowRun:
    """Read a run."""

    async def read(client: PrefectClient) -> FlowRun:
        return await client.read_flow_run(id)

    run = ask(read)
    assert isinstance(run, FlowRun)
    return run


def wait_for(id: UUID, seconds: float = RUN_SECONDS) -> str:
    """Wait until a run has ended, and give the name of the state; of one that goes on, the name it has."""
    deadline = time.monotonic() + seconds
    while True:
        state = look(id).state
        if (state is not None and state.is_final()) or time.monotonic() > deadline:
            return state.name if state and state.name else "unknown"
        time.sleep(0.5)


def runs_taken(log: Path) -> set[str]:
    """Give the IDs of the runs that a worker started, from its log.

    Two workers may reach for one run; the server gives it to one of them, and the other says so.
    """
    said = log.read_text()
    reached, refused = (
        set(re.findall(rf"{words} flow run '([0-9a-f-]{{36}})'", said))
        for words in ("submitting", "Aborted submission of")
    )
    return reached - refused
