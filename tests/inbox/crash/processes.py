"""Processes that are started again whenever they end, as an init system or Prefect would."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ENDED = "It ends with "
"""A process that ends by an error says so with these words and the error's name."""
START_AGAIN_SECONDS = 0.2
"""Wait before one that ended by itself is started again; one that was killed is started at once."""
STOP_SECONDS = 15


class Kept:
    """One process. `ready` are the words in its log that say that it works; all it says is in `log`."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        ready: str,
        log: Path,
        environment: Mapping[str, str],
        **how: Any,
    ) -> None:
        self.name = name
        self.log = log
        self.killed = 0
        self.starts = 0
        self.ended: Counter[str] = Counter()
        """How often it ended by itself: by the error that it named, or else by its exit code."""
        self.frozen_until: float | None = None
        self._command = command
        self._ready = ready
        self._how = {"env": dict(environment), "cwd": log.parent, "stdin": subprocess.DEVNULL, **how}
        self._process: subprocess.Popen[bytes] | None = None
        self._start_at = 0.0
        self._begins = 0
        self._is_killed = False
        self.log.touch()

    @property
    def pid(self) -> int | None:
        """The process id while it lives."""
        return self._process.pid if self._process and self._process.poll() is None else None

    @property
    def is_ready(self) -> bool:
        """Tell whether it has said, since it was last started, that it works."""
        return self.pid is not None and self._ready in self._said()

    def tend(self) -> None:
        """Start it if it does not run, and wake it if it has been frozen for long enough."""
        if self.frozen_until is not None and time.monotonic() > self.frozen_until:
            self._thaw()
        if self.pid is not None:
            return
        if self._process is not None:
            self._note_end(self._process.returncode)
        if time.monotonic() >= self._start_at:
            self._begins = self.log.stat().st_size
            with self.log.open("ab") as log:
                self._process = subprocess.Popen(self._command, stdout=log, stderr=log, **self._how)
            self.starts += 1

    def kill(self) -> bool:
        """Kill it by SIGKILL and start it again; False if it does not run."""
        if self._process is None or self.pid is None:
            return False
        self._is_killed = True
        self._process.kill()
        self._process.wait()
        self.frozen_until = None
        self.killed += 1
        self.tend()
        return True

    def freeze(self, seconds: float) -> bool:
        """Let it stand still for a while, as a machine does that is out of memory."""
        if self.pid is None or self.frozen_until is not None:
            return False
        os.kill(self.pid, signal.SIGSTOP)
        self.frozen_until = time.monotonic() + seconds
        return True

    def stop(self, way: signal.Signals = signal.SIGTERM) -> None:
        """End it for good."""
        if self._process is None or self.pid is None:
            return
        self._thaw()
        self._process.send_signal(way)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _said(self) -> str:
        """Give what it has written to its log since it was last started."""
        return self.log.read_bytes()[self._begins :].decode(errors="replace")

    def _note_end(self, code: int) -> None:
        if not self._is_killed:
            said = [line for line in self._said().splitlines() if line.startswith(ENDED)]
            self.ended[said[-1].removeprefix(ENDED) if said else f"exit code {code}"] += 1
            self._start_at = time.monotonic() + START_AGAIN_SECONDS
        self._is_killed = False
        self._process = None

    def _thaw(self) -> None:
        if self.frozen_until is not None and self.pid is not None:
            os.kill(self.pid, signal.SIGCONT)
        self.frozen_until = None
