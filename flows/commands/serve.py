"""`ultrathiio serve`: receiver, Prefect server with UI, and every deployment on its schedule, in one go."""

from __future__ import annotations

import os
import signal
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from rich.console import Console

import flows
from flows.commands.local_prefect import (
    child,
    prefect_environment,
    require_free,
    wait_until_answering,
)
from tasks.database.engine import open_database
from tasks.errors import SetupError
from tasks.sandbox import Sandboxes, start_sandboxes
from tasks.settings import ReceiverSettings, load_settings

POOL = "batch"
PARALLEL_RUNS = "2"
DELIVERY_SECONDS = 2.0
LOOK_SECONDS = 1.0
PROJECT = Path(flows.__file__).resolve().parent.parent


def run_everything(folder: Path, *, with_sandbox: bool, ui_port: int) -> int:
    """Start everything, wait for Ctrl-C or SIGTERM, stop everything in the reverse order.

    If one of the servers ends by itself, everything is stopped and the exit code is 1: half of it would go
    unnoticed.
    """
    stopped = threading.Event()
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signal_number, lambda *_: stopped.set())
    console = Console()
    folder = folder.resolve()
    with ExitStack() as stack:
        if with_sandbox:
            _point_at_sandbox(stack, folder)
        servers = _start_servers(stack, console, folder, ui_port)
        console.print(f"Logs: {folder / 'logs'}. Stop with Ctrl-C.", highlight=False)
        ended = _wait(stopped, servers)
        if ended is not None:
            console.print(f"[red]The {ended} ended by itself.[/] Read {folder / 'logs'}.", highlight=False)
        console.print("Stopping …")
    return 0 if ended is None else 1


def _start_servers(
    stack: ExitStack, console: Console, folder: Path, ui_port: int
) -> dict[str, subprocess.Popen[bytes]]:
    """Start receiver, Prefect server and worker, and give them by name."""
    settings = load_settings()
    require_free("127.0.0.1", ui_port, "Name another port with --ui-port.")
    require_free(settings.receiver.host, settings.receiver.port, "Set ULTRATHIIO_RECEIVER__PORT.")
    os.environ["ULTRATHIIO_HOME"] = str(Path.cwd())
    os.environ.update(prefect_environment(folder, ui_port))
    open_database(settings.database_url.get_secret_value()).dispose()

    scheme = "https" if settings.receiver.tls_certificate else "http"
    receiver_url = f"{scheme}://{settings.receiver.host}:{settings.receiver.port}"
    log, trust = folder / "logs/receiver.log", _trust(settings.receiver)
    receiver = _start(stack, ["flows", "receiver"], log, f"{receiver_url}/health", trust)
    console.print(f"Receiver: {receiver_url}/webhooks/ultracart", highlight=False)
    ui_url = f"http://127.0.0.1:{ui_port}"
    with console.status("Prefect server is starting (about 10 seconds) …"):
        log = folder / "logs/prefect-server.log"
        prefect = _start(stack, ["prefect", "server", "start"], log, f"{ui_url}/api/health")
        _deploy()
    words = ["prefect", "worker", "start", "--pool", POOL, "--limit", PARALLEL_RUNS]
    worker = child(words, {"PREFECT_WORKER_QUERY_SECONDS": "3"}, folder / "logs/worker.log")
    console.print(f"Prefect UI: {ui_url}", highlight=False)
    return {"receiver": receiver, "Prefect server": prefect, "worker": stack.enter_context(worker)}


def _wait(stopped: threading.Event, servers: dict[str, subprocess.Popen[bytes]]) -> str | None:
    """Wait for Ctrl-C or SIGTERM; or give the name of a server that ended by itself."""
    while not stopped.wait(LOOK_SECONDS):
        for name, process in servers.items():
            if process.poll() is not None:
                return name
    return None


def _point_at_sandbox(stack: ExitStack, folder: Path) -> None:
    sandboxes = stack.enter_context(start_sandboxes(folder / "sandbox", keep=True))
    os.environ.update(
        {
            **sandboxes.environment(),
            "ULTRATHIIO_RECEIVER__USERNAME": "ultracart",
            "ULTRATHIIO_RECEIVER__PASSWORD": "sandbox-password",
            "ULTRATHIIO_DATABASE_URL": f"sqlite:///{folder / 'ultrathiio.sqlite3'}",
            "ULTRATHIIO_REPORT__FOLDER": str(folder / "reports"),
        }
    )
    receiver = load_settings().receiver
    url = f"http://{receiver.host}:{receiver.port}/webhooks/ultracart"
    os.environ["ULTRATHIIO_ULTRACART__WEBHOOK_URL"] = url
    sandboxes.ultracart.move_webhooks(url, receiver.username, receiver.password.get_secret_value())
    stack.enter_context(_deliveries_of(sandboxes))


@contextmanager
def _deliveries_of(sandboxes: Sandboxes) -> Iterator[None]:
    """Let UltraCart's stand-in send its webhooks by itself, as the real one does."""
    stopped = threading.Event()

    def deliver() -> None:
        while not stopped.wait(DELIVERY_SECONDS):
            sandboxes.ultracart.deliver()

    thread = threading.Thread(target=deliver, name="sandbox-deliveries", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()


def _trust(settings: ReceiverSettings) -> ssl.SSLContext | bool:
    """Trust the receiver's own certificate alone, which is for the name by which others call it."""
    if settings.tls_certificate is None:
        return True
    context = ssl.create_default_context(cafile=settings.tls_certificate)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def _start(
    stack: ExitStack, words: list[str], log: Path, health_url: str, trust: ssl.SSLContext | bool = True
) -> subprocess.Popen[bytes]:
    process = stack.enter_context(child(words, {}, log))
    wait_until_answering(health_url, process, log, trust)
    return process


def _deploy() -> None:
    """Register every deployment of prefect.yaml, as an operator would by hand."""
    for words in (
        ["work-pool", "create", POOL, "--type", "process", "--overwrite"],
        ["deploy", "--all", "--no-prompt"],
    ):
        done = subprocess.run(  # noqa: S603  # our own Python, our own words
            [sys.executable, "-m", "prefect", *words],
            cwd=PROJECT,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SetupError(f"prefect {' '.join(words)} failed:\n{done.stdout}{done.stderr}")
