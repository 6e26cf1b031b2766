"""The one place that makes an httpx client: time-outs, retry of reads, a notification of every exchange.

What an error status means is each system's own matter: its room hands over a function that judges answers.
"""

from __future__ import annotations

import logging
import ssl
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache, partial
from types import TracebackType
from typing import Any, Protocol, Self

import httpx
import msgspec
import stamina

from tasks.errors import AnswerLost, RemoteError, RemoteUnavailable
from tasks.version import our_version

logger = logging.getLogger(__name__)

LONGEST_WAIT_SECONDS = 60.0
_encoder = msgspec.json.Encoder(decimal_format="number")
"""A Decimal is sent as the number it is, never as text and never through a float."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request and what came of it, as it is told to the notification log."""

    system: str
    operation: str  # "GET /order/orders"
    sent: Any
    received: bytes | None
    http_status: int | None
    request_id: str | None
    duration_ms: int
    error: RemoteError | None
    date: datetime | None = None  # the remote system's own clock, where the answer tells it; aware


class Pacer(Protocol):
    """Says when the next call may be made."""

    def turn(self) -> AbstractContextManager[None]:
        """Wait for a turn, and hold it for a block; a call is made inside."""
        ...

    def block(self, seconds: float) -> None:
        """Let nobody call for a while: the remote system said so."""
        ...


class _Unpaced:
    def turn(self) -> AbstractContextManager[None]:
        return nullcontext()

    def block(self, seconds: float) -> None:
        pass


Judge = Callable[[httpx.Response], RemoteError | None]
"""Gives the error that an answer means, or None if it is good."""


