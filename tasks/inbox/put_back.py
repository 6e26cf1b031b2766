"""Put records of UltraCart back into the inbox, read again, so that they are delivered to Thiio once more.

Nothing is put back twice: an event is known by its object, one that waits is left to wait, and one that was
closed is worked off again. What one call has read is stored before the next call is made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Engine, select

from tasks.database import tables
from tasks.database.upsert import insert_for
from tasks.errors import BudgetSpent, RemoteChanged, RemoteRefused, RemoteUnavailable
from tasks.inbox.event_queue import replay, store_events
from tasks.inbox.events import CLOSED, FoundBy, NewEvent, event_of_object
from tasks.records.models import Entity
from tasks.ultracart.client import ORDERS_PER_BATCH, UltraCartClient
from tasks.ultracart.customer_objects import EVENT_NAME, read_customer_object
from tasks.ultracart.order_objects import iter_order_objects

EVENTS, PAYLOADS = tables.inbox_events, tables.inbox_payloads
AGAIN = "Put back by repair-mismatches."


class PutBack(StrEnum):
    """What became of a record that was to be put back.

    stored: it waits in the inbox as an event of a repair.
    again: its event was closed; it waits once more.
    waits: its event was there and waits already: nothing was done.
    unreadable: nobody can read what UltraCart gives; the inbox keeps it as a dead letter.
    gone: UltraCart does not know it any more.
    """

    STORED = "stored"
    AGAIN = "again"
    WAITS = "waits"
    UNREADABLE = "unreadable"
    GONE = "gone"


@dataclass(slots=True)
class Returned:
    """What became of each record, by entity and UltraCart's id.

    `trouble` is why the others were not read; with `is_spent` UltraCart's calls are used up.
    """

    outcomes: dict[tuple[Entity, str], PutBack] = field(default_factory=dict)
    trouble: str = ""
    is_spent: bool = False


def put_back(
    engine: Engine, client: UltraCartClient, order_ids: Sequence[str], customer_oids: Sequence[str]
) -> Returned:
    """Read orders (500 a call) and customers (one a call) again, and let them wait in the inbox.

    Safe to repeat and to kill. When UltraCart gives no more, what was read until then is kept.
    """
    returned = Returned()
    try:
        for asked, events in _read(client, order_ids, customer_oids):
            with engine.begin() as connection:
                became = _store(connection, list(events.values()), datetime.now(UTC))
            returned.outcomes |= {
                key: became[events[key].digest] if key in events else PutBack.GONE for key in asked
            }
    except (RemoteUnavailable, RemoteRefused, RemoteChanged) as error:
        returned.trouble, returned.is_spent = str(error), isinstance(error, BudgetSpent)
    return returned


Key = tuple[Entity, str]


def _read(
    client: UltraCartClient, order_ids: Sequence[str], customer_oids: Sequence[str]
) -> Iterator[tuple[Sequence[Key], Mapping[Key, NewEvent]]]:
    """Give what each call was asked for, and the events of what it gave."""
    for start in range(0, len(order_ids), ORDERS_PER_BATCH):
        asked = [(Entity.ORDER, id) for id in order_ids[start : start + ORDERS_PER_BATCH]]
        found = iter_order_objects(client, [id for _, id in asked])
        yield (
            asked,
            {
                (Entity.ORDER, each.order_id): event_of_object(
                    each.event_name, Entity.ORDER, each.order_id, each.object_json
                )
                for each in found
            },
        )
    for oid in customer_oids:
        key = (Entity.CUSTOMER, oid)
        customer = read_customer_object(client, oid)
        yield (
            [key],
            {}
            if customer is None
            else {key: event_of_object(EVENT_NAME, Entity.CUSTOMER, oid, customer.object_json)},
        )


def _store(connection: Connection, events: Sequence[NewEvent], now: datetime) -> dict[str, PutBack]:
    """Store the new ones and put the closed ones back; give what became of each, by digest."""
    known = _find_known(connection, events)
    fresh = [event for event in events if event.digest not in known]
    closed = [
        event
        for event in events
        if event.digest in known and known[event.digest].state in CLOSED and not event.dead
    ]
    store_events(connection, fresh, now=now, found_by=FoundBy.REPAIR)
    _restore_payloads(connection, {known[event.digest].id: event.body for event in closed})
    ids = [known[event.digest].id for event in closed]
    replay(connection, ids, now=now, reason=AGAIN, found_by=FoundBy.REPAIR)
    return {event.digest: _outcome(event, known.get(event.digest)) for event in events}


def _outcome(event: NewEvent, known: Any) -> PutBack:
    if event.dead:
        return PutBack.UNREADABLE
    if known is None:
        return PutBack.STORED
    if known.state in CLOSED:
        return PutBack.AGAIN
    # One that a repair has put there and that was killed before it could tell so counts as done.
    return PutBack.STORED if known.found_by == FoundBy.REPAIR else PutBack.WAITS


def _find_known(connection: Connection, events: Sequence[NewEvent]) -> dict[str, Any]:
    digests = [event.digest for event in events]
    query = select(EVENTS.c.digest, EVENTS.c.id, EVENTS.c.state, EVENTS.c.found_by)
    query = query.where(EVENTS.c.source == "ultracart", EVENTS.c.digest.in_(digests))
    return {row.digest: row for row in connection.execute(query.with_for_update())}


def _restore_payloads(connection: Connection, bodies: Mapping[int, str]) -> None:
    """Bring back what prune has deleted of closed events: the same objects were just read."""
    if bodies:
        rows = [{"event_id": id, "body": body} for id, body in bodies.items()]
        connection.execute(insert_for(connection, PAYLOADS).on_conflict_do_nothing(), rows)
