"""The account of a repair: what became of each mismatch, from what the other rooms answered."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine, select

from tasks.database import tables
from tasks.errors import InvalidRecord
from tasks.reconcile.ignoring import set_aside, take_back
from tasks.reconcile.mismatch import MismatchKind
from tasks.reconcile.repair.account import Account
from tasks.reconcile.repair.decide import Act, Owners, Plan, make_plan
from tasks.reconcile.repair.steps import note_repairs, plan_repairs
from tasks.records.models import Entity
from tests.builders import NOON, make_order
from tests.reconcile.test_reconcile_again import MINUTE
from tests.reconcile.test_reconcile_ledger import read
from tests.reconcile.test_repair_decide import DUPLICATE, IN_THIIO, IN_ULTRACART, UNLINKED, make_candidate
from tests.reconcile.two_sides import NOW, make_customer_pair, make_pair, reconcile, store

NOBODY = Owners(frozenset(), frozenset())


def plan_of(*candidates: Any) -> Plan:
    """Plan some mismatches without limits."""
    return make_plan(candidates, NOBODY, limit=99, customer_limit=99)


def put_back(outcome: str | None, **answer: Any) -> Account:
    """The account of an order that was to be put back."""
    outcomes = [] if outcome is None else [("order", "D-1", outcome)]
    return Account(
        plan_of(make_candidate(IN_THIIO)),
        {"put_back": {"outcomes": outcomes, "trouble": "", "is_spent": False} | answer},
    )


def release(**order: Any) -> Account:
    """The account of a phone order that was to be released."""
    answer = {"thiio_order_id": "17", "reason": "", "remedy": "", "is_released": False} | order
    return Account(plan_of(make_candidate(IN_ULTRACART)), {"release": [answer]})


@pytest.mark.parametrize(
    ("account", "done", "words"),
    [
        (put_back("stored"), True, "process-inbox delivers it to Thiio."),
        (put_back("again"), True, "worked off again"),
        (put_back("waits"), False, "waits in the inbox already"),
        (put_back("gone"), False, "UltraCart does not know it any more."),
        (put_back("unreadable"), False, "a dead letter"),
        (put_back(None, trouble="It is away."), False, "Not read: It is away. Start the repair again."),
        (release(outcome="planned", is_released=True), True, "The next run of push-orders sends it"),
        (release(outcome="held", reason="No item."), False, "No item. Then start this repair again"),
        (release(outcome="rejected"), False, "Its words: ultrathiio order 17."),
        (release(outcome="in_doubt"), False, "nothing is sent on a guess"),
        (release(outcome="not_due", reason="Its status is draft."), False, "Its status is draft."),
        (release(thiio_order_id="18", outcome="planned"), False, "Look at it in Thiio."),
    ],
)
def test_each_answer_has_its_words(account: Account, done: bool, words: str) -> None:
    """And only what was done counts as done, and is noted."""
    numbers = account.numbers()

    [(each, result)] = account.results
    assert words in result.words
    assert bool(result.done) == done == bool(account.done(each.act))
    assert (numbers["put_back"] + numbers["released"], numbers["not_done"]) == (int(done), int(not done))
    assert words.split("|")[0] in account.markdown(dry_run=False)


def test_trouble_fails_the_run_and_a_spent_budget_does_not() -> None:
    """The one somebody must put right, the other only takes time."""
    assert put_back(None, trouble="It is away.").failures() == ["It is away."]
    assert put_back(None, trouble="Used up.", is_spent=True).failures() == []


def test_a_link_that_could_not_be_written_is_told() -> None:
    """With Thiio's reason; the other one is done."""
    plan = plan_of(make_candidate(UNLINKED, id=1), make_candidate(UNLINKED, id=2, thiio_id="18"))

    account = Account(plan, {"link": {"17": "", "18": "Order 18 does not exist."}})

    assert account.done(Act.LINK) == {1: "linked: UltraCart's order ID was written on Thiio's order"}
    assert account.failures() == ["Order 18 does not exist."]
    assert (account.numbers()["linked"], account.numbers()["not_done"]) == (1, 1)


