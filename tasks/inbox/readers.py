"""Read records of inbox events again from UltraCart, paced together with every other process."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from sqlalchemy import Engine

from tasks.inbox.settle import Found, Readers
from tasks.notifications.log import Notify
from tasks.records.models import Customer, Order
from tasks.settings import Settings
from tasks.ultracart.open import open_ultracart
from tasks.ultracart.translate import to_customer, to_order

Wire = TypeVar("Wire")


def ultracart_readers(settings: Settings, engine: Engine, notify: Notify) -> Readers:
    """Make readers that connect when they are asked: most claims need no call.

    One call gives up to 500 orders, or one customer.
    """
    region = settings.default_region

    def read_orders(ids: Sequence[str]) -> Found:
        with open_ultracart(settings.ultracart, engine, notify) as client:
            orders = client.fetch_orders(ids)
        return _translate(((order.order_id, order) for order in orders), lambda each: to_order(each, region))

    def read_customers(ids: Sequence[str]) -> Found:
        with open_ultracart(settings.ultracart, engine, notify) as client:
            found = [(id, client.find_customer(id)) for id in ids]
        known = ((id, customer) for id, customer in found if customer is not None)
        return _translate(known, lambda each: to_customer(each, region))

    return Readers(orders=read_orders, customers=read_customers)


def _translate(found: Iterable[tuple[str, Wire]], translate: Callable[[Wire], Customer | Order]) -> Found:
    records: dict[str, Customer | Order | Exception] = {}
    for id, each in found:
        try:
            records[id] = translate(each)
        except Exception as error:  # one record's trouble, whatever it is, is its own
            records[id] = error
    return records
