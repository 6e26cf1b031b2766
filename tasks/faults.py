"""Failures on demand: the next call that fits is delayed, refused, or loses its answer."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import Literal

Cut = Literal["before", "after"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What happens to a call: `cut` "before" it has effect, or "after" (done, but the answer is lost).

    With `status` and "after" it is done and answered with that status.
    """

    method: str | None = None
    path: str = ""
    status: int | None = None
    delay_seconds: float = 0.0
    cut: Cut | None = None
    times: int = 1

    def fits(self, method: str, path: str) -> bool:
        """Tell whether a call is meant: any method if none is named, any path that begins like `path`."""
        return self.method in (None, method) and path.startswith(self.path)


class Faults:
    """Faults in waiting, first planted first used."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []
        self._lock = threading.Lock()

    def add(
        self,
        *,
        method: str | None = None,
        path: str = "",
        status: int | None = None,
        delay_seconds: float = 0.0,
        cut: Cut | None = None,
        times: int = 1,
    ) -> None:
        """Plant a fault for the next `times` calls whose path begins with `path`."""
        fault = Fault(
            method=method, path=path, status=status, delay_seconds=delay_seconds, cut=cut, times=times
        )
        with self._lock:
            self._waiting.append(fault)

    def take(self, method: str, path: str) -> Fault | None:
        """Use up one time of the first fault that fits a call."""
        with self._lock:
            for index, fault in enumerate(self._waiting):
                if fault.fits(method, path):
                    left = replace(fault, times=fault.times - 1)
                    self._waiting[index : index + 1] = [left] if left.times > 0 else []
                    return fault
        return None
