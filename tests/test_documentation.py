"""README.md tells the truth about flows, commands, events, expansions and files."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from flows.__main__ import app
from tasks.ultracart.webhook_body import EXPANSIONS, HANDLED_EVENTS

PROJECT = Path(__file__).resolve().parent.parent
README = (PROJECT / "README.md").read_text()


def section(heading: str) -> str:
    """Give the text below a heading, up to the next one."""
    return README.split(f"\n## {heading}\n")[1].split("\n## ")[0]


def first_column(text: str) -> set[str]:
    """Give the names in code letters that stand in the first column of a table."""
    cells = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    return {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)}


def test_every_flow_is_in_the_table_and_no_other() -> None:
    """Flow names are the file names of flows/."""
    flows = {path.stem.replace("_", "-") for path in (PROJECT / "flows").glob("*.py")}

    assert first_column(section("What runs when")) == flows - {"--init--", "--main--"}


def test_every_event_is_in_the_table() -> None:
    """The six events of the Thiio guide are the ones that are handled."""
    assert first_column(section("The events")) == HANDLED_EVENTS


def test_every_command_is_in_the_table() -> None:
    """The words after `ultrathiio` are those of the command line."""
    documented = {words.split()[1] for words in first_column(section("Run it"))}

    assert documented == {name for name in app if not name.startswith("-")}


def test_the_expansions_are_those_that_are_checked() -> None:
    """What an operator types in from the README is what check-setup expects."""
    lines = [line for line in section("Set it up").splitlines() if line.startswith("   - ")]
    typed = {
        event: re.findall(r"`([^`]+)`", line.split(": ")[1])[0]
        for line in lines
        for event in re.findall(r"`([^`]+)`", line.split(": ")[0])
    }

    assert typed == EXPANSIONS


def test_every_linked_file_exists() -> None:
    """No link of the README leads nowhere."""
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", README) if "://" not in link]

    assert links
    assert [link for link in links if not (PROJECT / link).exists()] == []


def test_ci_runs_the_commands_of_the_readme() -> None:
    """The two commands that everything hangs on are the ones that are tested."""
    script = (PROJECT / ".ci/run").read_text()

    for words in ("pip install --quiet -e '.[test]'", "ultrathiio demo", "pytest", "mypy", "ruff check ."):
        assert words in script


def test_the_tested_prefect_is_the_one_that_is_pinned() -> None:
    """prefect.yaml names the version of deployments/constraints.txt."""
    pins = dict(
        line.split("==")
        for line in (PROJECT / "deployments/constraints.txt").read_text().splitlines()
        if "==" in line
    )

    assert yaml.safe_load((PROJECT / "prefect.yaml").read_text())["prefect-version"] == pins["prefect"]


def test_the_runbook_has_every_flow() -> None:
    """Whoever is on duty finds each flow under its name."""
    runbook = (PROJECT / "deployments/RUNBOOK.md").read_text()
    flows = {path.stem.replace("_", "-") for path in (PROJECT / "flows").glob("*.py")} - {
        "--init--",
        "--main--",
    }
    headings = re.findall(r"^### (.*)$", runbook, flags=re.MULTILINE)

    assert flows <= {name for heading in headings for name in heading.split(", ")}


def test_the_runbook_has_every_alert() -> None:
    """Whoever gets a message finds it there by its name."""
    runbook = (PROJECT / "deployments/RUNBOOK.md").read_text().split("## Alerts")[1].split("\n## ")[0]
    automations = yaml.safe_load((PROJECT / "deployments/automations.yaml").read_text())["automations"]
    listed = re.findall(r"^\| ([^|]+) \|", runbook, flags=re.MULTILINE)[2:]

    assert [name.strip() for name in listed] == [
        each["name"].removeprefix("ultrathiio: ") for each in automations
    ]
