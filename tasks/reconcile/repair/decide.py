"""What is done about each open mismatch, and about which of them nothing is, and why. Pure.

Nothing is deleted, and no value is overwritten unless the settings say whose word counts. UltraCart has no
call by which an integrator should change an order that is there (`PUT /order/orders/{order_id}` is rarely
right, says the vendor's SDK), so what UltraCart has wrong is told.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum

from tasks.errors import SetupError
from tasks.reconcile.fields import FIELDS, IS_DELETED, label_of
from tasks.reconcile.mismatch import MismatchKind
from tasks.reconcile.repair.choose import Candidate
from tasks.records.models import Entity
from tasks.settings import ReconcileSettings, variable_name

KEPT = 500
"""So many mismatches that nothing is done about are told one by one; the rest is counted."""


class Act(StrEnum):
    """What a repair does about a mismatch."""

    PUT_BACK = "put_back"  # UltraCart's record, read again, goes to Thiio through the inbox
    RELEASE = "release"  # the next run of push-orders sends the phone order, in spite of its age
    LINK = "link"  # UltraCart's order id is written on Thiio's order
    TELL = "tell"  # nothing: a person decides


@dataclass(frozen=True, slots=True, kw_only=True)
class Intended:
    """What is to be done about one mismatch; `why` is why nothing is, where nothing is."""

    candidate: Candidate
    act: Act
    why: str = ""

    @property
    def key(self) -> str:
        """The id by which the act names the record: UltraCart's where it is put back, else Thiio's."""
        return self.candidate.ultracart_id if self.act is Act.PUT_BACK else self.candidate.thiio_id


@dataclass(frozen=True, slots=True)
class Owners:
    """The fields in which one side is right; in all others nobody's value is overwritten."""

    ultracart: frozenset[str]
    thiio: frozenset[str]


def read_owners(settings: ReconcileSettings) -> Owners:
    """Read who owns which field; raises `SetupError` for a name that no repair can go by."""
    known = {field.name for fields in FIELDS.values() for field in fields} - {IS_DELETED.name}
    for setting in ("ultracart_owned_fields", "thiio_owned_fields"):
        if wrong := sorted(set(getattr(settings, setting)) - known):
            raise SetupError(
                f"{variable_name(('reconcile', setting))} names {', '.join(wrong)}. Write some of: "
                f"{', '.join(sorted(known))}."
            )
    return Owners(frozenset(settings.ultracart_owned_fields), frozenset(settings.thiio_owned_fields))


def decide(candidate: Candidate, owners: Owners) -> Intended:
    """Say what is to be done about an open mismatch."""
    if candidate.repaired_at is not None and candidate.last_seen_at <= candidate.repaired_at:
        why = f"It was {candidate.repair}, and no comparison has looked since: the next one tells."
        return _tell(candidate, why)
    match candidate.kind:
        case MismatchKind.MISSING_IN_THIIO:
            # Whether Thiio has it after all, the delivery sees: it finds a record by id and by link.
            return Intended(candidate=candidate, act=Act.PUT_BACK)
        case MismatchKind.MISSING_IN_ULTRACART:
            return _missing_in_ultracart(candidate)
        case MismatchKind.FIELD_DIFFERS:
            return _field_differs(candidate, owners)
        case MismatchKind.UNLINKED:
            return _unlinked(candidate)
        case MismatchKind.DUPLICATE:
            why = "Several records could be meant, and nobody guesses: merge or delete the others by hand."
            return _tell(candidate, why)


def _missing_in_ultracart(candidate: Candidate) -> Intended:
    if candidate.entity is Entity.CUSTOMER:
        return _tell(candidate, "No profile is made in UltraCart: make one by hand, or ignore this.")
    if candidate.thiio_names:
        return _tell(
            candidate,
            f"Thiio's order names UltraCart order {candidate.thiio_names}: it is not pushed a second time. "
            "Look it up in UltraCart; if it is there, backfill its day; else correct the ID in Thiio.",
        )
    if candidate.push_state == "confirmed":
        return _tell(
            candidate, "UltraCart confirmed it when it was pushed: look it up there, and ask who deleted it."
        )
    return Intended(candidate=candidate, act=Act.RELEASE)


def _field_differs(candidate: Candidate, owners: Owners) -> Intended:
    if candidate.field == IS_DELETED.name:
        return _tell(candidate, "Nothing is deleted or restored by a repair: do so by hand on one side.")
    label = label_of(candidate.entity, candidate.field)
    if candidate.field in owners.thiio:
        named = f"{candidate.entity} {candidate.ultracart_id}"
        return _tell(
            candidate, f"Thiio's {label} counts. By hand in UltraCart: correct the {label} of {named}."
        )
    if candidate.field not in owners.ultracart:
        return _tell(
            candidate,
            f"No setting says whose {label} counts. Correct one side by hand, or name {candidate.field} in "
            "ULTRATHIIO_RECONCILE__ULTRACART_OWNED_FIELDS or …__THIIO_OWNED_FIELDS.",
        )
    if others := candidate.fields - owners.ultracart:
        return _tell(
            candidate,
            "A delivery writes all that UltraCart says of a record, and this one also differs in "
            f"{_labels(candidate.entity, others)}, where UltraCart's word does not count (or a person "
            "ignores it). Settle that by hand first.",
        )
    return Intended(candidate=candidate, act=Act.PUT_BACK)


def _unlinked(candidate: Candidate) -> Intended:
    if candidate.thiio_names:
        return _tell(
            candidate,
            f"Thiio's order names UltraCart order {candidate.thiio_names} instead: one of the two is wrong, "
            "and nobody guesses. Correct it in Thiio.",
        )
    return Intended(candidate=candidate, act=Act.LINK)


def _tell(candidate: Candidate, why: str) -> Intended:
    return Intended(candidate=candidate, act=Act.TELL, why=why)


def _labels(entity: Entity, fields: Collection[str]) -> str:
    return ", ".join(label_of(entity, field) for field in sorted(fields))


@dataclass(frozen=True, slots=True)
class Plan:
    """What is intended; how many mismatches the limits leave to the next run, and how many are only told.

    Of those that are only told, `intended` holds the first `KEPT`.
    """

    intended: tuple[Intended, ...]
    told: int
    left: int

    def keys(self, act: Act, entity: Entity) -> list[str]:
        """Give the records that an act is done to, each once, in order."""
        return list(
            dict.fromkeys(
                each.key for each in self.intended if each.act is act and each.candidate.entity is entity
            )
        )


def make_plan(candidates: Iterable[Candidate], owners: Owners, *, limit: int, customer_limit: int) -> Plan:
    """Decide about each, up to `limit` records that something is done to, `customer_limit` customers.

    All mismatches of a record that is repaired are in: what is done to it is done about all of them.
    """
    intended: list[Intended] = []
    records: dict[Entity, set[tuple[Act, str]]] = {entity: set() for entity in Entity}
    told = left = 0
    for each in (decide(candidate, owners) for candidate in candidates):
        if each.act is Act.TELL:
            told += 1
            intended += [each] if told <= KEPT else []
            continue
        entity, record = each.candidate.entity, (each.act, each.key)
        is_full = sum(map(len, records.values())) >= limit
        is_full |= entity is Entity.CUSTOMER and len(records[entity]) >= customer_limit
        if record not in records[entity]:
            if is_full:
                left += 1
                continue
            records[entity].add(record)
        intended.append(each)
    return Plan(tuple(intended), told, left)
