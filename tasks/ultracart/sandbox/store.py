"""All that the stand-in knows: items, customers, orders, webhooks. Objects are kept in UltraCart's shape."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable
from dataclasses import MISSING, dataclass, field, fields
from datetime import datetime, timedelta
from typing import Any

from tasks.ultracart.sandbox.call import Refusal

REJECTED_RETENTION = timedelta(days=365)
"""Rejected orders are kept one year only (UltraCart's pages 1376806 and 1376825)."""


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
            if event.get("subscribed") and "event_name" in event
        }


@dataclass(slots=True)
class Store:
    """The state. Whoever changes it holds the sandbox's lock.

    The switches stand for what the vendor does not say; each is set to what is harder on a client.
    """

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
    cache_lag: timedelta = timedelta(minutes=5)
    """Orders younger than this are missing for `query_target: cache`, which lacks the last few minutes
    (vendor's sample get_orders_by_query.py); that they are five is ours."""
    not_found_status: int = 400
    """What does not exist is a 400 (recorded for a delete) or a 404 (usual elsewhere)."""
    clamps_limit: bool = False
    """Whether a `_limit` above the cap is taken for the cap, instead of refused with 400."""
    refused_scopes: dict[str, int] = field(default_factory=dict)
    """Permissions that the key lacks, and the status of a call that needs one (see `scopes.py`)."""
    deletes_old_rejected: bool = True
    """Whether rejected orders go after a year, counted from the rejection; by which date is not published."""
    requires_refund_reason: bool = False
    """Whether the merchant demands a reason with each refund, as /refundable tells."""
    requires_https: bool = True
    """Whether a webhook's address must be HTTPS (vendor's SDK: for customer data); one of this machine never
    must."""
    counters: Counter[str] = field(default_factory=Counter)

    def __setstate__(self, state: tuple[None, dict[str, Any]]) -> None:
        """Take over what an earlier version saved; what that did not know yet has its default."""
        for each in fields(self):
            if each.default_factory is not MISSING:
                setattr(self, each.name, each.default_factory())
            elif each.default is not MISSING:
                setattr(self, each.name, each.default)
        for name, value in state[1].items():
            setattr(self, name, value)

    def next_number(self, name: str, start: int) -> int:
        """Count up, beginning at `start`."""
        self.counters[name] += 1
        return start + self.counters[name] - 1

    def missing(self, name: str) -> Refusal:
        """Make the refusal of a call for what does not exist, in the words recorded for a delete."""
        words = f"Server side object '{name}' could not be found. It does not exist."
        return Refusal(words, self.not_found_status)

    def forget_old_orders(self) -> None:
        """Delete the rejected orders whose year is over."""
        if not self.deletes_old_rejected:
            return
        kept_since = self.clock() - REJECTED_RETENTION
        for order in [each for each in self.orders.values() if each["current_stage"] == "Rejected"]:
            if order.get("reject_dts", order["creation_dts"]) < kept_since:
                del self.orders[order["order_id"]]

    def find_order(self, order_id: str) -> dict[str, Any]:
        """Give an order or refuse the call."""
        if order_id not in self.orders:
            raise self.missing("order")
        return self.orders[order_id]

    def find_customer(self, oid: str | int) -> dict[str, Any]:
        """Give a customer or refuse the call."""
        if not str(oid).isdecimal() or int(oid) not in self.customers:
            raise self.missing("customer")
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
