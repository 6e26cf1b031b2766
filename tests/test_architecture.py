"""The walls between the rooms stand: who may import whom, read from the source itself."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent
FILES = [*sorted((PROJECT / "tasks").rglob("*.py")), *sorted((PROJECT / "flows").rglob("*.py"))]
FLOOR = {
    "errors": 0,
    "settings": 1, "version": 1,
    "http_client": 2, "loopback": 2, "faults": 2, "seed": 2, "database": 2,
    "records": 3, "notifications": 3,
    "ultracart": 4, "thiio": 4,
    "inbox": 5, "reconcile": 5, "push": 5, "setup_check": 5, "backfill": 5, "erasure": 5,
    "sandbox": 6,
}  # fmt: skip


def imports_of(path: Path) -> Iterator[str]:
    """Give the full name of every module that a file imports, at its top or inside a function."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def name_of(path: Path) -> str:
    """Give a file's path from the project's folder, for test ids and messages."""
    return str(path.relative_to(PROJECT))


@pytest.mark.parametrize("path", [path for path in FILES if "tasks" in path.parts], ids=name_of)
def test_a_room_imports_only_lower_floors_and_itself(path: Path) -> None:
    """No room knows a neighbour on its floor, a higher floor, or the flows."""
    parts = path.relative_to(PROJECT / "tasks").with_suffix("").parts
    if parts == ("__init__",):
        return
    room = parts[0]
    for module in imports_of(path):
        names = module.split(".")
        assert names[0] != "flows", f"{name_of(path)} imports {module}"
        if names[0] == "tasks" and len(names) > 1 and names[1] != room:
            assert FLOOR[names[1]] < FLOOR[room], f"{name_of(path)} imports {module}"


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_heavy_libraries_stay_in_their_rooms(path: Path) -> None:
    """Prefect stands in flows/ and steps.py only (the receiver must not pay for it), pandas in reconcile/."""
    roots = {module.split(".")[0] for module in imports_of(path)}
    if "flows" not in path.relative_to(PROJECT).parts and path.name != "steps.py":
        assert "prefect" not in roots
    if "reconcile" not in path.parts:
        assert not roots & {"pandas", "great_tables"}


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_file_is_one_thing(path: Path) -> None:
    """No file is longer than 300 lines, and none is empty but a package's __init__.py, which always is.

    Schema and settings are lists that are read as a whole: they and the migrations may be longer.
    """
    lines = path.read_text().splitlines()
    if path.name == "__init__.py":
        assert lines == []
    elif "migrations" not in path.parts and path.name not in ("tables.py", "settings.py"):
        assert 0 < len(lines) <= 300


def test_no_module_of_flows_shadows_another() -> None:
    """A file of flows/ named like an installed module would hide it from a file entrypoint."""
    ours = {path.stem for path in (PROJECT / "flows").glob("*.py")} - {"__init__", "__main__"}

    assert ours & (set(sys.stdlib_module_names) | set(packages_distributions())) == set()


def test_flows_and_tasks_are_this_project() -> None:
    """Their names are common; another installed project must not stand in their place."""
    import flows
    import tasks

    assert [Path(package.__file__).parent.parent for package in (flows, tasks)] == [PROJECT, PROJECT]  # type: ignore[type-var]
