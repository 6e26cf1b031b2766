"""Bring automations.yaml to the Prefect server that PREFECT_API_URL names; may be run as often as you like.

`prefect automation create` makes a second automation of the same name each time. Here one of the same name is
changed, and one of ours that the file no longer has is deleted; what an operator paused stays paused.
"""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path
from typing import Any

import yaml
from prefect.client.orchestration import PrefectClient, get_client
from prefect.events.schemas.automations import Automation, AutomationCore
from prefect.exceptions import ObjectNotFound

FILE = Path(__file__).with_name("automations.yaml")
OURS = "ultrathiio: "
PAGE = 200


def read_automations(file: Path, block_id: str) -> list[AutomationCore]:
    """Read the file, with the ID of the block that sends messages in its place."""

    def filled(action: dict[str, Any]) -> dict[str, Any]:
        return action | {"block_document_id": block_id} if "block_document_id" in action else action

    return [
        AutomationCore.model_validate(each | {"actions": [filled(action) for action in each["actions"]]})
        for each in yaml.safe_load(file.read_text())["automations"]
    ]


async def find_block(client: PrefectClient, reference: str) -> str:
    """Give the ID of a block named like `slack-webhook/operators`; ends the program if there is none."""
    kind, _, name = reference.partition("/")
    try:
        return str((await client.read_block_document_by_name(name, kind, include_secrets=False)).id)
    except ObjectNotFound:
        raise SystemExit(
            f"The block {reference} does not exist. Make it in Prefect's UI, under Blocks, and name it as "
            "<type>/<name>, for example slack-webhook/operators."
        ) from None


async def read_ours(client: PrefectClient) -> list[Automation]:
    """Give the automations of this project that the server has."""
    found: list[Automation] = []
    while page := await client.read_automations(offset=len(found), limit=PAGE):
        found.extend(page)
    return [each for each in found if each.name.startswith(OURS)]


async def apply(file: Path, block: str) -> list[str]:
    """Make, change and delete until the server has what the file says; give a line for each."""
    async with get_client() as client:
        wanted = read_automations(file, await find_block(client, block))
        there = await read_ours(client)
        said = []
        for automation in wanted:
            same = [each for each in there if each.name == automation.name]
            if same:
                automation.enabled = same[0].enabled
                await client.update_automation(same[0].id, automation)
            else:
                await client.create_automation(automation)
            said.append(f"{'changed' if same else 'made'}: {automation.name}")
            there = [each for each in there if each not in same[:1]]
        for left in there:
            await client.delete_automation(left.id)
            said.append(f"deleted: {left.name}")
    return said


def main() -> None:
    """Read the words of the command line, apply, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--block", required=True, help="what sends messages: slack-webhook/operators")
    parser.add_argument("--file", type=Path, default=FILE)
    given = parser.parse_args()
    print("\n".join(asyncio.run(apply(given.file, given.block))))  # noqa: T201  # it is a command


if __name__ == "__main__":
    main()
