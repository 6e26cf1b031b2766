"""Sends waiting events to the registered webhooks, well-behaved or not, and keeps UltraCart's log of it.

UltraCart's retry schedule, its order of events and when it gives a webhook up are not published: what is
switchable here is ours.
"""

from __future__ import annotations

import base64
import gzip
import random
import time
import uuid
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import httpx
import msgspec

from tasks.ultracart.sandbox.serialize import plain, show_customer, show_order
from tasks.ultracart.sandbox.store import QueuedEvent, Store, WebhookState

FAILURES_BEFORE_DISABLED = 10
ANSWER_SECONDS = 30.0
"""How long UltraCart waits for an answer (its page on webhooks)."""
LOG_TEXT = 100_000


class BodyShape(StrEnum):
    """The documented shapes of a body; the last two are those of `compress_events`."""

    ARRAY = "array"
    EVENTS = "events"
    PACKED = "packed"
    EVENTS_PACKED = "events-packed"


class SendOrder(StrEnum):
    """In which order waiting events leave."""

    AS_HAPPENED = "as-happened"
    REVERSED = "reversed"
    SHUFFLED = "shuffled"


@dataclass(slots=True)
class DeliveryReport:
    """What one `deliver()` did; events are counted once a webhook."""

    delivered: int = 0
    failed: int = 0
    lost: int = 0
    held_back: int = 0
    requests: int = 0
    duplicate_requests: int = 0


@dataclass(slots=True)
class Switches:
    """What goes wrong, by event name (None: any); each entry is used up once."""

    lose: list[str | None] = field(default_factory=list)
    duplicate: list[str | None] = field(default_factory=list)
    hold_back: list[str | None] = field(default_factory=list)


