"""Which UltraCart record belongs to which Thiio record: one to one, with the rule that matched them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Select, delete, exists, literal, select, true

from tasks.database import tables
from tasks.database.upsert import insert_for
from tasks.records.models import Entity, Side

logger = logging.getLogger(__name__)


def link(connection: Connection, entity: Entity, ultracart_id: str, thiio_id: str, rule: str) -> bool:
    """Link two records unless one of them is linked already; True if they are linked to each other now.

    False means that one of the two belongs to somebody else: the caller reports it, nobody guesses.
    """
    statement = insert_for(connection, tables.links).values(
        entity=entity, ultracart_id=ultracart_id, thiio_id=thiio_id, rule=rule, linked_at=datetime.now(UTC)
    )
    connection.execute(statement.on_conflict_do_nothing())
    return linked_ids(connection, entity, Side.ULTRACART, [ultracart_id]).get(ultracart_id) == thiio_id


@dataclass(frozen=True, slots=True)
class Link:
    """An UltraCart record and the Thiio record that belongs to it, and the rule that matched them."""

    entity: Entity
    ultracart_id: str
    thiio_id: str
    rule: str


def link_pairs(connection: Connection, links: Sequence[Link]) -> None:
    """Link many pairs; one of which either record belongs to somebody else is left, and logged."""
    if not links:
        return
    linked_at = datetime.now(UTC)
    rows = [
        {"entity": each.entity, "ultracart_id": each.ultracart_id, "thiio_id": each.thiio_id,
         "rule": each.rule, "linked_at": linked_at}
        # In one order: two writers of the same pairs would wait for each other for ever.
        for each in sorted(links, key=lambda each: (each.entity, each.ultracart_id))
    ]  # fmt: skip
    connection.execute(insert_for(connection, tables.links).on_conflict_do_nothing(), rows)
    for entity in Entity:
        wanted = {each.ultracart_id: each.thiio_id for each in links if each.entity == entity}
        found = linked_ids(connection, entity, Side.ULTRACART, list(wanted))
        for ultracart_id, thiio_id in wanted.items():
            if found.get(ultracart_id) != thiio_id:
                logger.warning(
                    "UltraCart %s %s belongs to Thiio %s, but one of the two is linked elsewhere.",
                    entity, ultracart_id, thiio_id,
                )  # fmt: skip


def forget_gone(connection: Connection, links: Sequence[Link]) -> None:
    """Drop what these UltraCart records were linked to, where that is another record the mirror lacks.

    For who has just delivered to Thiio and was told another id: the old record was deleted there for good,
    and would bar the new one.
    """
    table = tables.links
    for entity, records in ((Entity.CUSTOMER, tables.customers), (Entity.ORDER, tables.orders)):
        told = {each.ultracart_id: each.thiio_id for each in links if each.entity == entity}
        known = linked_ids(connection, entity, Side.ULTRACART, list(told))
        moved = sorted(id for id, thiio_id in known.items() if thiio_id != told[id])
        is_held = exists().where(records.c.side == Side.THIIO, records.c.id == table.c.thiio_id)
        if moved:
            gone = delete(table).where(table.c.entity == entity, table.c.ultracart_id.in_(moved), ~is_held)
            connection.execute(gone)


def linked_ids(connection: Connection, entity: Entity, side: Side, ids: Sequence[str]) -> dict[str, str]:
    """Map ids of `side` to the ids of their counterparts; ids without a link are left out."""
    table = tables.links
    here, there = (
        (table.c.ultracart_id, table.c.thiio_id)
        if side is Side.ULTRACART
        else (table.c.thiio_id, table.c.ultracart_id)
    )
    rows = connection.execute(select(here, there).where(table.c.entity == entity, here.in_(ids)))
    return {row[0]: row[1] for row in rows}


def link_all(connection: Connection, entity: Entity, pairs: Select[Any], rule: str) -> None:
    """Link every pair (UltraCart id, Thiio id) that a query gives, unless one of the two is linked."""
    linked_at = literal(datetime.now(UTC), tables.links.c.linked_at.type)
    found = pairs.subquery("found")
    rows = select(literal(entity.value), *found.c, literal(rule), linked_at).where(true())
    columns = ["entity", "ultracart_id", "thiio_id", "rule", "linked_at"]
    connection.execute(
        insert_for(connection, tables.links).from_select(columns, rows).on_conflict_do_nothing()
    )
