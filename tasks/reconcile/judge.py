"""Judge the records of a scope: pair them, compare the pairs, find what stands alone, write it all down.

What is looked at by its fields is looked at in pages of `PAGE` records, read without a lock and written in
short transactions: memory stays bounded, and no other writer waits for long.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple, TypeVar

from sqlalchemy import Connection, Engine

from tasks.database import tables
from tasks.database.analyze import refresh_statistics
from tasks.database.engine import reading
from tasks.reconcile import ledger
from tasks.reconcile.alone import find_alone
from tasks.reconcile.compare import explain_differences
from tasks.reconcile.conflicts import Conflicts, find_conflicts
from tasks.reconcile.mismatch import Mismatch
from tasks.reconcile.pairing import link_pairs
from tasks.reconcile.scope import Scope
from tasks.reconcile.screen import Screened, count_covered, find_unlinked, screen
from tasks.reconcile.terms import Terms
from tasks.records.models import Side

PAGE = 2_000
MOST_KEPT_IDS = 200_000
"""Ids of records without link that are kept in memory; if there are more, the database is asked again."""

Item = TypeVar("Item")


class Tally(NamedTuple):
    """What a comparison counted: living records of both sides, pairs by what they are, and mismatches."""

    ultracart: int = 0
    thiio: int = 0
    paired: int = 0
    equal: int = 0
    settling: int = 0
    mismatches: int = 0

    def plus(self, other: Tally) -> Tally:
        """Add up two counts of different records."""
        return Tally(*(ours + theirs for ours, theirs in zip(self, other, strict=True)))


def judge(engine: Engine, scope: Scope, terms: Terms) -> Conflicts:
    """Judge every record in scope that has settled; safe to repeat and to kill at any moment."""
    conflicts = pair_up(engine, scope, terms)
    compare(engine, scope, terms)
    return conflicts


def pair_up(engine: Engine, scope: Scope, terms: Terms) -> Conflicts:
    """Link what belongs together, and write down what several records claim."""
    unlinked = Unlinked(engine, scope)
    for page in unlinked:
        with engine.begin() as connection:
            link_pairs(connection, page, terms.partner_order_prefix)
    if scope.window:
        with engine.begin() as connection:
            refresh_statistics(connection, tables.links)
    with reading(engine) as connection:
        conflicts = find_conflicts(connection, scope.entity, unlinked, terms)
    _write_down(engine, conflicts.mismatches, terms)
    return conflicts


def compare(engine: Engine, scope: Scope, terms: Terms) -> Tally:
    """Compare the pairs in scope, and find the records that stand alone."""
    total = Tally()
    for subject in scope.subjects:
        total = total.plus(_compare_side(engine, scope, subject, terms))
    return total


def _compare_side(engine: Engine, scope: Scope, subject: Side, terms: Terms) -> Tally:
    with reading(engine) as connection:
        covered, living = count_covered(connection, scope, subject)
        # What the screening leaves out: UltraCart's pairs that agree, or Thiio's that come with UltraCart's.
        left_out, total = covered, Tally(**{subject: living})
        for page in _pages(screen(connection, scope, subject, terms)):
            total = total.plus(_judge_page(engine, connection, scope, subject, page, terms))
            left_out -= len(page)
    return total.plus(Tally(paired=left_out, equal=left_out)) if subject is Side.ULTRACART else total


def _judge_page(
    engine: Engine,
    connection: Connection,
    scope: Scope,
    subject: Side,
    page: Sequence[Screened],
    terms: Terms,
) -> Tally:
    pairs = [(each.pair, each) for each in page if each.pair and each.is_compared]
    settled = [pair for pair, each in pairs if each.differs and each.is_settled]
    settling = sum(each.differs and not each.is_settled for _, each in pairs)
    found = explain_differences(connection, scope.entity, settled, terms)
    lone = scope.page(subject, [each.id for each in page if not each.pair])
    alone = find_alone(connection, lone, subject, terms)
    _write_down(engine, [*found, *alone.mismatches], terms)
    differing = len({mismatch.ultracart_id for mismatch in found}) + settling
    return Tally(
        paired=len(pairs),
        equal=len(pairs) - differing,
        settling=settling + alone.settling,
        mismatches=len(found) + len(alone.mismatches),
    )


def _write_down(engine: Engine, found: Sequence[Mismatch], terms: Terms) -> None:
    if found:
        with engine.begin() as connection:
            ledger.record(connection, found, config_hash=terms.config_hash, now=terms.now)


def _pages(items: Iterable[Item]) -> Iterator[list[Item]]:
    rest = iter(items)
    while page := list(islice(rest, PAGE)):
        yield page


@dataclass(slots=True)
class Unlinked:
    """The records in scope without link, in pages; known after the first time, if they are few.

    Among them are those that were linked since: whoever asks looks again.
    """

    engine: Engine
    scope: Scope
    _known: list[Scope] | None = None

    def __iter__(self) -> Iterator[Scope]:
        """Give scopes of up to `PAGE` records of one side."""
        if self.scope.window is None:
            yield self.scope
        elif self._known is not None:
            yield from self._known
        else:
            yield from self._look()

    def _look(self) -> Iterator[Scope]:
        found: list[Scope] = []
        for side in Side:
            with reading(self.engine) as connection:
                for ids in _pages(find_unlinked(connection, self.scope, side)):
                    page = self.scope.page(side, ids)
                    if len(found) * PAGE <= MOST_KEPT_IDS:
                        found.append(page)
                    yield page
        if len(found) * PAGE <= MOST_KEPT_IDS:
            self._known = found