class Dispatcher:
    """Delivers by POST with Basic authentication, at most `maximum_events` of a webhook at a time."""

    def __init__(self, store: Store, lock: AbstractContextManager[Any]) -> None:
        self._store = store
        self._lock = lock
        self._dice = random.Random(7)  # noqa: S311  # a repeatable shuffle
        self.switches = Switches()
        self.body_shape = BodyShape.ARRAY
        self.send_order = SendOrder.AS_HAPPENED

    def lose_next(self, event_name: str | None = None) -> None:
        """Never send the next event of this name (None: of any)."""
        self.switches.lose.append(event_name)

    def duplicate_next(self, event_name: str | None = None) -> None:
        """Send the next delivery that holds this event twice, though it was taken."""
        self.switches.duplicate.append(event_name)

    def hold_back_next(self, event_name: str | None = None) -> None:
        """Leave the next event of this name for a later `deliver()`, so that others overtake it."""
        self.switches.hold_back.append(event_name)

    def deliver(self) -> DeliveryReport:
        """Send what waits, each webhook until it is empty or fails."""
        report = DeliveryReport()
        with self._lock:
            webhooks = [each for each in self._store.webhooks.values() if not each.resource["disabled"]]
        with httpx.Client(timeout=ANSWER_SECONDS) as client:
            for webhook in webhooks:
                self._deliver_to(client, webhook, report)
        return report

    def _deliver_to(self, client: httpx.Client, webhook: WebhookState, report: DeliveryReport) -> None:
        with self._lock:
            sending, held_back = self._choose(webhook.queue, report)
            webhook.queue[:] = held_back
        size = webhook.resource["maximum_events"]
        for start in range(0, len(sending), size):
            batch = sending[start : start + size]
            if not self._send(client, webhook, batch, report):
                with self._lock:
                    webhook.queue[:0] = sending[start:]
                return

    def _choose(
        self, queue: list[QueuedEvent], report: DeliveryReport
    ) -> tuple[list[QueuedEvent], list[QueuedEvent]]:
        """Split a queue into what is sent now and what stays; what is lost is in neither."""
        sending: list[QueuedEvent] = []
        held_back: list[QueuedEvent] = []
        for event in queue:
            if _use_up(self.switches.lose, event.name):
                report.lost += 1
            elif _use_up(self.switches.hold_back, event.name):
                report.held_back += 1
                held_back.append(event)
            else:
                sending.append(event)
        if self.send_order is SendOrder.REVERSED:
            sending.reverse()
        elif self.send_order is SendOrder.SHUFFLED:
            self._dice.shuffle(sending)
        return sending, held_back

    def _send(
        self, client: httpx.Client, webhook: WebhookState, batch: list[QueuedEvent], report: DeliveryReport
    ) -> bool:
        body = self._body(webhook, batch)
        is_taken = self._post(client, webhook, batch, body)
        report.requests += 1
        if not is_taken:
            report.failed += len(batch)
            return False
        report.delivered += len(batch)
        if any(_use_up(self.switches.duplicate, event.name) for event in batch):
            self._post(client, webhook, batch, body)
            report.requests += 1
            report.duplicate_requests += 1
        return True

    def _body(self, webhook: WebhookState, batch: list[QueuedEvent]) -> bytes:
        subscriptions = webhook.subscriptions()
        events = [
            {event.name: plain(_show(event, frozenset(subscriptions.get(event.name, "").split(","))))}
            for event in batch
        ]
        shape = self.body_shape
        if webhook.resource["compress_events"] and shape in (BodyShape.ARRAY, BodyShape.EVENTS):
            shape = BodyShape.PACKED if shape is BodyShape.ARRAY else BodyShape.EVENTS_PACKED
        return write_body(events, shape)

    def _post(
        self, client: httpx.Client, webhook: WebhookState, batch: list[QueuedEvent], body: bytes
    ) -> bool:
        resource = webhook.resource
        auth = None
        if resource["authentication_type"] == "basic":
            auth = httpx.BasicAuth(resource["basic_username"], resource["basic_password"])
        started = time.monotonic()
        try:
            response = client.post(
                resource["webhook_url"],
                content=body,
                headers={"content-type": "application/json; charset=UTF-8"},
                auth=auth or httpx.USE_CLIENT_DEFAULT,
            )
            status, text = response.status_code, response.text
        except httpx.TransportError as error:
            status, text = 0, type(error).__name__
        log = {
            "request_id": uuid.uuid4().hex.upper(),
            "delivery_dts": self._store.clock(),
            "duration": round((time.monotonic() - started) * 1000),
            "status_code": status,
            "success": 200 <= status < 300,
            "event_names": [event.name for event in batch],
            "order_ids": [event.object["order_id"] for event in batch if "order_id" in event.object],
            "uri": resource["webhook_url"],
            "request": body.decode()[:LOG_TEXT],
            "response": text[:LOG_TEXT],
            "webhook_oid": resource["webhook_oid"],
        }
        with self._lock:
            _note(webhook, log)
        return bool(log["success"])


def write_body(events: list[Any], shape: BodyShape) -> bytes:
    """Write a delivery's body in one of the documented shapes."""
    text = msgspec.json.encode(events)
    packed = base64.b64encode(gzip.compress(text, mtime=0)).decode()
    match shape:
        case BodyShape.ARRAY:
            return text
        case BodyShape.EVENTS:
            return msgspec.json.encode({"events": events})
        case BodyShape.PACKED:
            return msgspec.json.encode(packed)
        case BodyShape.EVENTS_PACKED:
            return msgspec.json.encode({"events": packed})


def _show(event: QueuedEvent, expand: frozenset[str]) -> dict[str, Any]:
    show = show_customer if event.name.startswith("customer_") else show_order
    return show(event.object, expand)


def _use_up(names: list[str | None], event_name: str) -> bool:
    for name in (event_name, None):
        if name in names:
            names.remove(name)
            return True
    return False


def _note(webhook: WebhookState, log: dict[str, Any]) -> None:
    webhook.logs.append(log)
    failures = 0 if log["success"] else webhook.resource["consecutive_failures"] + 1
    webhook.resource["consecutive_failures"] = failures
    webhook.resource["disabled"] = failures >= FAILURES_BEFORE_DISABLED
