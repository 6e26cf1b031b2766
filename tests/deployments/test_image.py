"""The image: pinned, without root, and it finds everything that it copies and runs."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from tests.deployments.files import FOLDER, PROJECT, VARIABLE, our_variables, parse_command, prefect_variables

TEXT = (FOLDER / "Dockerfile").read_text()
LINES = re.sub(r"\\\n\s*", " ", TEXT).splitlines()
INSTRUCTIONS = [line.split(" ", 1) for line in LINES if line and not line.startswith("#")]


def of(name: str) -> list[str]:
    """Give what stands behind each instruction of a name."""
    return [words for instruction, words in INSTRUCTIONS if instruction == name]


def test_it_is_built_in_two_stages_from_one_pinned_python() -> None:
    """To the patch; the compiler's stage does not end up in the image."""
    bases = [words.split()[0] for words in of("FROM")]

    assert len(bases) == 2
    assert len(set(bases)) == 1
    assert re.fullmatch(r"python:3\.\d+\.\d+-slim-[a-z]+", bases[0])
    assert "PIP_CONSTRAINT=/app/deployments/constraints.txt" in of("ENV")[0]


def test_it_does_not_run_as_root() -> None:
    """By number: Kubernetes cannot tell of a name whether it is root."""
    assert of("USER") == ["10001:10001"]


def test_what_it_copies_is_there_and_sent_to_the_builder() -> None:
    """Nothing but what is named is sent: no .env, no folder of secrets."""
    sources = {path for words in of("COPY") if not words.startswith("--from") for path in words.split()[:-1]}
    ignored = (FOLDER / "Dockerfile.dockerignore").read_text().splitlines()
    sent = [line.removeprefix("!") for line in ignored if line.startswith("!")]

    assert sources
    assert [path for path in sources if not (PROJECT / path).exists()] == []
    assert {path.split("/")[0] for path in sent} == {path.split("/")[0] for path in sources}
    assert "*" in ignored
    assert not any(Path("deployments/secrets/POSTGRES_PASSWORD").match(path) for path in sent)


def test_the_extras_exist() -> None:
    """What pip would only warn of."""
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    [extras] = [words.removeprefix("EXTRAS=").split(",") for words in of("ARG")]

    assert set(extras) <= set(project["optional-dependencies"])


def test_every_variable_is_a_setting() -> None:
    """Ours or Prefect's; a misspelt one would be ignored in silence."""
    assert set(VARIABLE.findall(TEXT)) - our_variables() - prefect_variables() == set()


def test_the_commands_can_be_run() -> None:
    """The entry point may be executed, and hands over to a command that exists."""
    assert json.loads(of("ENTRYPOINT")[0]) == ["/app/deployments/entrypoint.sh"]
    assert os.access(FOLDER / "entrypoint.sh", os.X_OK)
    parse_command(json.loads(of("CMD")[0]))


@pytest.mark.parametrize("value", ["user:pass word", "postgresql+asyncpg://a:$x`y`@h/n"])
def test_the_entry_point_hands_secret_files_to_prefect(tmp_path: Path, value: str) -> None:
    """Word for word, without the line's end; those of ultrathiio are left to it."""
    (tmp_path / "PREFECT_API_AUTH_STRING").write_text(value + "\n")
    (tmp_path / "ULTRATHIIO_RECEIVER__PASSWORD").write_text("secret")

    done = subprocess.run(
        [FOLDER / "entrypoint.sh", "env"],
        env={"PATH": os.environ["PATH"], "ULTRATHIIO_SECRETS_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert f"PREFECT_API_AUTH_STRING={value}" in done.stdout.splitlines()
    assert "RECEIVER__PASSWORD" not in done.stdout


def test_the_entry_point_needs_no_secrets_and_steps_aside(tmp_path: Path) -> None:
    """The command has its process: it gets the signals, and its exit code counts."""
    environment = {"PATH": os.environ["PATH"], "ULTRATHIIO_SECRETS_DIR": str(tmp_path / "none")}

    command = [FOLDER / "entrypoint.sh", "sh", "-c", "echo $$; exit 7"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        told, _ = process.communicate(timeout=10)

    assert (int(told), process.returncode) == (process.pid, 7)
