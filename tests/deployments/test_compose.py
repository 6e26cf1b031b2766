"""The compose files: pinned, without root, each service with its own secrets, commands that exist."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.deployments.files import (
    FOLDER,
    VARIABLE,
    our_variables,
    parse_command,
    prefect_variables,
    read_yaml,
)

FILES = ["compose.yaml", "compose.replicas.yaml"]
ONE, REPLICAS = (read_yaml(name) for name in FILES)
NEW = {name for name, service in REPLICAS["services"].items() if "image" in service}
SERVICES: dict[str, dict[str, Any]] = ONE["services"] | {name: REPLICAS["services"][name] for name in NEW}
OURS = {name: service for name, service in SERVICES.items() if service["image"].startswith("ultrathiio:")}
SERVERS = {name for name in SERVICES if SERVICES[name].get("restart") == "unless-stopped"}
WITHOUT_PORT = {"prefect-services"}
PORTS = {"receiver": "8088/health", "prefect-server": "4200/api/health", "worker": "8080/health"}


def commands_of(service: dict[str, Any]) -> list[list[str]]:
    """Give a service's command, or those that a shell runs for it."""
    command = service["command"]
    if command[:2] == ["sh", "-c"]:
        return [part.split() for part in command[2].split(" && ")]
    return [command]


def test_every_image_is_pinned() -> None:
    """To a version, and ours is one and the same everywhere."""
    assert all(re.search(r":\d+\.\d+", service["image"]) for service in SERVICES.values())
    assert len({service["image"] for service in OURS.values()}) == 1


@pytest.mark.parametrize("service", OURS.values(), ids=OURS)
def test_our_services_can_do_little(service: dict[str, Any]) -> None:
    """No root, nothing written but to /tmp and volumes, no capability, no way to get one."""
    assert service["user"] == "10001:10001"
    assert service["read_only"] is True
    assert service["tmpfs"] == ["/tmp"]  # noqa: S108  # a container's own
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]


@pytest.mark.parametrize("name", sorted(SERVERS))
def test_servers_are_bounded_and_watched(name: str) -> None:
    """Memory, CPU, processes; and whether it works is asked at a port that it has."""
    service = SERVICES[name]

    assert {"mem_limit", "cpus", "pids_limit"} <= set(service)
    if name in PORTS:
        assert (
            service.get("environment", {})
            .get("HEALTH_URL", "http://127.0.0.1:8088/health")
            .endswith(PORTS[name])
        )
    else:
        assert "test" in service["healthcheck"] or name in WITHOUT_PORT


@pytest.mark.parametrize("service", OURS.values(), ids=OURS)
def test_every_command_exists(service: dict[str, Any]) -> None:
    """With every option: ultrathiio's and Prefect's own command lines parse it."""
    for command in commands_of(service):
        parse_command(command)


@pytest.mark.parametrize("name", FILES)
def test_every_variable_is_a_setting(name: str) -> None:
    """Ours or Prefect's; a misspelt one would be ignored in silence."""
    text = (FOLDER / name).read_text()

    assert set(VARIABLE.findall(text)) - our_variables() - prefect_variables() == set()


def test_every_secret_is_a_file_and_used() -> None:
    """A file is named like its variable; the receiver, which the world can reach, has two of them."""
    used = {secret for service in SERVICES.values() for secret in service.get("secrets", [])}
    files = {name: secret["file"] for name, secret in ONE["secrets"].items()}

    assert used == set(files)
    assert (
        files.pop("PREFECT_SERVER_API_AUTH_STRING") == "secrets/PREFECT_API_AUTH_STRING"
    )  # one and the same
    assert files == {name: f"secrets/{name}" for name in files}
    receiver = {"ULTRATHIIO_DATABASE_URL", "ULTRATHIIO_RECEIVER__PASSWORD"}
    assert set(SERVICES["receiver"]["secrets"]) == receiver


def test_whoever_is_waited_for_exists_and_can_be_waited_for() -> None:
    """A service that must be healthy has a health check; one that must have completed ends."""
    for name, service in SERVICES.items():
        for other, how in service.get("depends_on", {}).items():
            assert other in SERVICES, name
            if how["condition"] == "service_completed_successfully":
                assert other not in SERVERS, name
            else:
                assert not SERVICES[other].get("healthcheck", {}).get("disable"), name


def test_nothing_is_published_to_the_world() -> None:
    """Only to the machine itself; Postgres and Redis not even there."""
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}

    assert set(published) == {"receiver", "prefect-server"}
    assert all(port.startswith("127.0.0.1:") for ports in published.values() for port in ports)


def test_replicas_share_redis_and_one_has_the_services() -> None:
    """Without all six settings, several servers schedule runs twice."""
    shared = REPLICAS["x-by-redis"]
    server, services = REPLICAS["services"]["prefect-server"], SERVICES["prefect-services"]

    assert server["environment"] == shared
    assert shared.items() <= services["environment"].items()
    assert len(shared) == 6
    assert server["command"][-1] == "--no-services"
    assert services["command"] == ["prefect", "server", "services", "start"]
