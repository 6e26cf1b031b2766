"""An inbox full of order events: complete orders, as UltraCart's webhook brings them, about 6 KB each."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from sqlalchemy import Engine

from tasks.inbox.event_queue import store_events
from tasks.inbox.events import NewEvent, make_event
from tasks.seed import make_shop
from tasks.ultracart.sandbox.serialize import plain, show_order
from tasks.ultracart.sandbox.server import UltraCartSandbox
from tests.benchmarks.order_pages import GUIDE_EXPANSIONS, complete

STORED_TOGETHER = 1_000


def make_events(count: int) -> list[NewEvent]:
    """Make an `order_create` of each of so many orders."""
    sandbox = UltraCartSandbox(make_shop(orders=count, now=datetime.now(UTC)))
    parts = frozenset(GUIDE_EXPANSIONS.split(","))
    events = []
    for id, order in sandbox.store.orders.items():
        complete(order)
        body = json.dumps(plain(show_order(order, parts))).encode()
        events.append(make_event("ultracart", "order_create", "order", id, body))
    return events


def fill_inbox(engine: Engine, events: list[NewEvent]) -> None:
    """Store the events as the receiver does."""
    for start in range(0, len(events), STORED_TOGETHER):
        with engine.begin() as connection:
            store_events(connection, events[start : start + STORED_TOGETHER], now=datetime.now(UTC))
