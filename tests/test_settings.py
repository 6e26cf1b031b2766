"""Settings come from environment, .env and secret files, and say by name what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel

from tasks.errors import SetupError
from tasks.settings import Settings, load_settings, require, variable_name

PROJECT = Path(__file__).resolve().parent.parent


def names_of(model: type[BaseModel], *location: str) -> set[str]:
    """Give the environment variables of all settings of a model."""
    names: set[str] = set()
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            names |= names_of(inner, *location, name)
        else:
            names.add(variable_name((*location, name)))
    return names


def test_environment_wins_over_the_env_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A variable beats the same name in .env; what only .env has still counts."""
    (tmp_path / ".env").write_text("ULTRATHIIO_ULTRACART__MERCHANT_ID=FILE\nULTRATHIIO_RECEIVER__PORT=9001\n")
    monkeypatch.setenv("ULTRATHIIO_ULTRACART__MERCHANT_ID", "DEMO")

    settings = load_settings()

    assert (settings.ultracart.merchant_id, settings.receiver.port) == ("DEMO", 9001)


def test_a_secret_can_come_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Docker and Kubernetes mount one secret a file."""
    (tmp_path / "ULTRATHIIO_ULTRACART__SIMPLE_KEY").write_text("key-of-the-file\n")
    monkeypatch.setenv("ULTRATHIIO_SECRETS_DIR", str(tmp_path))

    assert load_settings().ultracart.simple_key.get_secret_value() == "key-of-the-file"


def test_a_wrong_value_is_named_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the variable and the rule; a value might be a secret."""
    monkeypatch.setenv("ULTRATHIIO_RECEIVER__PORT", "hunter2")

    with pytest.raises(SetupError, match=r"ULTRATHIIO_RECEIVER__PORT: .*integer") as caught:
        load_settings()

    assert "hunter2" not in str(caught.value)


def test_an_empty_setting_is_named_when_it_is_needed() -> None:
    """`require` tells which variable to set."""
    with pytest.raises(SetupError, match="ULTRATHIIO_ULTRACART__SIMPLE_KEY is empty"):
        require(load_settings().ultracart.simple_key, "ultracart", "simple_key")


def test_secrets_are_not_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A settings object in a log shows no secret."""
    monkeypatch.setenv("ULTRATHIIO_ULTRACART__SIMPLE_KEY", "very-secret")

    assert "very-secret" not in repr(load_settings())


def test_every_setting_is_in_the_example() -> None:
    """deployments/example.env names every setting, and no other."""
    lines = (PROJECT / "deployments/example.env").read_text().splitlines()
    shown = {
        line.lstrip("# ").split("=")[0]
        for line in lines
        if "ULTRATHIIO_" in line.split("=")[0] and "=" in line
    }

    assert shown == names_of(Settings) | {"ULTRATHIIO_SECRETS_DIR", "ULTRATHIIO_HOME"}
