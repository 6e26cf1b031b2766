"""Records that a pairing rule means, but not one to one: listed with all candidates, never guessed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sqlalchemy import ColumnElement, Connection, and_, or_, select

from tasks.reconcile.causes import ADVICE, Cause
from tasks.reconcile.mismatch import Mismatch, MismatchKind
from tasks.reconcile.pairing import RULES, Rule, is_claimed
from tasks.reconcile.scope import BORN, Scope, is_linked, records_of
from tasks.reconcile.terms import Terms
from tasks.records.mirror import BATCH
from tasks.records.models import Entity, Side

SHOWN_CANDIDATES = 20
"""So many ids are spelt out; a junk e-mail address can have thousands."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A record that a rule means."""

    id: str
    is_linked: bool
    as_of: datetime
    placed_at: datetime | None


Group = dict[Side, list[Candidate]]
"""The candidates of both sides that share one key."""


@dataclass(frozen=True, slots=True)
class Conflicts:
    """The conflicts of a scope; `settling` are those with a record too young to be judged."""

    mismatches: list[Mismatch]
    settling: list[Mismatch]


def find_conflicts(connection: Connection, entity: Entity, pages: Iterable[Scope], terms: Terms) -> Conflicts:
    """Find the groups in scope that no rule could pair; the first rule to find a conflict tells it."""
    settled: dict[tuple[str, str], Mismatch] = {}
    settling: dict[tuple[str, str], Mismatch] = {}
    for rule, scope in ((rule, page) for rule in RULES[entity] for page in pages):
        for group in _groups(connection, scope, rule, terms.partner_order_prefix):
            newest = max(member.as_of for side in Side for member in group[side])
            found = settling if newest > terms.settled_until else settled
            for mismatch in _mismatches(entity, group):
                found.setdefault((mismatch.ultracart_id, mismatch.thiio_id), mismatch)
    return Conflicts(list(settled.values()), list(settling.values()))


def _groups(connection: Connection, scope: Scope, rule: Rule, prefix: str) -> Iterator[Group]:
    keys = sorted(
        {key for side in scope.subjects for key in _conflicting_keys(connection, scope, rule, side, prefix)}
    )
    for at in range(0, len(keys), BATCH):
        groups: dict[str, Group] = {key: {side: [] for side in Side} for key in keys[at : at + BATCH]}
        for side in Side:
            _fill_groups(connection, scope.entity, rule, side, prefix, groups)
        yield from groups.values()


def _conflicting_keys(
    connection: Connection, scope: Scope, rule: Rule, side: Side, prefix: str
) -> Iterator[str]:
    records, of_side = records_of(scope.entity, side)
    claim = partial(is_claimed, scope.entity, records, side, prefix, (rule,))
    left_over: ColumnElement[bool] = and_(~is_linked(scope.entity, records, side), claim())
    if scope.window is None:
        # A known conflict may be kept under the id of its one linked record.
        left_over = or_(left_over, claim(only_unlinked=True))
    query = select(rule.column(records, side))
    query = query.where(of_side, scope.covers(records, side), ~records.c.is_deleted, left_over)
    strip = prefix if rule.has_prefix and side is Side.ULTRACART else ""
    return (key.removeprefix(strip) for key in connection.scalars(query))


def _fill_groups(
    connection: Connection, entity: Entity, rule: Rule, side: Side, prefix: str, groups: dict[str, Group]
) -> None:
    records, of_side = records_of(entity, side)
    column = rule.column(records, side)
    strip = prefix if rule.has_prefix and side is Side.ULTRACART else ""
    linked = is_linked(entity, records, side).label("is_linked")
    query = select(column, records.c.id, linked, records.c.as_of, records.c[BORN[entity]])
    query = query.where(of_side, column.in_([strip + key for key in groups]), ~records.c.is_deleted)
    for key, *values in connection.execute(query.order_by(records.c.id)):
        groups[key.removeprefix(strip)][side].append(Candidate(*values))


def _mismatches(entity: Entity, group: Group) -> Iterator[Mismatch]:
    advice = ADVICE[Cause.SEVERAL_CANDIDATES]
    for side, anchor in _anchors(group):
        yield Mismatch(
            entity=entity,
            kind=MismatchKind.DUPLICATE,
            ultracart_id=anchor.id if side is Side.ULTRACART else "",
            thiio_id=anchor.id if side is Side.THIIO else "",
            ultracart_value=_list_candidates(group[Side.ULTRACART]),
            thiio_value=_list_candidates(group[Side.THIIO]),
            placed_at=anchor.placed_at,
            cause=advice.cause,
            remedy=advice.remedy,
        )


def _anchors(group: Group) -> list[tuple[Side, Candidate]]:
    """Choose the records a group is kept under, the same ones as long as the group is the same."""
    for side in Side:
        if len(group[side]) == 1:
            return [(side, group[side][0])]
    for side in Side:
        if unlinked := [(side, member) for member in group[side] if not member.is_linked]:
            return unlinked
    return []


def _list_candidates(members: list[Candidate]) -> str:
    shown = [f"{member.id} (linked)" if member.is_linked else member.id for member in members]
    more = [f"and {len(shown) - SHOWN_CANDIDATES} more"] if len(shown) > SHOWN_CANDIDATES else []
    return ", ".join(shown[:SHOWN_CANDIDATES] + more)
