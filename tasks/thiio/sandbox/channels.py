"""Channels of the stand-in: who is told of which event, and the deliveries, well-behaved or not.

Source of the channel: thiio.atlassian.net, page 2949152778, "Subscribe"; of what makes an event happen: page
2933882888. Assumed: the body (see `tasks/thiio/webhook_body.py`), one event a delivery, and that a delivery
which was not taken is tried again: what is switchable here is ours.
"""

from __future__ import annotations

import uuid
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import RLock
from typing import Any

import httpx

ANSWER_SECONDS = 30.0
FIELDS = ("alias", "method", "url", "event")
"""What a channel's body must hold, each a text."""


@dataclass(slots=True)
class DeliveryReport:
    """What one `deliver()` did; an event is counted once a channel."""

    delivered: int = 0
    failed: int = 0
    lost: int = 0
    held_back: int = 0
    duplicates: int = 0


@dataclass(slots=True)
class _Channel:
    metadata: dict[str, str]
    waiting: deque[dict[str, Any]] = field(default_factory=deque)


class EventChannels:
    """The channels, each with its waiting events."""

    def __init__(self) -> None:
        self._channels: dict[str, _Channel] = {}
        self._lock = RLock()
        self._lose: list[str | None] = []
        self._duplicate: list[str | None] = []
        self._hold_back: list[str | None] = []

    def add(self, body: Any) -> tuple[str, dict[str, str]] | dict[str, list[str]]:
        """Make a channel and give its id and metadata; or name the fields that are missing or no text."""
        given = body if isinstance(body, dict) else {}
        wrong = [name for name in FIELDS if not isinstance(given.get(name), str) or not given[name]]
        if wrong:
            return {name: [f"The {name} field is required."] for name in wrong}
        id, metadata = str(uuid.uuid4()), {name: given[name] for name in FIELDS}
        with self._lock:
            self._channels[id] = _Channel(metadata)
        return id, metadata

    def remove(self, id: str) -> bool:
        """End a channel, with what waits in it; tell whether it was there."""
        with self._lock:
            return self._channels.pop(id, None) is not None

    def show(self) -> list[dict[str, str]]:
        """Show the metadata of all channels."""
        with self._lock:
            return [channel.metadata for channel in self._channels.values()]

    def happen(self, event: str, type: str, id: int) -> None:
        """Put an event about a record into every channel that asked for it."""
        body = {"event": event, "type": type, "id": id, "date": datetime.now(UTC).isoformat()}
        with self._lock:
            for channel in self._channels.values():
                if channel.metadata["event"] == event:
                    channel.waiting.append(body)

    def lose_next(self, event: str | None = None) -> None:
        """Never send the next event of this name (None: of any)."""
        self._lose.append(event)

    def duplicate_next(self, event: str | None = None) -> None:
        """Send the next event of this name twice, though it was taken."""
        self._duplicate.append(event)

    def hold_back_next(self, event: str | None = None) -> None:
        """Leave the next event of this name for a later `deliver()`, so that others overtake it."""
        self._hold_back.append(event)

    def deliver(self) -> DeliveryReport:
        """Send what waits; a channel stops at the first delivery that is not taken, and keeps it."""
        report = DeliveryReport()
        with self._lock:
            channels = list(self._channels.values())
        with httpx.Client(timeout=ANSWER_SECONDS) as client:
            for channel in channels:
                self._empty(client, channel, report)
        return report

    def _empty(self, client: httpx.Client, channel: _Channel, report: DeliveryReport) -> None:
        with self._lock:
            sending, channel.waiting = channel.waiting, deque()
        held_back: list[dict[str, Any]] = []
        while sending:
            event = sending.popleft()
            if _use_up(self._lose, event["event"]):
                report.lost += 1
            elif _use_up(self._hold_back, event["event"]):
                report.held_back += 1
                held_back.append(event)
            elif not _post(client, channel.metadata["url"], event):
                report.failed += 1
                sending.appendleft(event)
                break
            else:
                report.delivered += 1
                if _use_up(self._duplicate, event["event"]):
                    report.duplicates += 1
                    _post(client, channel.metadata["url"], event)
        with self._lock:
            channel.waiting.extendleft(reversed([*held_back, *sending]))


def _post(client: httpx.Client, url: str, event: dict[str, Any]) -> bool:
    """Send one event; httpx gives the address's user name and password as Basic credentials."""
    try:
        return client.post(url, json=event).is_success
    except httpx.TransportError:
        return False


def _use_up(names: list[str | None], event: str) -> bool:
    for name in (event, None):
        if name in names:
            names.remove(name)
            return True
    return False