class HttpClient:
    """Calls one remote system, one request at a time.

    A read is repeated on `RemoteUnavailable` with growing, jittered waits, or after the time that the remote
    system named. A write is sent exactly once: if no clear answer comes it raises `AnswerLost`, and the
    caller looks up what happened. Times are seconds.
    """

    def __init__(
        self,
        *,
        system: str,
        base_url: str,
        headers: Mapping[str, str],
        timeout_seconds: float,
        read_attempts: int,
        judge: Judge,
        on_exchange: Callable[[Exchange], None],
        pacer: Pacer | None = None,
        request_id_header: str = "x-request-id",
    ) -> None:
        self._system = system
        self._read_attempts = read_attempts
        self._judge = judge
        self._on_exchange = on_exchange
        self._pacer = pacer or _Unpaced()
        self._request_id_header = request_id_header
        _quiet_httpx()
        self._client = httpx.Client(
            base_url=base_url,
            headers={"accept": "application/json", "user-agent": f"ultrathiio/{our_version()}", **headers},
            timeout=httpx.Timeout(timeout_seconds, connect=min(timeout_seconds, 10.0)),
            limits=httpx.Limits(max_connections=1),
            follow_redirects=False,
            verify=_trust(),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def read(
        self, method: str, path: str, *, params: Mapping[str, Any] | None = None, json: Any = None
    ) -> bytes:
        """Call something that changes nothing, again if need be, and return the body."""
        body, tell = self.read_untold(method, path, params=params, json=json)
        tell()
        return body

    def read_untold(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        when_sent: Callable[[], None] | None = None,
    ) -> tuple[bytes, Callable[[], None]]:
        """Do as `read` does, but leave it to the caller to tell the good answer, by the function that comes.

        So the next request need not wait for the notification log. Attempts that failed are told at once.
        `when_sent` is called each time a request is sent, before it is answered.
        """
        for attempt in stamina.retry_context(
            on=_wait_before_retry, attempts=self._read_attempts, timeout=None, wait_max=LONGEST_WAIT_SECONDS
        ):
            with attempt:
                return self._call(method, path, params=params, json=json, when_sent=when_sent)
        raise AssertionError("unreachable: the last attempt returns or raises")

    def write(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        operation: str | None = None,
        at_turn: Callable[[], None] | None = None,
    ) -> bytes:
        """Call something that changes the remote system, exactly once, and return the body.

        `operation` is told instead of method and path, where the path is a secret. `at_turn` is called once
        it is this call's turn, right before anything is sent; what it raises ends the call unsent. Raises
        `AnswerLost` where it cannot be known whether the call had effect.
        """
        body, tell = self._call(
            method, path, params=params, json=json, is_write=True, operation=operation, at_turn=at_turn
        )
        tell()
        return body

    def _call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None,
        json: Any,
        is_write: bool = False,
        operation: str | None = None,
        when_sent: Callable[[], None] | None = None,
        at_turn: Callable[[], None] | None = None,
    ) -> tuple[bytes, Callable[[], None]]:
        operation = operation or f"{method} {path}"
        content = None if json is None else _encoder.encode(json)
        headers = {} if content is None else {"content-type": "application/json; charset=utf-8"}
        extensions = None if when_sent is None else {"trace": _when_sent(when_sent)}
        started = time.monotonic()
        response: httpx.Response | None = None
        try:
            with self._pacer.turn():
                if at_turn is not None:
                    at_turn()
                started = time.monotonic()
                response = self._client.request(
                    method, path, params=params, content=content, headers=headers, extensions=extensions
                )
                # httpx's answer and its stream hold each other: a whole page would stay until the collector
                # comes by. It has been read, so the stream is of no more use.
                response.stream = httpx.ByteStream(b"")
            error = self._judge(response)
        except httpx.TransportError as cause:
            # The cause may quote a URL with its query; only its kind is told.
            error = RemoteUnavailable(
                f"{self._system}: {operation}: {type(cause).__name__}.", system=self._system
            )
            error.__cause__ = cause
        if is_write and isinstance(error, RemoteUnavailable) and _may_have_had_effect(error):
            error = self._answer_lost(error)
        if isinstance(error, RemoteUnavailable) and error.retry_after_seconds is not None:
            self._pacer.block(error.retry_after_seconds)
        tell = partial(self._tell, operation, params, json, response, error, time.monotonic() - started)
        if error is not None:
            tell()
            raise error
        if response is None:
            raise AssertionError("no error and no answer")
        return response.content, tell

    def _answer_lost(self, cause: RemoteUnavailable) -> AnswerLost:
        lost = AnswerLost(
            f"{cause} The call may have had effect; it will be looked up, not repeated.",
            system=self._system,
            status=cause.status,
            request_id=cause.request_id,
        )
        lost.__cause__ = cause
        return lost

    def _tell(
        self,
        operation: str,
        params: Mapping[str, Any] | None,
        json: Any,
        response: httpx.Response | None,
        error: RemoteError | None,
        seconds: float,
    ) -> None:
        self._on_exchange(
            Exchange(
                system=self._system,
                operation=operation,
                sent=json if json is not None else dict(params or {}) or None,
                received=None if response is None else response.content,
                http_status=None if response is None else response.status_code,
                request_id=None if response is None else response.headers.get(self._request_id_header),
                duration_ms=round(seconds * 1000),
                error=error,
                date=None if response is None else _date_of(response),
            )
        )


@cache
def _quiet_httpx() -> None:
    """Keep httpx from logging each address at INFO: that of Thiio's inbound webhook is a secret."""
    logging.getLogger("httpx").setLevel(logging.WARNING)


@cache
def _trust() -> ssl.SSLContext:
    """Give what httpx trusts by default, read once: to read all certificates takes longer than a call."""
    return httpx.create_ssl_context()


def _when_sent(call: Callable[[], None]) -> Callable[[str, Mapping[str, Any]], None]:
    def trace(event: str, _: Mapping[str, Any]) -> None:
        # httpx's documented "trace" extension; UltraCart speaks HTTP/1.1, as this client does.
        if event == "http11.send_request_body.complete":
            call()

    return trace


def _date_of(response: httpx.Response) -> datetime | None:
    try:
        date = parsedate_to_datetime(response.headers.get("date", ""))
    except ValueError:
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def _may_have_had_effect(error: RemoteUnavailable) -> bool:
    if error.status == httpx.codes.TOO_MANY_REQUESTS:
        return False
    return not isinstance(error.__cause__, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)


def _wait_before_retry(error: Exception) -> bool | float:
    if not isinstance(error, RemoteUnavailable):
        return False
    if error.retry_after_seconds is not None:
        # A wish longer than we wait (a day's limit is used up) ends the call: a later run comes back to it.
        return error.retry_after_seconds if error.retry_after_seconds <= LONGEST_WAIT_SECONDS else False
    return True
