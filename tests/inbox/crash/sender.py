"""UltraCart's part of a delivery: it is sent until it is answered with 200, several at the same time."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable

import httpx

from tests.inbox.crash.stream import Delivery
from tests.inbox.running_receiver import ULTRACART, client_of

THREADS = 3
NOBODY_THERE = httpx.ConnectError.__name__
"""The one failure that leaves no doubt: nothing was sent."""
AGAIN_SECONDS = 0.1
"""UltraCart waits for minutes; what matters is that it comes again."""


class Sender:
    """Sends deliveries, in their order, as far as they were let go; the ledgers count events by digest."""

    def __init__(self, url: str, deliveries: Iterable[Delivery]) -> None:
        self._url = url
        self._deliveries = list(deliveries)
        self._waiting = iter(self._deliveries)
        self._may_go = threading.Semaphore(0)
        self._lock = threading.Lock()
        self._is_stopped = threading.Event()
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(THREADS)]
        self.sent: Counter[str] = Counter()
        self.acknowledged: Counter[str] = Counter()
        self.answers: Counter[str] = Counter()
        self.taken = 0

    def start(self) -> None:
        """Begin to send what is let go."""
        for thread in self._threads:
            thread.start()

    def let_go(self, count: int) -> None:
        """Let some more deliveries go out."""
        self._may_go.release(count)

    @property
    def is_done(self) -> bool:
        """Tell whether every delivery was acknowledged."""
        return self.taken == len(self._deliveries)

    def stop(self) -> None:
        """Give up what was not acknowledged."""
        self._is_stopped.set()
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        with client_of(self._url) as client:
            while not self._is_stopped.is_set():
                if self._may_go.acquire(timeout=AGAIN_SECONDS):
                    with self._lock:
                        delivery = next(self._waiting, None)
                    if delivery is None:
                        return
                    self._send(client, delivery)

    def _send(self, client: httpx.Client, delivery: Delivery) -> None:
        while not self._is_stopped.is_set():
            answer = _post(client, delivery)
            with self._lock:
                self.answers[answer] += 1
                if answer != NOBODY_THERE:
                    self.sent.update(delivery.digests)
                if answer == "200":
                    self.acknowledged.update(delivery.digests)
                    self.taken += 1
                    return
            self._is_stopped.wait(AGAIN_SECONDS)


def _post(client: httpx.Client, delivery: Delivery) -> str:
    try:
        response = client.post(
            ULTRACART, content=delivery.body, headers={"content-type": "application/json; charset=UTF-8"}
        )
    except httpx.TransportError as error:
        return type(error).__name__
    return str(response.status_code)
