"""Run a flow as a worker would, and read what it left in Prefect."""

from __future__ import annotations

import asyncio
from typing import Any

from prefect import Flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey
from prefect.client.schemas.objects import State


def run(flow: Flow[Any, Any], options: Any = None) -> State[Any]:
    """Run a flow with its options and give the state it ended in."""
    running: Any = flow(**({} if options is None else {"options": options}), return_state=True)
    return asyncio.run(running)


def result_of(flow: Flow[Any, Any], options: Any = None) -> Any:
    """Run a flow that must complete, and give what it returned."""
    state = run(flow, options)
    assert state.is_completed(), state.message
    return state.result()


def newest_artifact(key: str) -> Any:
    """Give the data of the newest artifact under a key."""

    async def read() -> Any:
        async with get_client() as client:
            wanted = ArtifactFilter(key=ArtifactFilterKey(any_=[key]))
            artifacts = await client.read_artifacts(artifact_filter=wanted)
            return max(artifacts, key=lambda artifact: artifact.created).data

    return asyncio.run(read())
