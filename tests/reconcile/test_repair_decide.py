"""What is done about each kind of open mismatch, a row a rule; and what bounds a run."""

from __future__ import annotations

from typing import Any

import pytest

from tasks.errors import SetupError
from tasks.reconcile.mismatch import MismatchKind
from tasks.reconcile.repair.choose import Candidate
from tasks.reconcile.repair.decide import KEPT, Act, Owners, decide, make_plan, read_owners
from tasks.records.models import Entity
from tasks.settings import ReconcileSettings
from tests.builders import NOON
from tests.reconcile.test_reconcile_ledger import HOUR

IN_THIIO, IN_ULTRACART = MismatchKind.MISSING_IN_THIIO, MismatchKind.MISSING_IN_ULTRACART
DIFFERS, UNLINKED, DUPLICATE = MismatchKind.FIELD_DIFFERS, MismatchKind.UNLINKED, MismatchKind.DUPLICATE
OWNERS = Owners(ultracart=frozenset({"status", "total_cents"}), thiio=frozenset({"phone"}))


def make_candidate(kind: MismatchKind, **changes: Any) -> Candidate:
    """An open mismatch of a kind, of an order."""
    values: dict[str, Any] = {
        "id": 1, "entity": Entity.ORDER, "field": "", "ultracart_id": "D-1", "thiio_id": "17",
        "last_seen_at": NOON, "repair": None, "repaired_at": None, "thiio_names": None, "push_state": None,
        "fields": frozenset(),
    }  # fmt: skip
    return Candidate(kind=kind, **{**values, **changes})


def differs(field: str, *others: str, **changes: Any) -> Candidate:
    """A field that differs; so do others of the same pair."""
    return make_candidate(DIFFERS, field=field, fields=frozenset({field, *others}), **changes)


@pytest.mark.parametrize(
    ("candidate", "act", "told"),
    [
        (make_candidate(IN_THIIO), Act.PUT_BACK, ""),
        (make_candidate(IN_THIIO, entity=Entity.CUSTOMER), Act.PUT_BACK, ""),
        (make_candidate(IN_ULTRACART), Act.RELEASE, ""),
        (make_candidate(IN_ULTRACART, push_state="held"), Act.RELEASE, ""),
        (make_candidate(IN_ULTRACART, push_state="confirmed"), Act.TELL, "UltraCart confirmed it"),
        (make_candidate(IN_ULTRACART, thiio_names="D-9"), Act.TELL, "names UltraCart order D-9: it is not"),
        (make_candidate(IN_ULTRACART, entity=Entity.CUSTOMER), Act.TELL, "No profile is made"),
        (make_candidate(UNLINKED), Act.LINK, ""),
        (make_candidate(UNLINKED, thiio_names="D-9"), Act.TELL, "names UltraCart order D-9 instead"),
        (make_candidate(DUPLICATE), Act.TELL, "nobody guesses"),
        (differs("status"), Act.PUT_BACK, ""),
        (differs("status", "total_cents"), Act.PUT_BACK, ""),
        (differs("status", "city", "phone"), Act.TELL, "also differs in city, phone, where"),
        (differs("status", "is_deleted"), Act.TELL, "also differs in deleted, where"),
        (differs("city"), Act.TELL, "No setting says whose city counts. Correct one side by hand, or name"),
        (differs("phone"), Act.TELL, "By hand in UltraCart: correct the phone of order D-1."),
        (differs("is_deleted"), Act.TELL, "Nothing is deleted or restored by a repair"),
    ],
)
def test_each_kind_has_its_rule(candidate: Candidate, act: Act, told: str) -> None:
    """What nothing is done about says why."""
    intended = decide(candidate, OWNERS)

    assert intended.act is act
    assert told in intended.why
    assert bool(intended.why) == (act is Act.TELL)


def test_without_a_setting_no_value_is_overwritten() -> None:
    """The default: fields that differ are told, whichever they are."""
    nobody = read_owners(ReconcileSettings())

    assert {decide(differs(field), nobody).act for field in ("status", "total_cents", "lines")} == {Act.TELL}


@pytest.mark.parametrize(("hours", "act"), [(-1, Act.PUT_BACK), (0, Act.TELL), (1, Act.TELL)])
def test_what_was_repaired_waits_for_the_next_comparison(hours: int, act: Act) -> None:
    """One that was seen again since may be repaired again."""
    acted = {"repair": "put back into the inbox on a day", "repaired_at": NOON + hours * HOUR}
    intended = decide(make_candidate(IN_THIIO, **acted), OWNERS)

    assert intended.act is act
    assert ("It was put back into the inbox on a day" in intended.why) == (act is Act.TELL)


def test_a_run_is_bounded_by_records() -> None:
    """All mismatches of a record that is repaired are in; what is over a limit is counted, not forgotten."""
    candidates = [
        differs("status", "total_cents", id=1),
        make_candidate(IN_THIIO, id=2, entity=Entity.CUSTOMER),
        make_candidate(IN_THIIO, id=3, entity=Entity.CUSTOMER, ultracart_id="D-2"),
        make_candidate(IN_THIIO, id=4, ultracart_id="D-3"),
        make_candidate(IN_THIIO, id=5, ultracart_id="D-4"),
        differs("total_cents", "status", id=6),
        make_candidate(DUPLICATE, id=7),
    ]

    plan = make_plan(candidates, OWNERS, limit=3, customer_limit=1)

    assert [each.candidate.id for each in plan.intended] == [1, 2, 4, 6, 7]
    assert (plan.told, plan.left) == (1, 2)
    assert plan.keys(Act.PUT_BACK, Entity.ORDER) == ["D-1", "D-3"]
    assert plan.keys(Act.PUT_BACK, Entity.CUSTOMER) == ["D-1"]


def test_what_is_only_told_fills_no_memory() -> None:
    """The first ones are kept, all are counted, and none takes a place of those that are repaired."""
    candidates = [make_candidate(DUPLICATE, id=number) for number in range(KEPT + 9)]

    plan = make_plan([*candidates, make_candidate(IN_THIIO, id=9_999)], OWNERS, limit=1, customer_limit=1)

    assert (len(plan.intended), plan.told, plan.left) == (KEPT + 1, KEPT + 9, 0)
    assert plan.keys(Act.PUT_BACK, Entity.ORDER) == ["D-1"]


@pytest.mark.parametrize("name", ["totl_cents", "is_deleted"])
def test_a_field_that_cannot_be_owned_is_named(name: str) -> None:
    """With its setting, and the names that can be used."""
    settings = ReconcileSettings(ultracart_owned_fields=["status", name])

    with pytest.raises(
        SetupError, match=f"ULTRACART_OWNED_FIELDS names {name}. Write some of: .*total_cents"
    ):
        read_owners(settings)


def test_a_field_has_one_owner() -> None:
    """Both lists cannot name it."""
    with pytest.raises(ValueError, match="status cannot be owned by both sides"):
        ReconcileSettings(ultracart_owned_fields=["status"], thiio_owned_fields=["phone", "status"])
