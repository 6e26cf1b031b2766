"""A sender's connection, bounded in time and in bytes, so that none can starve the others.

uvicorn has no time-out for a request that does not come or does not end, and its parser no limit for headers.
A connection that waits for a request gives way to a newer one when there are too many; one whose request is
being answered never does. Sources: uvicorn's `HttpToolsProtocol`, and RFC 9110 for the statuses.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from enum import Enum, auto
from http import HTTPStatus
from typing import Any, ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from tasks.inbox.metrics import ReceiverMetrics
from tasks.inbox.request_body import DROPPED_BYTES
from tasks.settings import ReceiverSettings

HEAD_BYTES = 64_000
FRAMING = 2
"""A chunked body may take so many times its own bytes: chunks and trailers are not read for ever."""
GRACE_SECONDS = 1.0
"""The application times the body as well, and answers better; this is for a body that it does not read."""


class _Stage(Enum):
    """What a connection waits for."""

    NOTHING = auto()  # our own answer, or uvicorn's time-out for idle connections
    HEAD = auto()
    BODY = auto()


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a head and a body may take (seconds), how many connections there may be, the longest body."""

    head_seconds: float
    body_seconds: float
    connections: int
    body_bytes: int


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol with limits; `bounded_protocol` makes the class that one server uses."""

    limits: ClassVar[Limits]
    metrics: ClassVar[ReceiverMetrics]
    idle: ClassVar[dict[BoundedProtocol, None]]
    """The server's connections that nobody works for, longest idle first."""

    _stage = _Stage.NOTHING
    _watched: tuple[int, _Stage] = (0, _Stage.NOTHING)
    _messages = 0
    _received = 0
    _deadline: asyncio.TimerHandle | None = None
    _write_deadline: asyncio.TimerHandle | None = None

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.access_log = False  # whatever the loggers are set to: a path may hold the token

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        """Take a connection, if need be in the place of the one that has been idle longest."""
        super().connection_made(transport)
        if len(self.connections) > self.limits.connections and not self._make_room():
            self._refuse(503, "no_room")
            return
        self.idle[self] = None
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self.idle.pop(self, None)
        for timer in (self._deadline, self._write_deadline):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came in, and see to it that the rest comes in time."""
        self._received += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._stage is _Stage.HEAD and self._received > HEAD_BYTES:
            self._refuse(431, "too_long")
        elif self._received > self._most_bytes():
            self._cut_off("too_long")
        else:
            self._watch()

    def on_message_begin(self) -> None:
        """Note that a request begins."""
        self._stage, self._received = _Stage.HEAD, 0
        self._messages += 1
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Note that its head is here: from now on somebody works for this connection."""
        self._stage = _Stage.BODY
        self.idle.pop(self, None)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Note that all of it is here."""
        self._stage = _Stage.NOTHING
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Note that nobody works for this connection any more, unless the next request is here already."""
        super().on_response_complete()
        if not self.transport.is_closing() and self._is_idle():
            self.idle[self] = None

    def pause_writing(self) -> None:
        """Bound the time in which a sender may leave our answers unread."""
        super().pause_writing()
        self._write_deadline = self.loop.call_later(self.limits.body_seconds, self._cut_off, "slow_reader")

    def resume_writing(self) -> None:
        """Go on: the sender reads."""
        super().resume_writing()
        if self._write_deadline is not None:
            self._write_deadline.cancel()

    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _watch(self) -> None:
        """Set the time-out for what is missing; a request that came in one piece needs none."""
        stage = self._stage
        if stage is _Stage.NOTHING and self._is_idle() and self.timeout_keep_alive_task is None:
            stage = _Stage.HEAD
        if (self._messages, stage) == self._watched:
            return
        self._watched = (self._messages, stage)
        if self._deadline is not None:
            self._deadline.cancel()
        match stage:
            case _Stage.NOTHING:
                self._deadline = None
            case _Stage.HEAD:
                self._deadline = self.loop.call_later(
                    self.limits.head_seconds, self._refuse, 408, "slow_head"
                )
            case _Stage.BODY:
                seconds = self.limits.body_seconds + GRACE_SECONDS
                self._deadline = self.loop.call_later(seconds, self._cut_off, "slow_body")

    def _most_bytes(self) -> int:
        return HEAD_BYTES + (self.limits.body_bytes + DROPPED_BYTES) * FRAMING

    def _make_room(self) -> bool:
        """Close the connection that has been idle longest; tell whether there was one."""
        for oldest in self.idle:
            oldest._cut_off("no_room")
            return True
        return False

    def _refuse(self, status: int, reason: str) -> None:
        """Answer in place of the application, and close."""
        line = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}"
        answer = f"{line}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
        self.transport.write(answer.encode())
        self._close(reason)
        self.transport.close()

    def _cut_off(self, reason: str) -> None:
        """Close without a word: the sender would not read it, or has been answered."""
        self._close(reason)
        self.transport.abort()

    def _close(self, reason: str) -> None:
        self.idle.pop(self, None)
        if not self.transport.is_closing():
            self.metrics.count_cut_off(reason)


def bounded_protocol(settings: ReceiverSettings, metrics: ReceiverMetrics) -> type[BoundedProtocol]:
    """Make the protocol class of one server: its connections share limits and figures."""
    limits = Limits(
        settings.head_seconds, settings.body_seconds, settings.max_connections, settings.max_body_bytes
    )

    class ServerProtocol(BoundedProtocol):
        pass

    ServerProtocol.limits, ServerProtocol.metrics, ServerProtocol.idle = limits, metrics, {}
    return ServerProtocol
