"""The news of one customer or order: all its waiting events, brought to Thiio as one state."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, select

from tasks.database import tables
from tasks.inbox.events import Event, FoundBy
from tasks.records.links import linked_ids
from tasks.records.models import Customer, Entity, Order, Side

COMPLETE_ORDER = frozenset({"core", "billing", "summary", "items"})
"""The parts without which an order is not worth delivering."""


@dataclass(slots=True)
class News:
    """What waits for one record. `record` is its merged state in the mirror, the newest of all that is known.

    `snapshots` are the events' own objects; `thiio_id` is its counterpart, `pushed_from` the Thiio order that
    it was made of, if we pushed it. `is_doubtful`: snapshots of one date disagree.
    """

    entity: Entity
    id: str
    events: list[Event] = field(default_factory=list)
    snapshots: list[Customer | Order] = field(default_factory=list)
    record: Customer | Order | None = None
    thiio_id: str | None = None
    pushed_from: str | None = None
    is_doubtful: bool = False

    @property
    def told_event(self) -> str:
        """The event that Thiio is told: a new order is new, whatever has happened to it since.

        Else the event whose object has the last date; among equals the one received last.
        """
        if any(event.name == "order_create" for event in self.events):
            return "order_create"
        dated = zip(self.snapshots, range(len(self.events)), self.events, strict=True)
        return max(dated, key=lambda each: (each[0].as_of, each[1]))[2].name

    @property
    def is_echo(self) -> bool:
        """Tell whether this is only UltraCart's word of an order that came from Thiio.

        What a repair put back is none: it is to be delivered.
        """
        if self.pushed_from is None or any(event.found_by == FoundBy.REPAIR for event in self.events):
            return False
        return {event.name for event in self.events} == {"order_create"}

    @property
    def is_incomplete(self) -> bool:
        """Tell whether this is an order of which parts are missing that Thiio needs."""
        return isinstance(self.record, Order) and not self.record.parts >= COMPLETE_ORDER


def group_by_entity(read: Iterable[tuple[Event, Customer | Order]]) -> list[News]:
    """Put the events of one record together, in the order in which records first appear."""
    groups: dict[tuple[Entity, str], News] = {}
    for event, snapshot in read:
        entity = Entity.ORDER if isinstance(snapshot, Order) else Entity.CUSTOMER
        news = groups.setdefault((entity, snapshot.id), News(entity, snapshot.id))
        news.events.append(event)
        news.snapshots.append(snapshot)
    return list(groups.values())


def find_counterparts(connection: Connection, groups: Sequence[News]) -> None:
    """Fill in `thiio_id` and `pushed_from` of each."""
    for entity in Entity:
        some = [news for news in groups if news.entity is entity]
        links = linked_ids(connection, entity, Side.ULTRACART, [news.id for news in some])
        for news in some:
            news.thiio_id = links.get(news.id)
    pushed = _pushed_orders(connection, [news.record for news in groups if isinstance(news.record, Order)])
    for news in groups:
        if isinstance(news.record, Order):
            news.pushed_from = pushed.get(news.record.partner_order_id or "")


def _pushed_orders(connection: Connection, orders: Sequence[Order]) -> Mapping[str, str]:
    """Map partner order ids to the Thiio orders that we pushed under them."""
    table = tables.pushes
    ids = [order.partner_order_id for order in orders if order.partner_order_id]
    query = select(table.c.partner_order_id, table.c.thiio_order_id).where(
        table.c.partner_order_id.in_(ids), table.c.sent_at.is_not(None)
    )
    return {row[0]: row[1] for row in connection.execute(query)}
