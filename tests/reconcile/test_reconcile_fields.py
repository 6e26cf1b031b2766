"""What counts as a difference of two records: a row a rule."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine, select

from tasks.database import tables
from tasks.reconcile.causes import ADVICE, Cause
from tasks.reconcile.explain import explain_pairs, same_lines
from tasks.reconcile.fields import FIELDS, FieldKind, Tolerances, is_personal, label_of
from tasks.reconcile.likely_cause import Evidence, RecordPair
from tasks.records.digest import COMPARED_CUSTOMER_FIELDS, COMPARED_ORDER_FIELDS
from tasks.records.models import ORDER_PARTS, Entity, OrderLine, OrderStatus
from tests.builders import NOON, make_line
from tests.reconcile.two_sides import found_in, make_customer_pair, make_pair, reconcile, store

MINUTE = timedelta(minutes=1)
TOLERANCES = Tolerances(cents=1, time=10 * MINUTE)
SAME = [
    pytest.param({"city": "SAN JOSE"}, id="upper case"),
    pytest.param({"total_cents": 2364}, id="a cent, which is the tolerance"),
    pytest.param({"total_cents": 2362}, id="a cent less"),
    pytest.param({"tax_cents": None}, id="money that one side did not say"),
    pytest.param({"email_key": None, "email": None}, id="text that one side did not say"),
    pytest.param({"tracking_numbers": None}, id="tracking numbers that one side did not say"),
    pytest.param({"lines": None, "parts": frozenset(ORDER_PARTS) - {"items"}}, id="a part nobody asked for"),
    pytest.param({"stage": "shipped to the moon"}, id="the side's own word for the status"),
    pytest.param({"payment_status": "Other"}, id="a field that is not compared"),
    pytest.param({"placed_at": NOON + 10 * MINUTE}, id="ten minutes, which is the tolerance"),
    pytest.param({"placed_at": NOON - 10 * MINUTE}, id="ten minutes earlier"),
    pytest.param({"placed_at": None}, id="a time that one side did not say"),
    pytest.param({"shipped_at": NOON}, id="a time that the other side did not say"),
]
DIFFERENT = [
    pytest.param({"total_cents": 2365}, {"total_cents": ("23.63 USD", "23.65 USD", -2)}, id="two cents"),
    pytest.param({"refunded_cents": 500}, {"refunded_cents": ("0.00 USD", "5.00 USD", -500)}, id="refund"),
    pytest.param({"city": "Fresno"}, {"city": ("San Jose", "Fresno", None)}, id="text"),
    pytest.param({"city": ""}, {"city": ("San Jose", "", None)}, id="an empty text was said"),
    pytest.param(
        {"status": OrderStatus.UNPAID},
        {"status": ("processing (Shipping Department)", "unpaid", None)},
        id="status",
    ),
    pytest.param(
        {"tracking_numbers": ("1Z2", "1Z1")}, {"tracking_numbers": ("none", "1Z1, 1Z2", None)}, id="a set"
    ),
    pytest.param(
        {"placed_at": NOON + timedelta(minutes=10, seconds=1)},
        {"placed_at": ("2026-11-01 12:00 UTC", "2026-11-01 12:10 UTC", None)},
        id="a second more than the tolerance",
    ),
    pytest.param({"is_test": True}, {"is_test": ("no", "yes", None)}, id="a test order"),
    pytest.param(
        {"currency": "EUR", "total_cents": 9999},
        {"currency": ("USD", "EUR", None)},
        id="money of two currencies is not compared",
    ),
    pytest.param(
        {"is_deleted": True, "total_cents": 1}, {"is_deleted": ("no", "yes", None)}, id="only the deletion"
    ),
    pytest.param(
        {"lines": (make_line(item_id=None, product_id="302"),)},
        {"lines": ("2 × BONE at 5.00 USD", "2 × Thiio product 302 (no item ID) at 5.00 USD", None)},
        id="items",
    ),
]


def explain(**changes: Any) -> dict[str, tuple[str, str, int | None]]:
    """Explain how an order in Thiio with these changes differs: field, both values, amount."""
    ultracart, thiio = make_pair()
    found = explain_pairs(Entity.ORDER, [RecordPair(ultracart, replace(thiio, **changes))], TOLERANCES)
    return {each.field: (each.ultracart_value, each.thiio_value, each.amount_cents) for each in found}


@pytest.mark.parametrize("changes", SAME)
def test_what_is_no_difference(changes: dict[str, Any]) -> None:
    """Such a change of one side is not told."""
    assert explain(**changes) == {}


@pytest.mark.parametrize(("changes", "expected"), DIFFERENT)
def test_what_is_a_difference(changes: dict[str, Any], expected: dict[str, Any]) -> None:
    """Such a change is told by its field, with both values as people write them, and nothing else is."""
    assert explain(**changes) == expected


def test_the_date_of_a_pushed_order_is_not_compared() -> None:
    """UltraCart places a pushed order when it arrives; its other times count as ever."""
    ultracart, thiio = make_pair(shipped_at=NOON)
    later = replace(thiio, placed_at=NOON - timedelta(days=1), shipped_at=NOON - timedelta(days=1))
    pair = RecordPair(ultracart, later, Evidence(is_pushed=True))

    assert [each.field for each in explain_pairs(Entity.ORDER, [pair], TOLERANCES)] == ["shipped_at"]


def test_a_run_finds_no_difference_either(engine: Engine) -> None:
    """Other digests alone are no mismatch: the pairs are explained, and count as equal."""
    for number, case in enumerate(SAME):
        ultracart, thiio = make_pair(number)
        store(engine, ultracart, replace(thiio, **case.values[0]))

    counts = reconcile(engine)

    assert found_in(engine) == set()
    assert (counts.paired, counts.equal, counts.mismatches) == (len(SAME), len(SAME), 0)


LINES: list[Any] = [
    pytest.param([make_line(position=7)], True, id="another position"),
    pytest.param([make_line(item_id="bone")], True, id="upper and lower case"),
    pytest.param([make_line(quantity=Decimal("2.00"))], True, id="zeros after the point"),
    pytest.param(
        [make_line(quantity=Decimal(1)), make_line(position=2, quantity=Decimal(1))], True, id="split in two"
    ),
    pytest.param([make_line(), make_line(position=2, item_id="PART", is_component=True)], True, id="a kit"),
    pytest.param([make_line(unit_price_cents=None)], True, id="a price that was not said"),
    pytest.param([make_line(unit_price_cents=501)], True, id="a cent a piece"),
    pytest.param([make_line(unit_price_cents=502)], False, id="two cents a piece"),
    pytest.param([make_line(quantity=Decimal(3))], False, id="another quantity"),
    pytest.param([make_line(quantity=Decimal("2.5"))], False, id="half a piece more"),
    pytest.param([make_line(item_id="TOY")], False, id="another item"),
    pytest.param([make_line(item_id=None, product_id="302")], False, id="a product without mapping"),
    pytest.param([], False, id="no items"),
]


@pytest.mark.parametrize(("theirs", "same"), LINES)
def test_items_are_compared_by_item(theirs: list[OrderLine], same: bool) -> None:
    """Two orders hold the same items, or not, whichever of the two is looked at first."""
    ours = [make_line()]

    assert (same_lines(ours, theirs, 1), same_lines(theirs, ours, 1)) == (same, same)


def test_a_difference_has_its_most_likely_cause(engine: Engine) -> None:
    """The cause follows from what differs: an untranslated word, a product without mapping, an edit."""
    changes = {
        1: {"status": OrderStatus.UNKNOWN},
        2: {"status": OrderStatus.UNPAID},
        3: {"lines": (make_line(item_id=None, product_id="302"),)},
        4: {"lines": (make_line(item_id="TOY"),)},
        5: {"total_cents": 9999},
    }
    for number, changed in changes.items():
        ultracart, thiio = make_pair(number)
        store(engine, ultracart, replace(thiio, **changed))

    reconcile(engine)

    table = tables.mismatches
    with engine.connect() as connection:
        found = connection.execute(select(table.c.ultracart_id, table.c.cause, table.c.remedy)).all()
    causes = [
        Cause.UNKNOWN_STATUS, Cause.NO_EVENT, Cause.ITEM_MAPPING, Cause.ITEMS_EDITED, Cause.EDITED,
    ]  # fmt: skip
    assert sorted(map(tuple, found)) == [
        (f"DEMO-{number}", ADVICE[cause].cause, ADVICE[cause].remedy)
        for number, cause in enumerate(causes, start=1)
    ]


def test_a_customer_who_was_merged_away_is_told_as_deleted() -> None:
    """Of a customer whom one side deleted only that is told."""
    ultracart, thiio = make_customer_pair()
    gone = replace(thiio, is_deleted=True, city="Fresno")

    found = explain_pairs(Entity.CUSTOMER, [RecordPair(ultracart, gone)], TOLERANCES)

    assert [(each.field, each.cause) for each in found] == [("is_deleted", Cause.DELETED)]


def test_the_compared_fields_are_those_of_the_digest() -> None:
    """Equal digests mean that no compared field but a time differs: both look at the same fields."""
    compared = {
        entity: [field.name for field in fields if field.kind is not FieldKind.TIME]
        for entity, fields in FIELDS.items()
    }

    assert sorted(compared[Entity.CUSTOMER]) == sorted(COMPARED_CUSTOMER_FIELDS)
    assert sorted(compared[Entity.ORDER]) == sorted([*COMPARED_ORDER_FIELDS, "lines"])


def test_every_cause_has_its_advice() -> None:
    """Nobody reads a mismatch without a likely cause and a next step."""
    assert set(ADVICE) == set(Cause)
    assert all(advice.cause.endswith(".") and advice.remedy.endswith(".") for advice in ADVICE.values())


@pytest.mark.parametrize(
    ("entity", "field", "personal"),
    [
        ("order", "email_key", True),
        ("order", "line1", True),
        ("order", "total_cents", False),
        ("order", "", False),
        ("customer", "city", True),
        ("customer", "", True),
        ("customer", "is_deleted", False),
    ],
)
def test_what_is_personal(entity: str, field: str, personal: bool) -> None:
    """Whose values stay out of Prefect: all of a person; also the e-mail address of a missing customer."""
    assert is_personal(entity, field) is personal


def test_an_old_field_keeps_its_name() -> None:
    """A mismatch of a field that is compared no longer can still be shown."""
    assert (label_of("order", "total_cents"), label_of("order", "was_compared_once")) == (
        "total",
        "was_compared_once",
    )
