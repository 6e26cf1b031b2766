"""The deployments reach a real Prefect server, as an operator registers them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
import yaml
from prefect.settings import PREFECT_API_URL

PROJECT = Path(__file__).resolve().parent.parent.parent


def prefect(*words: str) -> None:
    """Run Prefect's command line against the server of the tests."""
    environment = os.environ | {"PREFECT_API_URL": str(PREFECT_API_URL.value())}
    done = subprocess.run(
        [sys.executable, "-m", "prefect", *words],
        cwd=PROJECT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.timeout(180)
def test_all_deployments_can_be_registered_twice() -> None:
    """`prefect deploy --all` takes every one, and a second time keeps each schedule by its slug."""
    prefect("work-pool", "create", "batch", "--type", "process", "--overwrite")

    prefect("deploy", "--all", "--no-prompt")
    prefect("deploy", "--all", "--no-prompt")

    known = httpx.post(f"{PREFECT_API_URL.value()}/deployments/filter", json={}).json()
    found = [each for each in known if each["work_pool_name"] == "batch"]
    file = yaml.safe_load((PROJECT / "prefect.yaml").read_text())
    assert sorted(each["entrypoint"] for each in found) == sorted(
        each["entrypoint"] for each in file["deployments"]
    )
    slugs = [schedule["slug"] for each in found for schedule in each["schedules"]]
    assert len(slugs) == len(set(slugs)) == sum("schedules" in each for each in file["deployments"])
