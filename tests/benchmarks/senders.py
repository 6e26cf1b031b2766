"""Senders in a process of their own, each with one connection: the next order follows the last answer."""

from __future__ import annotations

import asyncio
import base64
import json
import multiprocessing
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ORDER_BYTES = 6_000
PAYLOAD = Path(__file__).parent.parent / "payloads" / "order_create.json"
MARK = "DEMO-0000000000"
PATH = "/webhooks/ultracart"


@dataclass(frozen=True)
class Load:
    """What one run of the senders saw. Latencies are in seconds, of the answers with 200."""

    seconds: float
    latencies: list[float]
    refused: int

    @property
    def requests_a_second(self) -> float:
        """How many deliveries were stored in a second."""
        return len(self.latencies) / self.seconds

    def percentile_ms(self, percent: float) -> float:
        """The latency that so many percent of the answers did not exceed, in milliseconds."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))] * 1_000


def order_body() -> str:
    """The documented order with more lines, as long as orders usually are; its id is `MARK`."""
    delivery: Any = json.loads(PAYLOAD.read_text())["body"]
    events = delivery["events"] if isinstance(delivery, dict) else delivery
    order = {**events[0]["order_create"], "order_id": MARK}
    lines = order["items"]
    while len(text := json.dumps({"events": [{"order_create": order}]})) < ORDER_BYTES:
        order["items"] = [*order["items"], {**lines[0], "merchant_item_id": f"ITEM-{len(order['items'])}"}]
    return text


class Sender(asyncio.Protocol):
    """One connection; `stop_at` is a time of the event loop."""

    def __init__(self, run: Run, number: int) -> None:
        self.run = run
        self.number = number
        self.finished = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        """Begin."""
        self.transport = transport
        self._send()

    def _send(self) -> None:
        self.number += 1
        id = f"DEMO-{self.number:010d}".encode()
        self.received = b""
        self.sent_at = time.perf_counter()
        self.transport.write(self.run.before + id + self.run.after)

    def data_received(self, data: bytes) -> None:
        """Take an answer, and send the next order if there is time."""
        self.received += data
        head, end, body = self.received.partition(b"\r\n\r\n")
        if not end or len(body) < int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]):
            return
        now = time.perf_counter()
        self.run.note(head.startswith(b"HTTP/1.1 200"), self.sent_at, now)
        if now < self.run.stop_at:
            self._send()
        else:
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self.finished.set_result(None)


class Run:
    """Many senders for some seconds; the first of them warm the receiver up and are not counted."""

    def __init__(self, port: int, credentials: str, warm_up_seconds: float, seconds: float) -> None:
        body = order_body()
        basic = base64.b64encode(credentials.encode()).decode()
        head = (
            f"POST {PATH} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Basic {basic}\r\n"
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        self.port, self.seconds = port, seconds
        self.before, self.after = (part.encode() for part in (head + body).split(MARK))
        self.start_at = time.perf_counter() + warm_up_seconds
        self.stop_at = self.start_at + seconds
        self.latencies: list[float] = []
        self.refused = 0

    def note(self, is_taken: bool, sent_at: float, now: float) -> None:
        """Note an answer."""
        if not is_taken:
            self.refused += 1
        elif sent_at >= self.start_at and now <= self.stop_at:
            self.latencies.append(now - sent_at)

    async def send(self, senders: int, first_number: int) -> Load:
        """Send until the time is over."""
        loop = asyncio.get_running_loop()
        made = [
            await loop.create_connection(
                lambda at=at: Sender(self, first_number + at * 1_000_000), "127.0.0.1", self.port
            )
            for at in range(senders)
        ]
        await asyncio.gather(*(sender.finished for _, sender in made))
        return Load(self.seconds, self.latencies, self.refused)


def _send(pipe: Any, senders: int, first_number: int, *run: Any) -> None:
    pipe.send(asyncio.run(Run(*run).send(senders, first_number)))


def load(
    port: int, credentials: str, *, senders: int, first_number: int, warm_up_seconds: float, seconds: float
) -> Load:
    """Send orders that nobody has sent yet from a process of its own."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    arguments = (theirs, senders, first_number, port, credentials, warm_up_seconds, seconds)
    process = context.Process(target=_send, args=arguments)
    process.start()
    theirs.close()
    seen: Load = ours.recv()
    process.join()
    return seen
