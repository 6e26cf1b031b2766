"""A store of many orders in a process of its own: pages are written once, and answered after a latency."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from multiprocessing.connection import Connection

import httpx

from tasks.loopback import serve_on_loopback
from tasks.seed import make_shop
from tasks.ultracart.sandbox.server import UltraCartSandbox


class CachedStore:
    """Answers each request once by the stand-in, then from memory: the client alone is measured."""

    def __init__(self, orders: int, latency_seconds: float) -> None:
        self.sandbox = UltraCartSandbox(make_shop(orders=orders, now=datetime.now(UTC)))
        self.latency_seconds = latency_seconds
        self.answers: dict[tuple[str, bytes], httpx.Response] = {}

    def respond(self, request: httpx.Request) -> httpx.Response:
        """Answer after the latency."""
        key = (str(request.url), request.content)
        if key not in self.answers:
            self.answers[key] = self.sandbox.respond(request)
            return self.answers[key]
        time.sleep(self.latency_seconds)
        return self.answers[key]


def _serve(orders: int, latency_seconds: float, pipe: Connection) -> None:
    store = CachedStore(orders, latency_seconds)
    with serve_on_loopback(store.respond) as url:
        pipe.send((f"{url}/rest/v2", store.sandbox.simple_key))
        pipe.recv()


@contextmanager
def serve_orders(orders: int, latency_seconds: float = 0.0) -> Iterator[tuple[str, str]]:
    """Serve a store for a block; gives the base URL and the key."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(orders, latency_seconds, theirs))
    process.start()
    try:
        yield ours.recv()
        ours.send("stop")
    finally:
        process.join(5)
        process.terminate()
