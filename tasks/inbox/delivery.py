"""A webhook's request: what may be in it, and which events it holds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from starlette.requests import Request

from tasks.errors import UnreadableEvent
from tasks.inbox.events import NewEvent, make_event, make_unreadable
from tasks.thiio import webhook_body as thiio_body
from tasks.ultracart import webhook_body as ultracart_body

JSON_TYPES = ("application/json", "text/json", "text/plain", "application/octet-stream")
"""What may be JSON. UltraCart's own content type is not published; a form or a page is surely none."""


class Turned(Exception):
    """The request is turned away with a status and words that say what to do."""

    def __init__(self, status: int, error: str, **headers: str) -> None:
        super().__init__(error)
        self.status = status
        self.error = error
        self.headers = headers


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


LONG_BODY = 100_000
"""From so many bytes on a body is taken apart in a thread of its own, to let shorter ones pass."""
PACKED = b"H4sI"
"""How the first bytes of a gzipped text look in base64: it may be a short body and a long text."""

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


SPLITS: Mapping[str, Split] = {"ultracart": split_ultracart, "thiio": split_thiio}
"""How each system's deliveries are taken apart."""


def read_events(source: str, split: Split, body: bytes, max_bytes: int) -> tuple[list[NewEvent], str | None]:
    """Give a body's events; or one dead event that keeps it, and what is wrong with it."""
    try:
        return split(body, max_bytes), None
    except UnreadableEvent as error:
        return [make_unreadable(source, body, str(error))], str(error)


async def read_events_of_any_size(
    source: str, body: bytes, max_bytes: int
) -> tuple[list[NewEvent], str | None]:
    """Give a body's events like `read_events`; a long one keeps nobody else waiting."""
    split = SPLITS[source]
    if len(body) < LONG_BODY and PACKED not in body[:100]:
        return read_events(source, split, body, max_bytes)
    return await asyncio.to_thread(read_events, source, split, body, max_bytes)
