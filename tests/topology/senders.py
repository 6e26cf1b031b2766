"""UltraCart and the load balancer before the receivers: each delivery goes to one, some go to both."""

from __future__ import annotations

import itertools
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack

import httpx

from tests.inbox.running_receiver import ULTRACART, client_of

THREADS = 4
EVERY_TENTH = 10
"""So often a delivery comes twice, once to each receiver."""
TRIES, AGAIN_SECONDS = 20, 0.1


class Senders:
    """Send bodies in turn to the receivers; what one does not take, the other is asked to."""

    def __init__(self, urls: Mapping[str, str], bodies: Sequence[bytes]) -> None:
        self._urls = dict(urls)
        self._half = len(bodies) // 2
        self._waiting = iter(enumerate(bodies))
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._work) for _ in range(THREADS)]
        self.acknowledged: Counter[str] = Counter()
        """How many deliveries each receiver answered with 200."""
        self.is_half_done = threading.Event()

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        """Wait until every body was taken, or given up."""
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        with ExitStack() as stack:
            clients = {name: stack.enter_context(client_of(url)) for name, url in self._urls.items()}
            names = list(clients)
            while True:
                with self._lock:
                    number, body = next(self._waiting, (None, b""))
                if number is None:
                    return
                in_turn = names[number % len(names) :] + names[: number % len(names)]
                for order in (in_turn, in_turn[::-1])[: 2 if number % EVERY_TENTH == 0 else 1]:
                    self._deliver(clients, order, body)
                if number >= self._half:
                    self.is_half_done.set()

    def _deliver(self, clients: Mapping[str, httpx.Client], names: Sequence[str], body: bytes) -> None:
        for name in itertools.islice(itertools.cycle(names), TRIES):
            try:
                answer = clients[name].post(
                    ULTRACART, content=body, headers={"content-type": "application/json"}
                )
            except httpx.TransportError:
                continue
            if answer.status_code == httpx.codes.OK:
                with self._lock:
                    self.acknowledged[name] += 1
                return
            time.sleep(AGAIN_SECONDS)
