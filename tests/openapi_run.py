"""Make the calls of a server's OpenAPI document, right and wrong ones, and compare the answers with it.

The calls are schemathesis'; it runs as a process of its own, because it brings its own test runner.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

CHECKS = (
    "not_a_server_error", "status_code_conformance", "content_type_conformance",
    "response_headers_conformance", "response_schema_conformance", "ignored_auth",
)  # fmt: skip
ANSWER_SECONDS = 10
RUN_SECONDS = 100
"""A run that hangs must fail its test, not stop the suite."""


def call_all(url: str, *options: str, examples: int, config: Path, report: Path) -> dict[str, Any]:
    """Call every operation of the document at `url` and give schemathesis' report; fails with what it found.

    Each operation is called with the bounds of what it takes, and with `examples` made-up inputs, the same
    ones every time.
    """
    command = [
        sys.executable, "-m", "schemathesis.cli", "--config-file", str(config), "run", url, *options,
        "--checks", ",".join(CHECKS), "--phases", "coverage,fuzzing", "--max-examples", str(examples),
        "--generation-deterministic", "--workers", "1", "--request-timeout", str(ANSWER_SECONDS),
        "--no-color", "--report", "json", "--report-json-path", str(report),
    ]  # fmt: skip
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=report.parent, timeout=RUN_SECONDS
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(report.read_text())
    return found
