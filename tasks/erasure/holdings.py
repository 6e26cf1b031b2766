"""Where a person's data is held in our tables, row by row; nothing is changed here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

from sqlalchemy import ColumnElement, Connection, Text, and_, false, or_, select

from tasks.database import tables
from tasks.erasure.person import WORDS_A_QUERY, Person, mentions
from tasks.records.models import ADDRESS, Entity, Side

PERSONAL = ("email", "email_key", *ADDRESS)
"""Columns of a customer and of an order that say who a person is and where."""
NOTE = "[erased: a person's data]"
"""What stands where a text was erased."""
CUSTOMERS, ORDERS, EVENTS, PAYLOADS = (
    tables.customers, tables.orders, tables.inbox_events, tables.inbox_payloads
)  # fmt: skip
NOTIFICATIONS, PUSHES, MISMATCHES = tables.notifications, tables.pushes, tables.mismatches
TEXTS = tuple(column for column in MISMATCHES.c if isinstance(column.type, Text))
"""All that is told of a mismatch in words: its values, cause, remedy, …"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """Keys of the rows that hold a person's data; `open_*` are still worked on and cannot be blanked yet."""

    customers: Sequence[tuple[str, str]]  # side, id
    orders: Sequence[tuple[str, str]]
    payloads: Sequence[int]  # of closed events
    reasons: Sequence[int]  # of events whose reason names the person
    notifications: Sequence[int]
    pushes: Sequence[str]
    mismatches: Sequence[int]
    open_events: Sequence[int]
    open_pushes: Sequence[str]

    def is_empty(self) -> bool:
        """Tell whether nothing is held."""
        return not any(getattr(self, field.name) for field in fields(self))


def find_holdings(connection: Connection, person: Person) -> Holdings:
    """Find every row that tells who the person is, by the ids of the person's records and by the address."""
    events = _events(connection, person)
    pushes = _pushes(connection, person)
    return Holdings(
        customers=_records(connection, person, Entity.CUSTOMER),
        orders=_records(connection, person, Entity.ORDER),
        payloads=[id for id, state in events if state not in OPEN_EVENTS],
        open_events=[id for id, state in events if state in OPEN_EVENTS],
        reasons=list(
            connection.scalars(select(EVENTS.c.id).where(mentions([EVENTS.c.reason], [person.email_key])))
        ),
        notifications=sorted(set(_notifications(connection, person))),
        pushes=[id for id, state in pushes if state not in OPEN_PUSHES],
        open_pushes=[id for id, state in pushes if state in OPEN_PUSHES],
        mismatches=_mismatches(connection, person),
    )


OPEN_EVENTS = frozenset({"waiting", "leased"})
OPEN_PUSHES = frozenset({"planned", "sending", "in_doubt"})
"""States in which a body is still needed: it will be sent, or was and must be recognised."""


def _records(connection: Connection, person: Person, entity: Entity) -> list[tuple[str, str]]:
    table = CUSTOMERS if entity is Entity.CUSTOMER else ORDERS
    tells = or_(*(table.c[name].is_not(None) for name in PERSONAL))
    found = connection.execute(
        select(table.c.side, table.c.id).where(_is_one_of(person, entity, table.c.side, table.c.id), tells)
    )
    return [(side, id) for side, id in found]


def _is_one_of(
    person: Person, entity: Entity, side: ColumnElement[str], id: ColumnElement[str]
) -> ColumnElement[bool]:
    return or_(false(), *(and_(side == each, id.in_(ids)) for each, ids in person.ids(entity).items()))


def _events(connection: Connection, person: Person) -> list[tuple[int, str]]:
    """Give id and state of each event with a payload that is of one of the records, or holds the address."""
    is_theirs = or_(
        *(
            and_(EVENTS.c.entity == entity, _is_one_of(person, entity, EVENTS.c.source, EVENTS.c.entity_id))
            for entity in Entity
        ),
        mentions([PAYLOADS.c.body], [person.email_key]),
    )
    query = select(EVENTS.c.id, EVENTS.c.state).join(PAYLOADS, PAYLOADS.c.event_id == EVENTS.c.id)
    return [(id, state) for id, state in connection.execute(query.where(is_theirs))]


def _notifications(connection: Connection, person: Person) -> Iterator[int]:
    """Give those of the records, and those that hold the address or the id of an order of the person.

    A notification does not say of which side its id is: of the other side's record of the same id the bodies
    are erased as well. A page of orders is found by any of the orders in it.
    """
    table = NOTIFICATIONS
    bodies = (table.c.sent, table.c.received)
    has_body = or_(*(and_(body.is_not(None), body != NOTE) for body in bodies))
    for entity in Entity:
        ids = set().union(*person.ids(entity).values())
        is_theirs = (table.c.entity == entity) & table.c.entity_id.in_(ids)
        yield from connection.scalars(select(table.c.id).where(is_theirs, has_body))
    texts = (*bodies, table.c.reason)
    yield from connection.scalars(select(table.c.id).where(mentions(texts, [person.email_key])))
    named = [f'"{id.lower()}"' for id in sorted(person.orders[Side.ULTRACART])]
    for at in range(0, len(named), WORDS_A_QUERY):
        words = named[at : at + WORDS_A_QUERY]
        yield from connection.scalars(select(table.c.id).where(mentions(bodies, words)))


def _pushes(connection: Connection, person: Person) -> list[tuple[str, str]]:
    is_theirs = or_(
        PUSHES.c.thiio_order_id.in_(person.orders[Side.THIIO]), mentions([PUSHES.c.body], [person.email_key])
    )
    query = select(PUSHES.c.thiio_order_id, PUSHES.c.state).where(is_theirs, PUSHES.c.body.is_not(None))
    return [(id, state) for id, state in connection.execute(query)]


def _mismatches(connection: Connection, person: Person) -> list[int]:
    """Give those of the records whose values are personal: a field of the person, or a missing customer."""
    table = MISMATCHES
    values = (table.c.ultracart_value, table.c.thiio_value)
    is_theirs = or_(
        *(
            and_(table.c.entity == entity, table.c[f"{side}_id"].in_(ids))
            for entity in Entity
            for side, ids in person.ids(entity).items()
        )
    )
    is_personal = or_(table.c.field.in_(PERSONAL), table.c.entity == Entity.CUSTOMER)
    is_told = or_(*(value.is_not(None) for value in values))
    found = or_(and_(is_theirs, is_personal, is_told), mentions(TEXTS, [person.email_key]))
    return list(connection.scalars(select(table.c.id).where(found)))
