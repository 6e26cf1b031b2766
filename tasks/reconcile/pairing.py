"""Which record of one side belongs to which of the other: by rule, one to one, inside the database.

The ladder: a stored link; the partner order id under which we pushed an order, which nobody can mistype; the
UltraCart order id that Thiio's order names; for customers the e-mail address, and where it finds nobody the
phone. A rule links two records only if nobody else could be meant by it. What it leaves open stays open for
the later rules too: it is a conflict, which people decide.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Select,
    and_,
    exists,
    false,
    func,
    literal,
    or_,
    select,
    true,
)

from tasks.reconcile.scope import OTHER, Scope, is_linked, records_of
from tasks.records.links import link_all
from tasks.records.models import Entity, Side


@dataclass(frozen=True, slots=True)
class Rule:
    """Two records belong together if these columns are equal.

    `has_prefix`: UltraCart's column carries the prefix of our partner order ids. `needs_plus`: only a value
    that begins with + counts, as valid phone numbers do. `is_last_resort`: it speaks only of records without
    link that no earlier rule means, and of no value that a linked record has: households share a phone.
    """

    name: str
    ultracart_column: str
    thiio_column: str
    has_prefix: bool = False
    needs_plus: bool = False
    is_last_resort: bool = False

    def column(self, records: FromClause, side: Side) -> ColumnElement[str]:
        """Give the column of one side that the rule looks at."""
        return records.c[self.ultracart_column if side is Side.ULTRACART else self.thiio_column]

    def matches(self, ultracart: FromClause, thiio: FromClause, prefix: str) -> ColumnElement[bool]:
        """Say in SQL that the rule means these two."""
        ours, theirs = self.column(ultracart, Side.ULTRACART), self.column(thiio, Side.THIIO)
        if self.needs_plus:
            return and_(ours == theirs, ours.startswith("+", autoescape=True))
        if not self.has_prefix:
            return ours == theirs
        # Twice the same: the first is found by UltraCart's index, the second by Thiio's.
        return and_(ours == literal(prefix) + theirs, theirs == func.substr(ours, len(prefix) + 1))


RULES = {
    Entity.ORDER: (
        Rule("partner_order_id", "partner_order_id", "id", has_prefix=True),
        Rule("other_side_id", "id", "other_side_id"),
    ),
    Entity.CUSTOMER: (
        Rule("email", "email_key", "email_key"),
        Rule("phone", "phone", "phone", needs_plus=True, is_last_resort=True),
    ),
}


def link_pairs(connection: Connection, scope: Scope, prefix: str) -> None:
    """Link all records in scope that a rule matches to exactly one other, with the rule's name."""
    for number, rule in enumerate(RULES[scope.entity]):
        for subject in scope.subjects:
            pairs = _exclusive_pairs(scope, rule, RULES[scope.entity][:number], subject, prefix)
            link_all(connection, scope.entity, pairs, rule.name)


def is_claimed(
    entity: Entity,
    records: FromClause,
    side: Side,
    prefix: str,
    rules: tuple[Rule, ...],
    *,
    only_unlinked: bool = False,
) -> ColumnElement[bool]:
    """Say in SQL that one of these rules means some live (and unlinked) record of the other side."""
    others, of_side = records_of(entity, OTHER[side])
    pair = (records, others) if side is Side.ULTRACART else (others, records)
    live = ~others.c.is_deleted & (~is_linked(entity, others, OTHER[side]) if only_unlinked else true())
    # One EXISTS a rule: each is answered by its own index.
    claims: list[ColumnElement[bool]] = []
    for rule in rules:
        found = exists().where(of_side, rule.matches(*pair, prefix), live)
        claim: ColumnElement[bool] = found
        if rule.is_last_resort:
            found = found.where(_stands_alone(entity, rule, others, OTHER[side], prefix))
            claim = and_(
                _stands_alone(entity, rule, records, side, prefix),
                # Before the claim: the first linked one of a thousand ends the search.
                *(~_is_taken(entity, rule, records, side, holder) for holder in Side),
                found,
            )
        claims.append(claim)
    return or_(false(), *claims)


def _stands_alone(
    entity: Entity, rule: Rule, records: FromClause, side: Side, prefix: str
) -> ColumnElement[bool]:
    """Say in SQL that a record has no link, and that no rule before this one means anybody for it."""
    earlier = RULES[entity][: RULES[entity].index(rule)]
    return ~is_linked(entity, records, side) & ~is_claimed(entity, records, side, prefix, earlier)


def _is_taken(
    entity: Entity, rule: Rule, records: FromClause, side: Side, holder: Side
) -> ColumnElement[bool]:
    """Say in SQL that a linked live record of the side `holder` has the same value."""
    holders, of_side = records_of(entity, holder)
    same = rule.column(holders, holder) == rule.column(records, side)
    return exists().where(of_side, same, ~holders.c.is_deleted, is_linked(entity, holders, holder))


def _exclusive_pairs(
    scope: Scope, rule: Rule, earlier: tuple[Rule, ...], subject: Side, prefix: str
) -> Select[Any]:
    entity = scope.entity
    ultracart, is_ultracart = records_of(entity, Side.ULTRACART)
    thiio, is_thiio = records_of(entity, Side.THIIO)
    sides = {Side.ULTRACART: ultracart, Side.THIIO: thiio}
    query = select(ultracart.c.id, thiio.c.id).where(
        is_ultracart, is_thiio, rule.matches(ultracart, thiio, prefix), scope.covers(sides[subject], subject)
    )
    if scope.ids and rule.has_prefix and subject is Side.THIIO:
        # Said twice, or SQLite goes through all of UltraCart's orders for a page of Thiio's.
        named = [prefix + id for id in scope.ids[subject]]
        query = query.where(rule.column(ultracart, Side.ULTRACART).in_(named))
    for side, records in sides.items():
        query = query.where(
            ~records.c.is_deleted,
            ~is_linked(entity, records, side),
            ~_has_rival(entity, rule, records, side),
            ~is_claimed(entity, records, side, prefix, earlier),
        )
    return query


def _has_rival(entity: Entity, rule: Rule, records: FromClause, side: Side) -> ColumnElement[bool]:
    rivals, of_side = records_of(entity, side)
    return exists().where(
        of_side,
        rule.column(rivals, side) == rule.column(records, side),
        rivals.c.id != records.c.id,
        ~rivals.c.is_deleted,
    )
