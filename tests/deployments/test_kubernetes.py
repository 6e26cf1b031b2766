"""The Kubernetes manifests: what is named exists, labels meet, nobody has more rights than it needs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from sqlalchemy import Engine

from tasks.inbox.receiver import create_app
from tasks.settings import ReceiverSettings, Settings
from tests.deployments.files import FOLDER, VARIABLE, our_variables, parse_command, prefect_variables

KUBERNETES = FOLDER / "kubernetes"
NAME = "app.kubernetes.io/name"
SECRETS = {"ultrathiio-receiver", "ultrathiio-worker", "ultrathiio-prefect", "receiver-tls"}
"""Those that README.md makes, and the certificate."""
REACHED_BY = {
    "receiver": {5432},
    "worker": {5432, 4200, 443},
    "run": {5432, 4200, 443},
    "prefect-server": {5432, 443},
    "migrate": {5432},
    "deploy": {4200},
}
"""To which ports each may go, DNS aside."""


def documents(folder: str) -> Iterator[dict[str, Any]]:
    """Give every object of a folder's resources, those of other folders too."""
    kustomization = yaml.safe_load((KUBERNETES / folder / "kustomization.yaml").read_text())
    for name in kustomization["resources"]:
        path = KUBERNETES / folder / name
        if path.is_dir():
            yield from documents(str(path.resolve().relative_to(KUBERNETES.resolve())))
        else:
            yield from yaml.safe_load_all(path.read_text())


ALL = list(documents("example"))
PODS = {
    each["metadata"]["name"]: each["spec"]["template"] for each in ALL if "template" in each.get("spec", {})
}
BOXES = {name: pod["spec"]["containers"][0] for name, pod in PODS.items()}
POLICIES = {each["metadata"]["name"]: each["spec"] for each in ALL if each["kind"] == "NetworkPolicy"}


def names_of(kind: str) -> set[str]:
    """Give the names of all objects of a kind."""
    return {each["metadata"]["name"] for each in ALL if each["kind"] == kind}


def find(value: Any, key: str) -> Iterator[Any]:
    """Give what stands under a key anywhere in an object."""
    if isinstance(value, dict):
        yield from (inner for name, inner in value.items() if name == key)
        value = list(value.values())
    if isinstance(value, list):
        for inner in value:
            yield from find(inner, key)


def test_every_file_is_used() -> None:
    """A manifest that no kustomization names is never applied."""
    for folder in ("base", "example", "pod-per-run"):
        kustomization = yaml.safe_load((KUBERNETES / folder / "kustomization.yaml").read_text())
        named = {*kustomization["resources"], *(patch["path"] for patch in kustomization.get("patches", []))}
        there = {path.name for path in (KUBERNETES / folder).glob("*.yaml")} - {"kustomization.yaml"}
        assert {name for name in named if not name.startswith("..")} == there


def test_whatever_is_named_exists() -> None:
    """Settings, secrets, storage, services, accounts."""
    assert {each["name"] for each in find(ALL, "configMapRef")} == names_of("ConfigMap")
    assert set(find(ALL, "secretName")) == SECRETS
    assert set(find(ALL, "claimName")) == names_of("PersistentVolumeClaim")
    backends = [each["service"]["name"] for each in find(ALL, "backend")]
    assert backends
    assert set(backends) <= names_of("Service")
    assert {each["name"] for each in find(ALL, "scaleTargetRef")} <= names_of("Deployment")
    secrets_text = (KUBERNETES / "base/settings.yaml").read_text().split("apiVersion")[0]
    assert [name for name in SECRETS - {"receiver-tls"} if name not in secrets_text] == []


def test_a_patch_of_the_example_changes_what_is_there() -> None:
    """The same settings with other values."""
    patch = yaml.safe_load((KUBERNETES / "example/settings.yaml").read_text())
    [patched] = [each for each in ALL if each["metadata"]["name"] == patch["metadata"]["name"]]

    assert set(patch["data"]) < set(patched["data"])


