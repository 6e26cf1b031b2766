"""`ultrathiio demo`: the whole system once, for real, against stand-ins of both remote systems.

The stand-ins run in this process; the receiver and Prefect's server are children, as in production; every
flow runs through Prefect. Trouble is planted on the way, and the exit code tells whether all of it was found.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from flows.commands.demo_account import print_account, print_places
from flows.commands.demo_expectations import judge_findings
from flows.commands.local_prefect import child, free_port, prefect_environment, wait_until_answering
from tasks.database.engine import open_database
from tasks.errors import SetupError
from tasks.sandbox import Sandboxes, start_sandboxes

if TYPE_CHECKING:
    from flows.commands.demo_story import Outcome

MARK = ".ultrathiio-demo"
USERNAME, PASSWORD = "ultracart", "demo-password"


def run_demo(folder: Path) -> int:
    """Run the demo in `folder` and print its account; 0 only if everything planted was found."""
    console = Console()
    named, folder = folder, folder.resolve()
    _make_empty(folder)
    started = time.monotonic()
    with ExitStack() as stack:
        sandboxes = stack.enter_context(start_sandboxes(folder / "sandbox"))
        receiver_port, prefect_port = free_port(), free_port()
        os.environ.update(_environment(folder, sandboxes, receiver_port))
        os.environ.update(prefect_environment(folder, prefect_port))
        # The account tells the story; Prefect's own logs are in its UI.
        os.environ["PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL"] = "CRITICAL"
        with console.status("Starting receiver and Prefect server (about 10 seconds) …"):
            _start_servers(stack, folder, receiver_port, prefect_port)

        # Imported here: Prefect reads its settings from the environment when it is imported.
        from flows.commands.demo_story import DemoStory

        story = DemoStory(
            sandboxes, f"http://127.0.0.1:{receiver_port}/webhooks/ultracart", (USERNAME, PASSWORD)
        )
        for title, chapter in story.chapters():
            _tell(console, title, chapter)
        story.close()

        engine = open_database(os.environ["ULTRATHIIO_DATABASE_URL"])
        with engine.connect() as connection:
            findings = judge_findings(connection, story.planted, story.refunded_in_thiio())
            print_account(console, connection, findings)
    print_places(console, named)
    console.print(f"Done in {time.monotonic() - started:.0f} seconds.", highlight=False)
    return 0 if all(finding.found for finding in findings) else 1


def _make_empty(folder: Path) -> None:
    if folder.exists() and any(folder.iterdir()):
        if not (folder / MARK).exists():
            raise SetupError(f"{folder} holds files that are not of a demo. Name an empty or new folder.")
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARK).touch()


def _environment(folder: Path, sandboxes: Sandboxes, receiver_port: int) -> dict[str, str]:
    return {
        **sandboxes.environment(),
        "ULTRATHIIO_DATABASE_URL": f"sqlite:///{folder / 'ultrathiio.sqlite3'}",
        "ULTRATHIIO_RECEIVER__PORT": str(receiver_port),
        "ULTRATHIIO_RECEIVER__USERNAME": USERNAME,
        "ULTRATHIIO_RECEIVER__PASSWORD": PASSWORD,
        "ULTRATHIIO_ULTRACART__WEBHOOK_URL": f"http://127.0.0.1:{receiver_port}/webhooks/ultracart",
        "ULTRATHIIO_REPORT__FOLDER": str(folder / "reports"),
        "ULTRATHIIO_RECONCILE__SETTLE_MINUTES": "0",  # what the demo plants is seconds old
        "ULTRATHIIO_RECONCILE__FIRST_WINDOW_DAYS": "120",
        "ULTRATHIIO_PUSH__LOOKUP_WAIT_SECONDS": "0.2",
    }


def _start_servers(stack: ExitStack, folder: Path, receiver_port: int, prefect_port: int) -> None:
    receiver_log, prefect_log = folder / "logs/receiver.log", folder / "logs/prefect-server.log"
    prefect = stack.enter_context(child(["prefect", "server", "start"], {}, prefect_log))
    receiver = stack.enter_context(child(["flows", "receiver"], {}, receiver_log))
    wait_until_answering(f"http://127.0.0.1:{receiver_port}/ready", receiver, receiver_log)
    wait_until_answering(f"http://127.0.0.1:{prefect_port}/api/health", prefect, prefect_log)


def _tell(console: Console, title: str, chapter: Callable[[], Outcome]) -> None:
    started = time.monotonic()
    with console.status(f"{title} …"):
        outcome = chapter()
    mark = "[green]✓[/]" if outcome.is_good else "[yellow]![/]"
    seconds = f"[dim]{time.monotonic() - started:.1f} s[/]"
    console.print(f"{mark} {title}: {outcome.words} {seconds}", highlight=False)
