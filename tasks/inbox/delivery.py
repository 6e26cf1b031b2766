"""A webhook's request: who sends it, how large it may be, which events it holds."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Callable

from starlette.requests import Request

from tasks.errors import UnreadableEvent
from tasks.inbox.events import NewEvent, make_event, make_unreadable
from tasks.thiio import webhook_body as thiio_body
from tasks.ultracart import webhook_body as ultracart_body

JSON_TYPES = ("application/json", "text/json", "text/plain", "application/octet-stream")
"""What may be JSON. UltraCart's own content type is not published; a form or a page is surely none."""

DROPPED_BYTES = 1_000_000
"""So much of a body that is too long is still read, and dropped."""


class Turned(Exception):
    """The request is turned away with a status and words that say what to do."""

    def __init__(self, status: int, error: str, **headers: str) -> None:
        super().__init__(error)
        self.status = status
        self.error = error
        self.headers = headers


def check_credentials(request: Request, username: str, password: str) -> None:
    """Compare HTTP Basic credentials in constant time; raises `Turned` (401)."""
    given = _basic(request.headers.get("authorization", ""))
    # Joined by a character that a user name cannot hold (RFC 7617), and compared as a whole.
    if not hmac.compare_digest(given, f"{username}:{password}".encode()):
        raise Turned(
            401,
            "HTTP Basic credentials are missing or wrong. Give the webhook the user name and password that "
            "ULTRATHIIO_RECEIVER__USERNAME and __PASSWORD hold.",
            **{"WWW-Authenticate": 'Basic realm="ultrathiio"'},
        )


def _basic(header: str) -> bytes:
    scheme, _, packed = header.partition(" ")
    if scheme.casefold() != "basic":
        return b""
    try:
        return base64.b64decode(packed.strip(), validate=True)
    except (binascii.Error, ValueError):
        return b""


def check_type(request: Request) -> None:
    """Raise `Turned` (415) for a body that cannot be JSON, or that is packed on the way."""
    kind = request.headers.get("content-type", "").split(";")[0].strip().casefold()
    if kind and kind not in JSON_TYPES and not kind.endswith("+json"):
        raise Turned(415, f"Content-Type {kind[:80]!r} is not taken. Send application/json.")
    encoding = request.headers.get("content-encoding", "identity").strip().casefold()
    if encoding != "identity":
        raise Turned(
            415,
            f"Content-Encoding {encoding[:80]!r} is not taken. Send the body as it is; UltraCart's own "
            "compress_events is understood.",
        )


async def read_body(request: Request, max_bytes: int) -> bytes:
    """Read a body of at most `max_bytes`; raises `Turned` (413) for a longer one, and keeps none of it."""
    length = request.headers.get("content-length", "")
    is_too_long = length.isdecimal() and int(length) > max_bytes
    body, dropped = bytearray(), 0
    async for chunk in request.stream():
        is_too_long = is_too_long or len(body) + len(chunk) > max_bytes
        if not is_too_long:
            body += chunk
            continue
        # Read a little further: a sender that is cut off while it sends does not see why.
        dropped += len(chunk)
        if dropped > DROPPED_BYTES:
            break
    if is_too_long:
        raise _too_long(max_bytes)
    return bytes(body)


def _too_long(max_bytes: int) -> Turned:
    return Turned(
        413,
        f"The body has more than {max_bytes} bytes. Lower the webhook's maximum size, or raise "
        "ULTRATHIIO_RECEIVER__MAX_BODY_BYTES.",
        Connection="close",
    )


Split = Callable[[bytes, int], list[NewEvent]]


def split_ultracart(body: bytes, max_bytes: int) -> list[NewEvent]:
    """Take UltraCart's delivery apart; raises `UnreadableEvent`."""
    return [
        make_event("ultracart", event.name, event.entity, event.entity_id, event.object_json)
        for event in ultracart_body.split_body(body, max_bytes)
    ]


def split_thiio(body: bytes, max_bytes: int) -> list[NewEvent]:
    """Take Thiio's delivery apart; raises `UnreadableEvent`."""
    return [
        make_event("thiio", event.name, event.entity, event.entity_id, event.object_json)
        for event in thiio_body.split_body(body)
    ]


def read_events(source: str, split: Split, body: bytes, max_bytes: int) -> tuple[list[NewEvent], str | None]:
    """Give a body's events; or one dead event that keeps it, and what is wrong with it."""
    try:
        return split(body, max_bytes), None
    except UnreadableEvent as error:
        return [make_unreadable(source, body, str(error))], str(error)
