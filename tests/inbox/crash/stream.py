"""The known stream: what happened in a shop, delivered with repetitions, out of order, partly in pieces."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tasks.inbox.delivery import split_ultracart
from tasks.seed import make_shop
from tasks.ultracart.sandbox.dispatcher import BodyShape, write_body
from tasks.ultracart.sandbox.serialize import plain, show_customer, show_order
from tasks.ultracart.sandbox.server import UltraCartSandbox
from tasks.ultracart.webhook_body import EXPANSIONS

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
SHOP = make_shop(customers=5, orders=8, now=NOON)
"""What both sides agree on before the stream begins."""
CUSTOMERS, ORDERS = 20, 80
NOWHERE = ("http://127.0.0.1:9/", "user", "secret")
"""A webhook whose events are taken out of its queue, and never sent."""
SAME_SECOND = 0.12
"""Share of the steps that share their second with the one before: only UltraCart knows which came last."""
IN_PIECES = 0.05
"""Share of the orders whose events come without their parts: UltraCart must be asked for them."""
ALONE = 0.4
"""Share of the orders of which there is one event: no later one hides that it was lost."""
TWICE = 0.25
"""Share of the events that come in another delivery as well."""
OVERTAKES = 25
"""So many places an event may be late."""
LARGEST = 4
"""Most events in one delivery."""

Happened = tuple[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Delivery:
    """A body as it is sent, and the digests under which the inbox must know its events."""

    body: bytes
    digests: tuple[str, ...]


class Clock:
    """The shop's time: it stands still until somebody moves it."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        """Give the time."""
        return self.now


def make_stream(dice: random.Random) -> tuple[UltraCartSandbox, list[Delivery]]:
    """Make UltraCart's stand-in as it is after the last event, and the deliveries that tell of it."""
    clock = Clock()
    ultracart = UltraCartSandbox(SHOP, clock=clock)
    ultracart.register_webhook(*NOWHERE)
    for step in _interleave(dice, _lives(dice, ultracart)):
        clock.now += timedelta(seconds=0 if step and dice.random() < SAME_SECOND else dice.randint(60, 900))
    clock.now += timedelta(days=1)
    happened = enumerate(_happened(ultracart, dice))
    late = [(place + dice.uniform(0, OVERTAKES), each) for place, each in happened]
    late += [(dice.uniform(place, len(late)), each) for place, each in late if dice.random() < TWICE]
    late.sort(key=lambda each: each[0])
    return ultracart, list(_bundle(dice, [each for _, each in late]))


def _lives(dice: random.Random, ultracart: UltraCartSandbox) -> list[Iterator[bool]]:
    customers = [f"caller{number}@example.com" for number in range(CUSTOMERS)]
    buyers = [*customers, *(f"guest{number}@example.com" for number in range(CUSTOMERS // 4))]
    return [
        *(_customer(dice, ultracart, email) for email in customers),
        *(_order(dice, ultracart, dice.choice(buyers)) for _ in range(ORDERS)),
    ]


def _interleave(dice: random.Random, lives: list[Iterator[bool]]) -> Iterator[bool]:
    """Take a step of some life, and tell whether the same record's next one may come in the same second."""
    life = dice.choice(lives)
    while lives:
        if dice.random() < 0.5:
            life = dice.choice(lives)
        try:
            yield next(life)
        except StopIteration:
            lives.remove(life)
            life = dice.choice(lives) if lives else life


def _customer(dice: random.Random, ultracart: UltraCartSandbox, email: str) -> Iterator[bool]:
    oid = ultracart.create_customer(email)
    yield True
    for _ in range(dice.randint(1, 3)):
        ultracart.update_customer(oid, address1=f"{dice.randint(1, 999)} Harbor Way")
        yield True


def _order(dice: random.Random, ultracart: UltraCartSandbox, email: str) -> Iterator[bool]:
    items = [(item_id, dice.randint(1, 3)) for item_id in dice.sample([*ultracart.store.items], 2)]
    is_paid = dice.random() < 0.85
    order_id = ultracart.place_order(email, items, is_paid=is_paid)
    yield True
    if dice.random() < ALONE:
        return
    if not is_paid or dice.random() < 0.2:
        ultracart.reject_order(order_id)
        yield False
        return
    if dice.random() < 0.8:
        ultracart.ship_order(order_id, [f"1Z999AA1{dice.randint(0, 10**8):08d}"])
        yield True
    if dice.random() < 0.6:
        ultracart.refund_order(order_id, dice.randint(1, 400))
        yield True
    if dice.random() < 0.4:
        ultracart.refund_order(order_id)
        yield False


def _happened(ultracart: UltraCartSandbox, dice: random.Random) -> list[Happened]:
    """Take the events out of the webhook's queue, each with its object as it was then."""
    [webhook] = ultracart.store.webhooks.values()
    new = {each.object["order_id"] for each in webhook.queue if each.name == "order_create"}
    in_pieces = {order_id for order_id in sorted(new) if dice.random() < IN_PIECES}
    happened = []
    for queued in webhook.queue:
        is_bare = queued.object.get("order_id") in in_pieces
        expand = frozenset(() if is_bare else EXPANSIONS[queued.name].split(","))
        show = show_customer if queued.name.startswith("customer_") else show_order
        happened.append((queued.name, plain(show(queued.object, expand))))
    webhook.queue.clear()
    return happened


def _bundle(dice: random.Random, happened: list[Happened]) -> Iterator[Delivery]:
    while happened:
        size = dice.randint(1, LARGEST)
        events = [{name: shown} for name, shown in happened[:size]]
        body = write_body(events, dice.choice([*BodyShape]))
        yield Delivery(body, tuple(event.digest for event in split_ultracart(body, len(body) * 100)))
        happened = happened[size:]
