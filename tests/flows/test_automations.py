"""The automations of deployments/automations.yaml reach a real Prefect server, and tell of what happens."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from prefect.blocks.notifications import CustomWebhookNotificationBlock
from prefect.client.orchestration import get_client
from prefect.events.schemas.automations import Automation, AutomationCore, EventTrigger
from prefect.server.events.actions import ServerActionTypes
from pydantic import TypeAdapter
from sqlalchemy import Engine

from deployments.apply_automations import FILE, OURS, apply, read_ours
from flows.find_gaps import find_gaps
from flows.process_inbox import process_inbox
from tasks.loopback import serve_on_loopback
from tests.flows.running import result_of, run
from tests.flows.test_deploy import prefect

BLOCK = "custom-webhook/operators"
TOLD_WITHIN_SECONDS = 20
AUTOMATIONS: list[dict[str, Any]] = yaml.safe_load(FILE.read_text())["automations"]


@pytest.fixture
def told() -> Iterator[list[dict[str, str]]]:
    """What was sent to the operators: subject and body of each message, by a real block to a real server."""
    messages: list[dict[str, str]] = []

    def take(request: httpx.Request) -> httpx.Response:
        messages.append(json.loads(request.content))
        return httpx.Response(200)

    with serve_on_loopback(take) as url:
        block: Any = CustomWebhookNotificationBlock(
            name="operators", url=url, json_data={"subject": "{{subject}}", "body": "{{body}}"}
        )
        block.save("operators", overwrite=True)
        yield messages


@pytest.fixture
def _applied(told: list[dict[str, str]]) -> Iterator[None]:
    """The automations are on the server, and none is afterwards."""
    asyncio.run(apply(FILE, BLOCK))
    yield
    asyncio.run(delete_all())


async def delete_all() -> None:
    """Leave no automation to the other tests of this server."""
    async with get_client() as client:
        for each in await read_ours(client):
            await client.delete_automation(each.id)


def there() -> dict[str, Automation]:
    """Give the server's automations of ours by name; there must be one of each name."""

    async def read() -> list[Automation]:
        async with get_client() as client:
            return await read_ours(client)

    found = asyncio.run(read())
    assert len({each.name for each in found}) == len(found)
    return {each.name: each for each in found}


def wait_for_messages(messages: list[dict[str, str]], count: int) -> None:
    """Wait until so many messages came."""
    deadline = time.monotonic() + TOLD_WITHIN_SECONDS
    while len(messages) < count:
        assert time.monotonic() < deadline, f"{len(messages)} messages came: {messages}"
        time.sleep(0.1)


@pytest.mark.parametrize("automation", AUTOMATIONS, ids=lambda each: each["name"].removeprefix(OURS))
def test_an_automation_has_only_keys_that_prefect_reads(automation: dict[str, Any]) -> None:
    """Prefect ignores an unknown key in silence; the server itself reads the action, and so its templates."""
    assert automation["name"].startswith(OURS)
    assert set(automation) <= set(AutomationCore.model_fields)
    assert set(automation["trigger"]) <= set(EventTrigger.model_fields)
    for action in automation["actions"]:
        read: Any = TypeAdapter(ServerActionTypes).validate_python(action)
        assert set(action) <= set(type(read).model_fields)


@pytest.mark.usefixtures("_applied")
def test_they_can_be_applied_again(tmp_path: Path) -> None:
    """Each is there once with its ID; a pause stays; twins and what the file no longer has are deleted."""
    before = there()
    name = "ultrathiio: runs are late"
    prefect("automation", "pause", "--id", str(before[name].id))
    prefect("automation", "create", "--from-file", str(FILE))

    asyncio.run(apply(FILE, BLOCK))
    again = there()
    shorter = tmp_path / "automations.yaml"
    shorter.write_text(yaml.safe_dump({"automations": AUTOMATIONS[1:]}))
    asyncio.run(apply(shorter, BLOCK))

    assert set(before) == {each["name"] for each in AUTOMATIONS}
    assert set(again) == set(before)
    assert [each for each in again if not again[each].enabled] == [name]
    assert set(there()) == set(before) - {AUTOMATIONS[0]["name"]}


def test_a_block_that_is_not_there_is_named() -> None:
    """With the way to make it."""
    with pytest.raises(SystemExit, match=r"slack-webhook/nobody does not exist\. Make it in Prefect's UI"):
        asyncio.run(apply(FILE, "slack-webhook/nobody"))


@pytest.mark.usefixtures("_applied")
def test_failed_runs_are_told_once_with_their_message(
    told: list[dict[str, str]], workplace: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """find-gaps by its own automation only, any other by the general one; a run that completed by none."""
    result_of(process_inbox)
    run(find_gaps)
    monkeypatch.setenv("ULTRATHIIO_THIIO__CONNECTION", "telepathy")
    run(process_inbox)
    wait_for_messages(told, 2)

    gaps, inbox = sorted(told, key=lambda message: message["subject"])
    assert gaps["subject"] == "find-gaps: Failed. Is the webhook of UltraCart still on?"
    assert "ULTRATHIIO_ULTRACART__WEBHOOK_URL is empty" in gaps["body"]
    assert "ultrathiio check --fix" in gaps["body"]
    assert inbox["subject"] == "process-inbox: Failed"
    assert "ULTRATHIIO_THIIO__CONNECTION" in inbox["body"]
