"""prefect.yaml says what Prefect can read, and every deployment names a flow that exists."""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path
from typing import Any

import pytest
import yaml
from prefect import Flow
from prefect.utilities.callables import parameter_schema

PROJECT = Path(__file__).resolve().parent.parent
FILE: dict[str, Any] = yaml.safe_load((PROJECT / "prefect.yaml").read_text())
DEPLOYMENTS: list[dict[str, Any]] = FILE["deployments"]
SCHEDULED = [deployment for deployment in DEPLOYMENTS if "schedules" in deployment]

DEPLOYMENT_KEYS = {
    "name", "description", "entrypoint", "tags", "work_pool", "concurrency_limit", "parameters", "schedules",
}  # fmt: skip
SCHEDULES = {
    "process-inbox-every-minute": "* * * * *",
    "pull-records-every-15-minutes": "*/15 * * * *",
    "find-gaps-every-15-minutes": "8-59/15 * * * *",
    "reconcile-customers-hourly": "20 * * * *",
    "reconcile-orders-hourly": "25 * * * *",
    "reconcile-customers-weekly": "50 4 * * 0",
    "reconcile-orders-weekly": "10 5 * * 0",
    "push-orders-every-5-minutes": "*/5 * * * *",
    "report-mismatches-daily": "30 6 * * *",
    "check-setup-daily": "0 6 * * *",
    "prune-nightly": "40 3 * * *",
}


def title(deployment: dict[str, Any]) -> str:
    """Name a deployment as Prefect does, for test ids."""
    return f"{deployment['entrypoint'].split('.')[-1]}/{deployment['name']}"


def load_flow(deployment: dict[str, Any]) -> Flow[Any, Any]:
    """Import the flow that a deployment's entrypoint names."""
    module, name = deployment["entrypoint"].rsplit(".", 1)
    flow = getattr(importlib.import_module(module), name)
    assert isinstance(flow, Flow)
    return flow


def test_the_file_has_only_keys_that_prefect_reads() -> None:
    """Prefect ignores an unknown key in silence; `definitions` carries the anchors."""
    assert set(FILE) == {"prefect-version", "name", "pull", "definitions", "deployments"}


MAY_WAIT = "push_orders/on-demand"
"""Its runs may wait for a person's yes, which Prefect ends if they hold a slot; it takes our own lease."""


def test_every_schedule_is_the_agreed_one() -> None:
    """A schedule cannot change, lose its slug or appear twice unnoticed."""
    found = [schedule for deployment in SCHEDULED for schedule in deployment["schedules"]]

    assert {schedule["slug"]: schedule["cron"] for schedule in found} == SCHEDULES
    assert len(found) == len(SCHEDULES)
    assert all(set(schedule) == {"slug", "cron", "timezone"} for schedule in found)
    assert {schedule["timezone"] for schedule in found} == {"UTC"}


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=title)
def test_a_deployment_is_complete(deployment: dict[str, Any]) -> None:
    """Known keys only, a description, and no overlap of a flow with itself."""
    assert set(deployment) <= DEPLOYMENT_KEYS
    assert deployment["description"]
    assert deployment["work_pool"] == {"name": "batch"}
    if title(deployment) == MAY_WAIT:
        assert "concurrency_limit" not in deployment
        return
    assert deployment["concurrency_limit"]["limit"] == 1
    assert deployment["concurrency_limit"]["collision_strategy"] in ("CANCEL_NEW", "ENQUEUE")


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=title)
def test_a_deployment_names_a_flow_of_its_file(deployment: dict[str, Any]) -> None:
    """Prefect can deploy a flow whose imports fail; here they don't, and names agree."""
    flow = load_flow(deployment)

    assert flow.name == deployment["entrypoint"].split(".")[-1].replace("_", "-")
    assert inspect.iscoroutinefunction(flow.fn), "a synchronous flow pays a second on exit"


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=title)
def test_parameters_fit_the_flow_and_explain_themselves(deployment: dict[str, Any]) -> None:
    """A deployment's parameters are valid, and each field of its form has a title and a description."""
    flow = load_flow(deployment)
    model = inspect.signature(flow.fn).parameters["options"].annotation
    model = inspect.get_annotations(flow.fn, eval_str=True)["options"] if isinstance(model, str) else model
    if "parameters" in deployment:
        model.model_validate(deployment["parameters"]["options"])

    schema = parameter_schema(flow)
    fields = [
        field
        for definition in schema.definitions.values()
        for field in definition.get("properties", {}).values()
    ]
    assert fields
    assert all(field.get("title") and field.get("description") for field in fields)


def test_every_flow_is_deployed() -> None:
    """No flow is forgotten in prefect.yaml."""
    flows = {path.stem for path in (PROJECT / "flows").glob("*.py")} - {"__init__", "__main__"}

    assert {deployment["entrypoint"].split(".")[1] for deployment in DEPLOYMENTS} == flows