def test_labels_meet() -> None:
    """Each selector finds the pods that it is meant for, and each pod has a rule of the network."""
    labels = {name: pod["metadata"]["labels"] for name, pod in PODS.items()}
    selectors = [each["spec"]["selector"] for each in ALL if each["kind"] == "Service"]
    selectors += list(find(ALL, "matchLabels"))
    wanted = [selector[NAME] for selector in selectors if NAME in selector]

    assert wanted
    assert set(wanted) - {"run"} == {each[NAME] for each in labels.values()}
    for each in ALL:
        if each["kind"] in ("Deployment", "PodDisruptionBudget"):
            assert each["spec"]["selector"]["matchLabels"] == labels[each["metadata"]["name"]]
    assert {each[NAME] for each in labels.values()} <= set(POLICIES)


def test_one_image_everywhere() -> None:
    """Pinned by the kustomization, to the version of the project."""
    base, example = (
        yaml.safe_load((KUBERNETES / folder / "kustomization.yaml").read_text())["images"]
        for folder in ("base", "example")
    )

    assert {box["image"] for box in BOXES.values()} == {"ultrathiio"}
    assert [each["name"] for each in base + example] == ["ultrathiio"] * 2
    assert {each["newTag"] for each in base + example} == {"0.1.0"}


@pytest.mark.parametrize("name", PODS)
def test_a_pod_can_do_little(name: str) -> None:
    """What the namespace's level `restricted` asks for, a root file system that is read-only, bounds."""
    pod, box = PODS[name]["spec"], BOXES[name]

    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] == 10001
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    assert pod["enableServiceLinks"] is False
    assert box["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {"cpu", "memory"} <= set(box["resources"]["requests"])
    assert "memory" in box["resources"]["limits"]
    mounted = {mount["name"]: mount["mountPath"] for mount in box["volumeMounts"]}
    assert set(mounted) == {volume["name"] for volume in pod["volumes"]}
    assert mounted["tmp"] == "/tmp"  # noqa: S108  # a container's own
    [settings] = [each for each in ALL if each["metadata"]["name"] == "ultrathiio-settings"]
    assert mounted["secrets"] == settings["data"]["ULTRATHIIO_SECRETS_DIR"]


def test_a_run_s_own_pod_can_do_as_little() -> None:
    """The work pool's template: rights, settings, secrets and files of a worker, and the same image."""
    pool = json.loads((KUBERNETES / "pod-per-run/work-pool.json").read_text())
    manifest = pool["job_configuration"]["job_manifest"]
    pod, worker = manifest["spec"]["template"]["spec"], PODS["worker"]["spec"]
    [box], [workers] = pod["containers"], worker["containers"]
    fields = pool["variables"]["properties"]

    assert manifest["spec"]["template"]["metadata"]["labels"][NAME] == "run"
    for name in ("securityContext", "automountServiceAccountToken", "enableServiceLinks", "volumes"):
        assert pod[name] == worker[name], name
    for name in ("securityContext", "envFrom", "volumeMounts"):
        assert box[name] == workers[name], name
    assert set(re.findall(r"{{ (\w+) }}", json.dumps(pool["job_configuration"]))) <= set(fields)
    assert fields["image"]["default"] == "ultrathiio:0.1.0"
    assert fields["namespace"]["default"] == "ultrathiio"


def test_pods_for_runs_are_started_by_the_worker_alone() -> None:
    """Commands exist; the rights are bound to its account; the template is where the job looks for it."""
    worker, deploy = (
        yaml.safe_load((KUBERNETES / f"pod-per-run/{name}.yaml").read_text()) for name in ("worker", "deploy")
    )
    pod = worker["spec"]["template"]["spec"]
    rights = list(yaml.safe_load_all((KUBERNETES / "pod-per-run/rights.yaml").read_text()))
    [shell] = find(deploy, "args")
    commands = [command.split() for command in shell[2].split(" && ")]

    parse_command(pod["containers"][0]["args"])
    for command in commands:
        parse_command(command)
    template = commands[0][commands[0].index("--base-job-template") + 1]
    assert (FOLDER.parent / template.removeprefix("/app/")).exists()
    assert "kubernetes" in commands[0]
    assert "kubernetes" in pod["containers"][0]["args"]
    assert [each["metadata"]["name"] for each in (worker, deploy)] == ["worker", "deploy-0-1-0"]
    assert {"worker", "deploy-0-1-0"} <= set(PODS)
    [account] = [each["metadata"]["name"] for each in rights if each["kind"] == "ServiceAccount"]
    assert pod["serviceAccountName"] == account
    assert [each["name"] for each in next(find(rights, "subjects"))] == [account]


@pytest.mark.parametrize("name", BOXES)
def test_every_command_exists(name: str) -> None:
    """With every option."""
    words = BOXES[name]["args"]
    for command in words[2].split(" && ") if words[0] == "sh" else [" ".join(words)]:
        parse_command(command.split())


def test_every_variable_is_a_setting() -> None:
    """Ours or Prefect's; a misspelt one would be ignored in silence."""
    text = "".join(path.read_text() for path in KUBERNETES.rglob("*.*"))

    assert set(VARIABLE.findall(text)) - our_variables() - prefect_variables() == set()


def test_probes_and_the_ingress_ask_for_what_the_receiver_has(engine: Engine) -> None:
    """/health while it lives, /ready while it can store; public are the webhooks alone."""
    receiver = ReceiverSettings.model_validate({"username": "u", "password": "p"})
    url = engine.url.render_as_string(hide_password=False)
    settings = Settings.model_validate({"receiver": receiver, "database_url": url})
    routes = {getattr(route, "path", "") for route in create_app(settings).routes}
    box = BOXES["receiver"]
    [public] = [path["path"] for path in next(find([e for e in ALL if e["kind"] == "Ingress"], "paths"))]

    assert box["livenessProbe"]["httpGet"]["path"] == "/health"
    assert box["readinessProbe"]["httpGet"]["path"] == "/ready"
    assert {"/health", "/ready", PODS["receiver"]["metadata"]["annotations"]["prometheus.io/path"]} <= routes
    assert public == "/webhooks"
    assert {route for route in routes if route.startswith(public)} == {
        "/webhooks/ultracart",
        "/webhooks/thiio",
    }


@pytest.mark.parametrize("name", [name for name, box in BOXES.items() if "livenessProbe" in box])
def test_ports_have_one_name(name: str) -> None:
    """Probes, services and the network's rules mean the port that the container has."""
    [port] = BOXES[name]["ports"]
    probed = {BOXES[name][f"{kind}Probe"]["httpGet"]["port"] for kind in ("startup", "liveness", "readiness")}
    served = [
        target["targetPort"]
        for each in ALL
        if each["kind"] == "Service" and each["spec"]["selector"] == {NAME: name}
        for target in each["spec"]["ports"]
    ]
    allowed = [each["port"] for rule in POLICIES[name]["ingress"] for each in rule["ports"]]

    assert probed == {port["name"]}
    assert set(served) <= {port["name"]}
    assert set(allowed) <= {port["containerPort"]}


def test_the_network_lets_through_what_is_needed_and_nothing_else() -> None:
    """All is denied at first; the receiver reaches Postgres only, nobody reaches a worker."""
    assert POLICIES["default-deny"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    allowing = {name: policy for name, policy in POLICIES.items() if name != "default-deny"}
    for name, policy in allowing.items():
        ports = {each["port"] for rule in policy["egress"] for each in rule["ports"]}
        assert ports - {53} == REACHED_BY[name], name
        assert policy["policyTypes"] == ["Ingress", "Egress"]
    assert {name for name, policy in allowing.items() if policy["ingress"]} == {"receiver", "prefect-server"}
    callers = [
        each["podSelector"]["matchLabels"][NAME] for each in POLICIES["prefect-server"]["ingress"][0]["from"]
    ]
    assert callers == [name for name, ports in REACHED_BY.items() if 4200 in ports]
