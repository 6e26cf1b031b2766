"""A request's body, bounded in bytes and in time; and the bytes of all bodies together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from starlette.requests import Request

from tasks.inbox.delivery import Turned

RETRY_AFTER_SECONDS = "10"
DROPPED_BYTES = 1_000_000
"""So much of a body that is too long is still read, and dropped."""


class Memory:
    """Bounds the bytes of all deliveries in memory; each holds some from its first chunk to its commit."""

    def __init__(self, max_bytes: int) -> None:
        self.free_bytes = max_bytes

    def take(self, count: int) -> None:
        """Take some; raises `Turned` (503) if there is no more."""
        if count > self.free_bytes:
            raise Turned(
                503,
                "Too many bytes wait to be stored. Send this delivery again later.",
                Connection="close",
                **{"Retry-After": RETRY_AFTER_SECONDS},
            )
        self.free_bytes -= count

    def give_back(self, count: int) -> None:
        """Give some back."""
        self.free_bytes += count


class Share:
    """What one delivery holds of the memory, until it is turned away or its events are stored."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._held = 0

    def take(self, count: int) -> None:
        """Hold some more; raises `Turned` (503)."""
        self._memory.take(count)
        self._held += count

    def hand_over(self) -> Callable[[], None]:
        """Give up what is held to somebody who calls the returned function once it is free."""
        held, self._held = self._held, 0
        return lambda: self._memory.give_back(held)

    def close(self) -> None:
        """Give back what was not handed over."""
        self._memory.give_back(self._held)


async def read_body(request: Request, max_bytes: int, seconds: float, share: Share) -> bytes:
    """Read a body of at most `max_bytes` in at most `seconds`; raises `Turned` (413, 408 or 503) else."""
    try:
        async with asyncio.timeout(seconds):
            return await _read_body(request, max_bytes, share)
    except TimeoutError:
        error = f"The body did not come within {seconds:g} seconds. Send it again."
        raise Turned(408, error, Connection="close") from None


async def _read_body(request: Request, max_bytes: int, share: Share) -> bytes:
    length = request.headers.get("content-length", "")
    is_too_long = length.isdecimal() and int(length) > max_bytes
    body, dropped = bytearray(), 0
    async for chunk in request.stream():
        is_too_long = is_too_long or len(body) + len(chunk) > max_bytes
        if not is_too_long:
            share.take(len(chunk))
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
