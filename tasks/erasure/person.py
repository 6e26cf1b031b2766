"""Who a person is in our tables: the records under an e-mail address, and those that belong with them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, Connection, func, or_, select

from tasks.database import tables
from tasks.records.models import Entity, Side

OTHER = {Side.ULTRACART: Side.THIIO, Side.THIIO: Side.ULTRACART}
WORDS_A_QUERY = 50
"""Texts that one query looks for in the bodies: each is looked for in every row."""


@dataclass(frozen=True, slots=True)
class Person:
    """An e-mail address in its normal form, and the ids of its customers and orders of either side."""

    email_key: str
    customers: dict[Side, set[str]] = field(default_factory=lambda: {side: set() for side in Side})
    orders: dict[Side, set[str]] = field(default_factory=lambda: {side: set() for side in Side})

    def ids(self, entity: Entity) -> dict[Side, set[str]]:
        """Give the ids of one kind of record, by side."""
        return self.customers if entity is Entity.CUSTOMER else self.orders


def find_person(connection: Connection, email_key: str) -> Person:
    """Find the records that carry the address or are told of with it, and whatever is linked with them.

    An order belongs to a person by its own address or by its customer. The customer of an order under
    another address is another person's.
    """
    person = Person(email_key)
    _add_told(connection, person)
    _add(connection, person, Entity.CUSTOMER, tables.customers.c.email_key == email_key)
    _add_linked(connection, person, Entity.CUSTOMER)
    orders = tables.orders
    _add(connection, person, Entity.ORDER, orders.c.email_key == email_key)
    for side, ids in person.customers.items():
        _add(connection, person, Entity.ORDER, (orders.c.side == side) & orders.c.customer_id.in_(ids))
    _add_linked(connection, person, Entity.ORDER)
    _add_named(connection, person)
    return person


def mentions(columns: Iterable[ColumnElement[str | None]], words: Iterable[str]) -> ColumnElement[bool]:
    """Say in SQL that one of the texts holds one of the words, in whatever case its letters are."""
    return or_(*(func.lower(column).contains(word, autoescape=True) for column in columns for word in words))


def _add_told(connection: Connection, person: Person) -> None:
    """Add the records of events that hold the address, though the mirror may not have them."""
    events, payloads = tables.inbox_events, tables.inbox_payloads
    told = (
        select(events.c.source, events.c.entity, events.c.entity_id)
        .join(payloads, payloads.c.event_id == events.c.id)
        .where(mentions([payloads.c.body], [person.email_key]), events.c.entity.in_(list(Entity)))
    )
    for source, entity, id in connection.execute(told.where(events.c.entity_id.is_not(None))):
        person.ids(Entity(entity))[Side(source)].add(id)


def _add_linked(connection: Connection, person: Person, entity: Entity) -> None:
    links = tables.links
    known = person.ids(entity)
    for side, ids in [(side, set(ids)) for side, ids in known.items()]:
        here, there = links.c[f"{side}_id"], links.c[f"{OTHER[side]}_id"]
        found = connection.scalars(select(there).where(links.c.entity == entity, here.in_(ids)))
        known[OTHER[side]].update(found)


def _add_named(connection: Connection, person: Person) -> None:
    """Add the orders that name each other, linked or not, and those that were pushed."""
    orders, pushes = tables.orders, tables.pushes
    ultracart, thiio = person.orders[Side.ULTRACART], person.orders[Side.THIIO]
    pushed = select(pushes.c.ultracart_order_id).where(
        pushes.c.thiio_order_id.in_(thiio), pushes.c.ultracart_order_id.is_not(None)
    )
    named = select(orders.c.other_side_id).where(
        orders.c.side == Side.THIIO, orders.c.id.in_(thiio), orders.c.other_side_id.is_not(None)
    )
    ultracart.update(connection.scalars(pushed), connection.scalars(named))
    for column, is_theirs in (
        (pushes.c.thiio_order_id, pushes.c.ultracart_order_id.in_(ultracart)),
        (orders.c.id, (orders.c.side == Side.THIIO) & orders.c.other_side_id.in_(ultracart)),
    ):
        thiio.update(connection.scalars(select(column).where(is_theirs)))


def _add(connection: Connection, person: Person, entity: Entity, is_theirs: ColumnElement[bool]) -> None:
    table = tables.customers if entity is Entity.CUSTOMER else tables.orders
    for side, id in connection.execute(select(table.c.side, table.c.id).where(is_theirs)):
        person.ids(entity)[Side(side)].add(id)
