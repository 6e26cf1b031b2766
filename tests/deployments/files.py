"""The files of deployments/, read as those read them who use them, and what they may name."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml
from cyclopts import App
from prefect.cli._app import _app as prefect_command_line
from prefect.settings import Settings as PrefectSettings
from prefect.settings.legacy import _get_settings_fields
from pydantic import BaseModel

from flows.__main__ import app as our_command_line
from tasks.settings import PREFIX, Settings

PROJECT = Path(__file__).resolve().parent.parent.parent
FOLDER = PROJECT / "deployments"
OWN_VARIABLES = {f"{PREFIX}HOME", f"{PREFIX}SECRETS_DIR"}
"""They are read beside the settings."""
PROGRAMS: dict[str, App] = {"ultrathiio": our_command_line, "prefect": prefect_command_line}
FOR_THE_SESSION = "--no-prompt"
"""Prefect takes it before it looks at the command."""
OF_ITS_PARTS = {"PREFECT_REDIS_MESSAGING_URL", "PREFECT_INTEGRATIONS_KUBERNETES_OBSERVER_NAMESPACES"}
"""Settings of prefect-redis and prefect-kubernetes, which are only in the image."""
VARIABLE = re.compile(r"\b(?:ULTRATHIIO|PREFECT)_[A-Z0-9_]+\b")


def read_yaml(name: str) -> Any:
    """Read one file of one document."""
    return yaml.safe_load((FOLDER / name).read_text())


def our_variables(model: type[BaseModel] = Settings, before: str = PREFIX) -> set[str]:
    """Give the name of every environment variable that sets something."""
    names: set[str] = set()
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            names |= our_variables(inner, f"{before}{name.upper()}__")
        else:
            names.add(f"{before}{name.upper()}")
    return names | (OWN_VARIABLES if model is Settings else set())


def prefect_variables() -> set[str]:
    """Give the name of every setting of Prefect, old names too, and of its parts."""
    return {*OF_ITS_PARTS, *_get_settings_fields(PrefectSettings)}


def parse_command(command: list[str]) -> None:
    """Let the program itself parse its words; raises cyclopts' error on one that it does not know."""
    program, *words = [word for word in command if word != FOR_THE_SESSION]
    PROGRAMS[program].parse_args(words, exit_on_error=False, print_error=False)
