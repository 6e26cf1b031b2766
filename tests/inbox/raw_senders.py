"""Senders that speak HTTP by hand: too slow, too long, or not at all."""

from __future__ import annotations

import base64
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from tests.inbox.running_receiver import PASSWORD, ULTRACART, USERNAME

BASIC = base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode()
STEP_SECONDS = 0.05
LONGEST_SECONDS = 20.0
"""A connection that is still open then is never closed."""


def head(*lines: str, path: str = ULTRACART, authorization: str = f"Basic {BASIC}") -> bytes:
    """A request's head, with more lines than the usual ones."""
    usual = (f"POST {path} HTTP/1.1", "host: receiver", f"authorization: {authorization}")
    return "\r\n".join((*usual, *lines, "", "")).encode()


@contextmanager
def connections(url: str, count: int) -> Iterator[list[socket.socket]]:
    """Open connections for a block."""
    opened: list[socket.socket] = []
    try:
        for _ in range(count):
            opened.append(socket.create_connection((urlsplit(url).hostname or "", urlsplit(url).port or 0)))
        yield opened
    finally:
        for connection in opened:
            connection.close()


def read_to_the_end(connection: socket.socket) -> bytes:
    """Read until the receiver closes the connection; fails if it does not."""
    connection.settimeout(LONGEST_SECONDS)
    received = b""
    try:
        while chunk := connection.recv(65_536):
            received += chunk
    except ConnectionError:
        pass
    return received


def send_until_closed(connection: socket.socket, piece: Callable[[], bytes]) -> tuple[bytes, float]:
    """Send piece after piece, slowly; give what was answered, and after how many seconds it was over."""
    connection.settimeout(STEP_SECONDS)
    started, received = time.monotonic(), b""
    while (seconds := time.monotonic() - started) < LONGEST_SECONDS:
        try:
            connection.sendall(piece())
            if not (chunk := connection.recv(65_536)):
                return received, seconds
            received += chunk
        except TimeoutError:
            continue
        except ConnectionError:
            return received, seconds
    raise AssertionError("the receiver never closed the connection")
