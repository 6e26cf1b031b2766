"""The likely cause of one difference, from the pair's own evidence: the first clue that fits tells.

It is a likelihood, told to a person who looks; nothing is decided by it.
"""

from __future__ import annotations

from collections.abc import Callable, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from tasks.reconcile.causes import Cause
from tasks.reconcile.fields import ComparedField, FieldKind
from tasks.records.models import Customer, Order, OrderStatus

FURTHEST_ZONE = timedelta(hours=14)
ZONE_STEP = timedelta(minutes=15)
"""Time zones are whole quarters of an hour, up to 14 hours from UTC (IANA time zone database)."""
SECOND = timedelta(seconds=1)

CERTAIN = frozenset({Cause.DELETED, Cause.TEST_ORDER, Cause.GATEWAY_CODE})
"""Causes that follow from the field alone."""
EDITS = frozenset({Cause.EDITED, Cause.ITEMS_EDITED, Cause.CUSTOMER_EDITED, Cause.DATE})
"""Causes of fields that change without an event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What other tables know about a pair.

    `event`: the state of UltraCart's newest inbox event about it, None if the inbox holds none; `synced_at`:
    when an event or a push last brought it over; `is_pushed`: UltraCart's order was made of Thiio's.
    """

    event: str | None = None
    synced_at: datetime | None = None
    is_pushed: bool = False


class RecordPair(NamedTuple):
    """Both records of a pair, of one entity, and what else is known of them."""

    ultracart: Customer | Order
    thiio: Customer | Order
    evidence: Evidence = Evidence()


class Clue(NamedTuple):
    """A field that differs, and all that can tell why; `differing` names all fields of the pair that do."""

    field: ComparedField
    pair: RecordPair
    differing: Set[str]

    @property
    def values(self) -> tuple[Any, Any]:
        """UltraCart's value and Thiio's."""
        return getattr(self.pair.ultracart, self.field.name), getattr(self.pair.thiio, self.field.name)


def find_cause(field: ComparedField, pair: RecordPair, differing: Set[str]) -> Cause:
    """Give the cause of the first clue that fits, else the one that the field itself suggests."""
    clue = Clue(field, pair, differing)
    if field.cause in CERTAIN:
        return field.cause
    return next((cause for fits, cause in CLUES if fits(clue)), field.cause)


def _has_unknown_word(clue: Clue) -> bool:
    return clue.field.kind is FieldKind.STATUS and OrderStatus.UNKNOWN in clue.values


def _has_unmapped_product(clue: Clue) -> bool:
    if clue.field.kind is not FieldKind.LINES:
        return False
    return any(line.item_id is None and not line.is_component for line in clue.values[1])


def _is_tax_recomputed(clue: Clue) -> bool:
    """Only tax and total of a pushed order differ, and both by the same amount."""
    ultracart, thiio = clue.pair.ultracart, clue.pair.thiio
    if not (clue.pair.evidence.is_pushed and isinstance(ultracart, Order) and isinstance(thiio, Order)):
        return False
    money = {name for name in clue.differing if name.endswith("_cents")}
    if money != {"tax_cents", "total_cents"} or clue.field.name not in money:
        return False
    return _difference(ultracart.tax_cents, thiio.tax_cents) == _difference(
        ultracart.total_cents, thiio.total_cents
    )


def _is_in_another_zone(clue: Clue) -> bool:
    """Two times apart by whole quarters of an hour, to the second, are one time read in two zones."""
    if clue.field.kind is not FieldKind.TIME:
        return False
    ours, theirs = clue.values
    apart = abs(ours - theirs)
    return apart <= FURTHEST_ZONE and bool((apart + SECOND) % ZONE_STEP <= 2 * SECOND)


def _is_refunded_in_thiio(clue: Clue) -> bool:
    return clue.field.name == "refunded_cents" and clue.values[0] < clue.values[1]


def _event_waits(clue: Clue) -> bool:
    return clue.pair.evidence.event in ("waiting", "leased")


def _event_is_dead(clue: Clue) -> bool:
    return clue.pair.evidence.event == "dead"


def _is_edited_in_thiio(clue: Clue) -> bool:
    synced_at = clue.pair.evidence.synced_at
    return synced_at is not None and clue.pair.thiio.as_of > synced_at


def _is_refunded_late(clue: Clue) -> bool:
    """The refund is younger than the last news of the order that came over."""
    ultracart, synced_at = clue.pair.ultracart, clue.pair.evidence.synced_at
    if clue.field.cause is not Cause.REFUND_EVENT_LOST or not isinstance(ultracart, Order):
        return False
    return bool(synced_at and ultracart.refunded_at and ultracart.refunded_at > synced_at)


def _is_edited_in_ultracart(clue: Clue) -> bool:
    """Thiio's record is as it was brought over, so it is UltraCart's that has changed since."""
    return clue.field.cause in EDITS and clue.pair.evidence.synced_at is not None


def _has_no_event(clue: Clue) -> bool:
    evidence = clue.pair.evidence
    return clue.field.cause not in EDITS and evidence.event is None and not evidence.is_pushed


CLUES: tuple[tuple[Callable[[Clue], bool], Cause], ...] = (
    (_has_unknown_word, Cause.UNKNOWN_STATUS),
    (_has_unmapped_product, Cause.ITEM_MAPPING),
    (_is_tax_recomputed, Cause.TAX_RECOMPUTED),
    (_is_in_another_zone, Cause.TIME_ZONE),
    (_is_refunded_in_thiio, Cause.REFUND_IN_THIIO),
    (_event_waits, Cause.EVENT_WAITS),
    (_event_is_dead, Cause.EVENT_DEAD),
    (_is_edited_in_thiio, Cause.EDITED_IN_THIIO),
    (_is_refunded_late, Cause.REFUND_LATE),
    (_is_edited_in_ultracart, Cause.EDITED_IN_ULTRACART),
    (_has_no_event, Cause.NO_EVENT),
)
"""From the certain to the vague."""


def _difference(ours: int | None, theirs: int | None) -> int | None:
    return None if ours is None or theirs is None else ours - theirs
