"""How a Prefect step waits for the lease that another run holds."""

from __future__ import annotations

from typing import Any, ParamSpec, TypeVar

from prefect import State, Task
from prefect.client.schemas.objects import TaskRun

from tasks.errors import LeaseHeld

P = ParamSpec("P")
R = TypeVar("R")

TRIES, WAIT_SECONDS = 300, 2
"""Ten minutes: longer than an hourly comparison takes."""


def patient(step: Task[P, R]) -> Task[P, R]:
    """Let a step wait while another run does the same; any other error of it counts at once."""
    return step.with_options(
        retries=TRIES, retry_delay_seconds=WAIT_SECONDS, retry_condition_fn=_is_lease_held
    )


def _is_lease_held(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
    return isinstance(state.data, LeaseHeld)
