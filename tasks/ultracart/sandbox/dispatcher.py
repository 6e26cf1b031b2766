"""Sends waiting events to the registered webhooks, well-behaved or not, and keeps UltraCart's log of it.

UltraCart's retry schedule, its order of events and when it gives a webhook up are not published: what is
switchable here is ours.
"""

from __future__ import annotations

import base64
import gzip
import random
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import httpx
import msgspec

from tasks.ultracart.sandbox.delivery_log import is_due, note_delivery, write_log
from tasks.ultracart.sandbox.serialize import plain, show_customer, show_order
from tasks.ultracart.sandbox.store import QueuedEvent, Store, WebhookState

ANSWER_SECONDS = 30.0
"""How long UltraCart waits for an answer (its page on webhooks)."""


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
    """Delivers by POST with Basic authentication, bundled by `maximum_events` and `maximum_size`.

    With `backs_off` a webhook that failed waits 1, 2, 4, … minutes for its next delivery, as
    `next_retry_after` shows. That is off at first, unlike UltraCart: whoever calls `deliver()` again expects
    a new attempt, and the time to wait for is real.
    """

    def __init__(self, store: Store, lock: AbstractContextManager[Any]) -> None:
        self._store = store
        self._lock = lock
        self._dice = random.Random(7)  # noqa: S311  # a repeatable shuffle
        self.switches = Switches()
        self.body_shape = BodyShape.ARRAY
        self.send_order = SendOrder.AS_HAPPENED
        self.backs_off = False

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
        """Send what waits, each webhook until it is empty or fails; one that is not due is left out."""
        report = DeliveryReport()
        with self._lock:
            now = self._store.clock()
            webhooks = [each for each in self._store.webhooks.values() if is_due(each, now)]
        with httpx.Client(timeout=ANSWER_SECONDS) as client:
            for webhook in webhooks:
                self._deliver_to(client, webhook, report)
        return report

    def _deliver_to(self, client: httpx.Client, webhook: WebhookState, report: DeliveryReport) -> None:
        with self._lock:
            sending, held_back = self._choose(webhook.queue, report)
            webhook.queue[:] = held_back
        sent = 0
        for batch in list(_batches(webhook, sending)):
            if not self._send(client, webhook, batch, report):
                with self._lock:
                    webhook.queue[:0] = sending[sent:]
                return
            sent += len(batch)

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
        shape = self.body_shape
        if webhook.resource["compress_events"] and shape in (BodyShape.ARRAY, BodyShape.EVENTS):
            shape = BodyShape.PACKED if shape is BodyShape.ARRAY else BodyShape.EVENTS_PACKED
        return write_body([_show(webhook, event) for event in batch], shape)

    def _post(
        self, client: httpx.Client, webhook: WebhookState, batch: list[QueuedEvent], body: bytes
    ) -> bool:
        resource = webhook.resource
        auth = None
        if resource["authentication_type"] == "basic":
            auth = httpx.BasicAuth(resource["basic_username"], resource["basic_password"])
        headers = {"content-type": "application/json; charset=UTF-8"}
        request = client.build_request("POST", resource["webhook_url"], content=body, headers=headers)
        started = time.monotonic()
        response: httpx.Response | str
        try:
            response = client.send(request, auth=auth)
        except httpx.TransportError as error:
            response = type(error).__name__
        log = write_log(batch, request, response, self._store.clock())
        log["duration"] = round((time.monotonic() - started) * 1000)
        with self._lock:
            note_delivery(webhook, log, backs_off=self.backs_off)
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


def _show(webhook: WebhookState, event: QueuedEvent) -> dict[str, Any]:
    """Give an event as it is sent: its name and the parts of its object that the webhook asks for."""
    expand = frozenset(webhook.subscriptions().get(event.name, "").split(","))
    show = show_customer if event.name.startswith("customer_") else show_order
    return {event.name: plain(show(event.object, expand))}


def _batches(webhook: WebhookState, events: list[QueuedEvent]) -> Iterator[list[QueuedEvent]]:
    """Bundle events up to the webhook's `maximum_events` and `maximum_size` (bytes); a big one goes alone."""
    most, room = webhook.resource["maximum_events"], webhook.resource["maximum_size"]
    batch: list[QueuedEvent] = []
    size = 0
    for event in events:
        length = len(msgspec.json.encode(_show(webhook, event)))
        if batch and (len(batch) >= most or size + length > room):
            yield batch
            batch, size = [], 0
        batch.append(event)
        size += length
    if batch:
        yield batch


def _use_up(names: list[str | None], event_name: str) -> bool:
    for name in (event_name, None):
        if name in names:
            names.remove(name)
            return True
    return False
