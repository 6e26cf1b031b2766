"""Which records a run judges, in SQL: what every query of this room starts with.

A record belongs to a window if it was placed (or created) in it, or has its own last date in it: a refund of
an old order is judged again. Either record of a pair brings the pair in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import ColumnElement, FromClause, and_, exists, not_, or_

from tasks.database import tables
from tasks.records.models import Entity, Side, Window

RECORDS = {Entity.CUSTOMER: tables.customers, Entity.ORDER: tables.orders}
BORN = {Entity.CUSTOMER: "created_at", Entity.ORDER: "placed_at"}
OTHER = {Side.ULTRACART: Side.THIIO, Side.THIIO: Side.ULTRACART}


@dataclass(frozen=True, slots=True)
class Scope:
    """The records of one entity that are judged: those of a window, or some by their ids.

    `part` is a stretch of the window: a record belongs to the part it was placed in, or, if it was placed
    before the window, to the part of its last date. Parts that make up a window hold each record once.
    """

    entity: Entity
    window: Window | None = None
    ids: Mapping[Side, Sequence[str]] = field(default_factory=dict)
    part: Window | None = None

    @property
    def subjects(self) -> list[Side]:
        """Give the sides of which records can be in scope."""
        return [side for side in Side if self.ids.get(side) or not (self.ids or self.window is None)]

    def page(self, side: Side, ids: Sequence[str]) -> Scope:
        """Give some records of this scope, of one side."""
        return replace(self, ids={side: ids})

    def covers(self, records: FromClause, side: Side) -> ColumnElement[bool]:
        """Say in SQL that a record is judged; never null, so that it can be negated."""
        if self.ids or self.window is None:
            return records.c.id.in_(self.ids.get(side, ()))
        born, last = records.c[BORN[self.entity]], records.c.as_of
        # Both databases answer this from the indexes that begin with (side, placed_at) and (side, as_of).
        if self.part is None:
            return or_(_is_in(self.window, born), _is_in(self.window, last))
        return or_(_is_in(self.part, born), and_(_is_in(self.part, last), not_(_is_in(self.window, born))))


def _is_in(window: Window, time: ColumnElement[datetime]) -> ColumnElement[bool]:
    return and_(time.is_not(None), time >= window.start, time < window.end)


def records_of(entity: Entity, side: Side) -> tuple[FromClause, ColumnElement[bool]]:
    """Give the table of records once more, with the condition that makes it that side's."""
    records = RECORDS[entity].alias()
    return records, records.c.side == side


def links_of(entity: Entity) -> tuple[FromClause, ColumnElement[bool]]:
    """Give the table of links once more, with the condition that makes them the entity's."""
    links = tables.links.alias()
    return links, links.c.entity == entity


def is_linked(entity: Entity, records: FromClause, side: Side) -> ColumnElement[bool]:
    """Say in SQL that a record has a link, whether or not its counterpart is in the mirror."""
    links, of_entity = links_of(entity)
    return exists().where(of_entity, links.c[f"{side}_id"] == records.c.id)


def has_counterpart(entity: Entity, records: FromClause, side: Side) -> ColumnElement[bool]:
    """Say in SQL that a record has a link to a record which is in the mirror."""
    links, of_entity = links_of(entity)
    others, of_side = records_of(entity, OTHER[side])
    return exists().where(
        of_entity,
        links.c[f"{side}_id"] == records.c.id,
        of_side,
        others.c.id == links.c[f"{OTHER[side]}_id"],
    )
