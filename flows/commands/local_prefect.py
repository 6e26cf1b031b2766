"""A Prefect server of this machine's own, as a child process, for the demo and for `serve`."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

from tasks.errors import SetupError

START_SECONDS = 90
STOP_SECONDS = 20


def prefect_environment(folder: Path, port: int) -> dict[str, str]:
    """Give the variables for a Prefect that keeps its history in `folder` and sends nothing home."""
    return {
        "PREFECT_HOME": str(folder / "prefect"),
        # Set by variable, not by --port: the UI of a server started with --port calls port 4200.
        "PREFECT_SERVER_API_HOST": "127.0.0.1",
        "PREFECT_SERVER_API_PORT": str(port),
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        # By default every page that a browser here shows, of whatever site, may start flows of this server.
        "PREFECT_SERVER_CORS_ALLOWED_ORIGINS": f"http://127.0.0.1:{port},http://localhost:{port}",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        "DO_NOT_TRACK": "1",
        # The defaults digest one task run at a time; these are three times as fast.
        "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "50",
        "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_READ_BATCH_SIZE": "50",
        "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "1",
        "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_BATCH_SIZE": "100",
        "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_READ_BATCH_SIZE": "50",
        "PREFECT_LOGGING_EXTRA_LOGGERS": "flows,tasks",
    }


def free_port() -> int:
    """Find a port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def require_free(host: str, port: int, remedy: str) -> None:
    """Raise `SetupError` if somebody listens on a port: we would take that server for our own."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise SetupError(f"{host}:{port} cannot be listened on ({error.strerror}). {remedy}") from error


@contextmanager
def child(
    words: Sequence[str], environment: Mapping[str, str], log: Path, cwd: Path | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run `python -m …` as a child for a block, its output in a log file, and stop it at the end.

    The child is the leader of a session of its own: a Ctrl-C reaches it through us, in our order.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603  # our own Python, our own words
            [sys.executable, "-m", *words],
            env={**os.environ, **environment},
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            cwd=cwd,
        )
    try:
        yield process
    finally:
        stop(process)


def stop(process: subprocess.Popen[bytes]) -> None:
    """Ask a child to end, and end its whole session if it does not."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def wait_until_answering(
    url: str, process: subprocess.Popen[bytes], log: Path, trust: ssl.SSLContext | bool = True
) -> None:
    """Wait until a child's server answers 200; raise `SetupError` naming its log if it ended or is late."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise SetupError(f"A server ended while starting (exit code {process.returncode}). Read {log}.")
        try:
            if httpx.get(url, timeout=2, verify=trust).status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    raise SetupError(f"A server did not answer at {url} within {START_SECONDS} seconds. Read {log}.")