def test_what_did_not_help_before_is_told() -> None:
    """It is tried again, with the date of the last try."""
    before = {"repair": "linked on a day", "repaired_at": NOON - MINUTE}

    account = Account(plan_of(make_candidate(UNLINKED, **before)), {"link": {"17": ""}})

    [(_, result)] = account.results
    assert result.done
    assert result.words == "It was linked on a day, and was found again since."


def test_a_page_that_people_can_read() -> None:
    """A section a fate, each mismatch by its number; signs of Markdown in ids are no markup."""
    plan = plan_of(
        make_candidate(IN_THIIO, ultracart_id="D|1"), make_candidate(DUPLICATE, id=2),
        make_candidate(IN_THIIO, id=3, entity=Entity.CUSTOMER),
    )  # fmt: skip

    page = Account(plan, {}).markdown(dry_run=True)

    assert "Dry run: nothing was done." in page
    assert "## What would be done: 2" in page
    assert "## What a person decides: 1" in page
    assert "| 2 | D-1 | 17 | Order with several candidates |" in page
    assert "What was done" not in page


@pytest.fixture
def ledger(any_engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """A ledger with a missing order and a missing customer, which the settings name."""
    url = any_engine.url.render_as_string(hide_password=False)
    monkeypatch.setenv("ULTRATHIIO_DATABASE_URL", url)
    ultracart, thiio = make_pair(3)
    store(any_engine, make_order("D-1"), make_customer_pair(2)[0], ultracart, thiio)
    for entity in Entity:
        reconcile(any_engine, entity)
    return any_engine


def choose(**choice: Any) -> list[tuple[str, str]]:
    """Plan by a choice: entity and kind of what is chosen."""
    plan = plan_repairs.fn(choice)
    return [(each.candidate.entity.value, each.candidate.kind.value) for each in plan.intended]


def test_a_choice_means_what_it_says(ledger: Engine) -> None:
    """By entity, by kind, by number; one that is not open is named, and nothing is planned."""
    order, customer = ("order", "missing_in_thiio"), ("customer", "missing_in_thiio")
    [number] = [row["id"] for row in read(ledger) if row["entity"] == "order"]

    assert set(choose()) == {order, customer}
    assert choose(entities=["customer"]) == [customer]
    assert choose(kinds=[MismatchKind.DUPLICATE]) == []
    assert choose(ids=[number]) == [order]
    with pytest.raises(InvalidRecord, match="Mismatch 99 is not open"):
        choose(ids=[number, 99])


def test_only_what_was_done_is_noted(ledger: Engine) -> None:
    """On its mismatch, with the time; the other stays as it was."""
    plan = plan_repairs.fn({})
    outcomes = [("order", "D-1", "stored"), ("customer", "2", "gone")]

    note_repairs.fn(
        plan, Act.PUT_BACK, {"put_back": {"outcomes": outcomes, "trouble": "", "is_spent": False}}
    )

    noted = {row["entity"]: (row["repair"] or "").split(" on ")[0] for row in read(ledger)}
    assert noted == {"order": "put back into the inbox", "customer": ""}


def test_a_field_that_a_person_ignores_keeps_its_record_from_being_delivered(
    ledger: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A delivery would overwrite just the value that was to be left alone; one that agrees again is free."""
    monkeypatch.setenv("ULTRATHIIO_RECONCILE__ULTRACART_OWNED_FIELDS", '["total_cents"]')
    ultracart, thiio = make_pair(4)
    store(ledger, ultracart, replace(thiio, total_cents=1, city="Elsewhere"))
    reconcile(ledger, now=NOW + MINUTE)
    table = tables.mismatches
    with ledger.begin() as connection:
        [city] = connection.scalars(select(table.c.id).where(table.c.field == "city"))
        set_aside(connection, [city], "They moved.", 30, now=NOW + MINUTE)

    [ignored] = plan_repairs.fn({"kinds": ["field_differs"]}).intended
    with ledger.begin() as connection:
        take_back(connection, [city])
    store(ledger, replace(thiio, total_cents=1))
    reconcile(ledger, now=NOW + 2 * MINUTE)
    [alone] = plan_repairs.fn({"kinds": ["field_differs"]}).intended

    assert (ignored.candidate.field, ignored.act) == ("total_cents", Act.TELL)
    assert "also differs in city" in ignored.why
    assert (alone.candidate.field, alone.act) == ("total_cents", Act.PUT_BACK)
