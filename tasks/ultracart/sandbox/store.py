"""All that the stand-in knows: items, customers, orders, webhooks. Objects are kept in UltraCart's shape."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tasks.ultracart.sandbox.call import Refusal


@dataclass(slots=True)
class QueuedEvent:
    """An event that waits to be delivered, with the object as it was when it happened."""

    name: str
    object: dict[str, Any]
    happened_at: datetime


@dataclass(slots=True)
class WebhookState:
    """A registered webhook, what waits for it, and what was sent to it."""

    resource: dict[str, Any]
    queue: list[QueuedEvent] = field(default_factory=list)
    logs: list[dict[str, Any]] = field(default_factory=list)

    def subscriptions(self) -> dict[str, str]:
        """Give event → expansion of what this webhook is subscribed to."""
        return {
            event["event_name"]: event.get("expansion", "")
            for category in self.resource.get("event_categories", [])
            for event in category.get("events", [])
            if event.get("subscribed")
        }


@dataclass(slots=True)
class Store:
    """The state. Whoever changes it holds the sandbox's lock."""

    merchant_id: str
    channel_partner_code: str
    clock: Callable[[], datetime]
    items: dict[str, dict[str, Any]] = field(default_factory=dict)
    gateways: list[dict[str, Any]] = field(default_factory=list)
    customers: dict[int, dict[str, Any]] = field(default_factory=dict)
    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    webhooks: dict[int, WebhookState] = field(default_factory=dict)
    imports: Counter[str] = field(default_factory=Counter)
    """How many orders each channel partner order id has made: more than one is a double import."""
    takes_duplicate_imports: bool = False
    import_warnings: tuple[str, ...] = ()
    cache_lag: timedelta = timedelta(0)
    """Orders younger than this are missing for `query_target: cache`."""
    counters: Counter[str] = field(default_factory=Counter)

    def next_number(self, name: str, start: int) -> int:
        """Count up, beginning at `start`."""
        self.counters[name] += 1
        return start + self.counters[name] - 1

    def find_order(self, order_id: str) -> dict[str, Any]:
        """Give an order or refuse the call; UltraCart answers 400, not 404 (recorded for delete)."""
        if order_id not in self.orders:
            raise Refusal(f"Server side object 'order' could not be found. It does not exist: {order_id}.")
        return self.orders[order_id]

    def find_customer(self, oid: str | int) -> dict[str, Any]:
        """Give a customer or refuse the call."""
        if not str(oid).isdecimal() or int(oid) not in self.customers:
            raise Refusal("Server side object 'customer' could not be found. It does not exist.")
        return self.customers[int(oid)]

    def customer_by_email(self, email: str) -> dict[str, Any] | None:
        """Give a customer by e-mail, in any case."""
        wanted = email.strip().casefold()
        return next((each for each in self.customers.values() if each["email"].casefold() == wanted), None)

    def emit(self, name: str, happened_to: dict[str, Any]) -> None:
        """Queue an event for each webhook that is subscribed to it."""
        for webhook in self.webhooks.values():
            if name in webhook.subscriptions():
                webhook.queue.append(QueuedEvent(name, copy.deepcopy(happened_to), self.clock()))
