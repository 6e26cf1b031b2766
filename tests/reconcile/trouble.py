"""A ledger with one mismatch of each sort, and texts that mean harm."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Engine

from tasks.records.models import Entity, Order
from tests.builders import make_order
from tests.reconcile.other_tables import add_event, add_push
from tests.reconcile.two_sides import make_customer_pair, make_pair, reconcile, store

HOSTILE = '<script>alert("1")</script> & Söhne'


def make_trouble(engine: Engine) -> None:
    """Fill the ledger with one mismatch of each sort, and texts that mean harm."""
    ultracart, thiio = make_pair(1, city=HOSTILE)
    lost: Order = make_order("D-2", currency="JPY", total_cents=1200)
    shop, crm = make_customer_pair()
    store(engine, ultracart, replace(thiio, city="=cmd()|calc", total_cents=9999), lost)
    store(engine, shop, replace(crm, phone="+12025550143"))
    for entity in Entity:
        reconcile(engine, entity)
    with engine.begin() as connection:
        add_push(connection, "17", "held", reason=f"No item ID: {HOSTILE}", remedy="Add it.")
        add_event(connection, HOSTILE, "dead")
