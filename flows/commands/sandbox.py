"""`ultrathiio sandbox`: both stand-ins on loopback until stopped."""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
from rich.console import Console
from rich.table import Table

from tasks.sandbox import Sandboxes, start_sandboxes


def run_sandbox(folder: Path | None, *, json_line: bool) -> int:
    """Serve both stand-ins until Ctrl-C or SIGTERM; print where and with which made-up credentials."""
    stopped = threading.Event()
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signal_number, lambda *_: stopped.set())
    with (
        TemporaryDirectory(prefix="ultrathiio-") as temporary,
        start_sandboxes(folder or Path(temporary), keep=True) as sandboxes,
    ):
        _print_addresses(sandboxes, json_line=json_line)
        stopped.wait()
    return 0


def _print_addresses(sandboxes: Sandboxes, *, json_line: bool) -> None:
    if json_line:
        sys.stdout.write(msgspec.json.encode(sandboxes.addresses()).decode() + "\n")
        sys.stdout.flush()
        return
    table = Table(title="Stand-ins of both systems, until Ctrl-C", show_header=False)
    for name, value in sandboxes.environment().items():
        table.add_row(name, value)
    Console().print(table)
