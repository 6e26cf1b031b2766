"""Our inbox between the two stand-ins: what happens in the shop, and a worker that applies it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from sqlalchemy import Engine

from tasks.inbox import event_queue
from tasks.inbox.apply import Applier
from tasks.inbox.events import NewEvent, make_event
from tasks.inbox.outcomes import ApplyCounts
from tasks.inbox.readers import ultracart_readers
from tasks.notifications.log import notifier
from tasks.records.links import linked_ids
from tasks.records.mirror import find_customers, find_orders
from tasks.records.models import Customer, Entity, Order, Side
from tasks.settings import Settings, load_settings
from tasks.thiio.connection import ThiioConnection
from tasks.thiio.open import open_thiio
from tasks.thiio.sandbox.server import ThiioSandbox
from tasks.ultracart.client import UltraCartClient
from tasks.ultracart.sandbox.serialize import plain, show_customer, show_order
from tasks.ultracart.sandbox.server import UltraCartSandbox
from tasks.ultracart.translate import to_order
from tasks.ultracart.webhook_body import EXPANSIONS

NOWHERE = ("http://127.0.0.1:9/", "user", "secret")
"""A webhook whose events are taken out of its queue, and never sent."""


@dataclass(slots=True)
class Workplace:
    """Both stand-ins and what lies between them. `applier` is the worker's hand."""

    engine: Engine
    settings: Settings
    ultracart: UltraCartSandbox
    thiio: ThiioSandbox
    connection: ThiioConnection
    applier: Applier

    @classmethod
    @contextmanager
    def open(
        cls,
        engine: Engine,
        ultracart: UltraCartSandbox,
        thiio: ThiioSandbox,
        webhook: tuple[str, str, str] = NOWHERE,
        **thiio_settings: Any,
    ) -> Iterator[Workplace]:
        """Open it for a block; the shop sends its events to `webhook`, `thiio_settings` override our own."""
        settings = load_settings(
            thiio={"database_url": thiio.database_url, **thiio_settings},
            ultracart={"base_url": ultracart.base_url, "simple_key": ultracart.simple_key},
            inbox={"max_attempts": 3, "retry_base_seconds": 40, "retry_cap_seconds": 60, "lease_seconds": 60},
        )
        connection = open_thiio(settings, notifier(engine))
        readers = ultracart_readers(settings, engine, notifier(engine))
        applier = Applier(engine, settings, connection, readers, run_id="run-1")
        ultracart.register_webhook(*webhook)
        try:
            yield cls(engine, settings, ultracart, thiio, connection, applier)
        finally:
            connection.close()

    def happened(self) -> list[NewEvent]:
        """Take what happened in the shop since the last time, as the events that UltraCart would deliver."""
        [webhook] = self.ultracart.store.webhooks.values()
        events = []
        for queued in webhook.queue:
            show = show_customer if queued.name.startswith("customer_") else show_order
            shown = plain(show(queued.object, frozenset(EXPANSIONS[queued.name].split(","))))
            events.append(event(queued.name, shown))
        webhook.queue.clear()
        return events

    def let_time_pass(self) -> None:
        """From now on a minute passes in the shop between any two things that happen there.

        UltraCart's times are whole seconds: what happens within one cannot be told apart by its dates.
        """
        minutes = count(1)
        start = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
        self.ultracart.store.clock = lambda: start + timedelta(minutes=next(minutes))

    def receive(self, *events: NewEvent) -> None:
        """Put events into the inbox."""
        with self.engine.begin() as connection:
            event_queue.store_events(connection, events, now=datetime.now(UTC))

    def work(self, *, limit: int = 100, wait_seconds: float = 0) -> ApplyCounts:
        """Claim and apply what is due after a wait; the clock of the queue is moved, nobody sleeps."""
        claim, counts = self.applier.take(limit, datetime.now(UTC) + timedelta(seconds=wait_seconds))
        counts.add(self.applier.apply(claim))
        return counts

    def receive_and_work(self, *events: NewEvent) -> ApplyCounts:
        """Put events into the inbox and apply them."""
        self.receive(*events)
        return self.work()

    def mirrored(self, order_id: str) -> Order:
        """UltraCart's order as our mirror holds it."""
        with self.engine.connect() as connection:
            return find_orders(connection, Side.ULTRACART, [order_id])[order_id]

    def mirrored_customer(self, id: str) -> Customer:
        """UltraCart's customer as our mirror holds it."""
        with self.engine.connect() as connection:
            return find_customers(connection, Side.ULTRACART, [id])[id]

    def in_thiio(self, order_id: str) -> Order:
        """The one order of Thiio that names an UltraCart order."""
        [order] = self.connection.find_orders([str(self.thiio.find_order(order_id)["id"])])
        return order

    def at_ultracart(self, order_id: str) -> Order:
        """The order as UltraCart shows it now."""
        with UltraCartClient.connect(self.settings.ultracart, lambda exchange: None) as client:
            [order] = client.fetch_orders([order_id])
        return to_order(order, "US")

    def link_of(self, entity: Entity, id: str) -> str | None:
        """Thiio's id that an UltraCart id is linked to."""
        with self.engine.connect() as connection:
            return linked_ids(connection, entity, Side.ULTRACART, [id]).get(id)


def event(name: str, shown: dict[str, Any]) -> NewEvent:
    """An event of UltraCart with its object."""
    entity, key = (
        ("customer", "customer_profile_oid") if name.startswith("customer_") else ("order", "order_id")
    )
    return make_event("ultracart", name, entity, str(shown.get(key)), json.dumps(shown).encode())


def bare_event(name: str, order_id: str) -> NewEvent:
    """An event of an order as a subscription without expansions sends it."""
    return event(name, {"order_id": order_id, "creation_dts": "2026-11-02T12:10:19-05:00"})
