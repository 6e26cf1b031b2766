"""An order with card data is held, wherever an agent typed it, and the data gets nowhere."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from tasks.push.account import describe_plan
from tasks.push.card_check import find_card_data
from tasks.push.order_body import draft_import
from tasks.push.planner import PlannedOrder
from tasks.push.problem import Problem, join_reasons, join_remedies
from tasks.records.models import Address, PhoneOrder
from tests.notifications.card_numbers import card_numbers, digits_of, spellings
from tests.push.desk import Desk
from tests.push.phone_orders import GRACE, PIER, VISA, make_mapping, make_phone_line, make_phone_order

REMEDY = (
    "Delete it from the order in Thiio: it must not be there. The order goes out by itself with the next run."
)


def held_for(*places: str) -> Problem:
    """The problem that names these places."""
    return Problem(f"Card data (number or security code) stands in: {', '.join(places)}.", REMEDY)


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"note": f"Customer's card is {VISA}, thanks"}, "the note"),
        ({"note": "first half 4111 1111\nsecond 1111 1111"}, None),
        ({"note": "4111 1111\n1111 1111"}, "the note"),
        ({"note": "cvv 123"}, "the note"),
        ({"billing": replace(GRACE, line2=f"card {VISA}")}, "the billing address line 2"),
        ({"billing": replace(GRACE, last_name="Hopper cvc: 1234")}, "the billing last name"),
        ({"shipping": replace(PIER, company=VISA)}, "the shipping company"),
        ({"shipping": replace(PIER, line2="security code 123")}, "the shipping address line 2"),
        ({"shipping": Address(first_name=VISA)}, "the shipping first name"),
        ({"billing": replace(GRACE, phone=VISA)}, "the billing phone"),
        ({"billing": replace(GRACE, phone="+4111111111111111")}, "the billing phone"),
        ({"transaction": {"Transaction ID": VISA}}, "the transaction"),
        ({"transaction": {"Transaction ID": "ch_1", "CVV Code": "123"}}, "the transaction"),
        ({"email": "4111111111111111@example.com"}, "the email"),
        ({"payment_method": VISA}, "the payment method"),
        ({"shipping_method": f"UPS {VISA}"}, "the shipping method"),
        ({"lines": (make_phone_line(description=f"Bone {VISA}"),)}, "line 1"),
        ({"lines": (make_phone_line(description="Bone, CID 1234"),)}, "line 1"),
        ({"lines": (make_phone_line(product_id=None, description=VISA),)}, "line 1"),
        (
            {"lines": (make_phone_line(), make_phone_line(position=2, is_component=True, description=VISA))},
            "line 2",
        ),
        ({"note": "Order 1234 5678 9012 3456"}, None),
        ({"note": "CVS pharmacy, cv 12 street, EIN 12-3456789"}, None),
        ({"note": "call +49 1512 3456704"}, None),
        ({"billing": replace(GRACE, phone="+49 1512 3456704")}, None),
        ({"transaction": {"Transaction ID": "DEMO-4111111111111111", "CVV Code": "M"}}, None),
        ({"lines": (make_phone_line(product_id="4111111111111111"),)}, None),
    ],
)
def test_card_data_is_found_wherever_it_stands(changes: dict[str, Any], place: str | None) -> None:
    """The place is named, the data is not; what only looks like it goes."""
    found = list(find_card_data(make_phone_order(**changes)))

    assert found == ([] if place is None else [held_for(place)])


def with_text(place: str, text: str) -> PhoneOrder:
    """An order with a text in one of its places."""
    if place == "note":
        return make_phone_order(note=text)
    if place == "transaction":
        return make_phone_order(transaction={"Transaction ID": text})
    if place == "line":
        return make_phone_order(lines=(make_phone_line(description=text, product_id="77"),))
    if place == "payment_method":
        return make_phone_order(payment_method=text)
    return make_phone_order(billing=replace(GRACE, **{place: text}))


@settings(deadline=None)  # the machine may be busy
@given(
    data=st.data(),
    number=card_numbers(),
    place=st.sampled_from(["note", "transaction", "line", "payment_method", "line1", "first_name", "city"]),
)
def test_no_card_number_is_sent_or_shown(data: Any, number: str, place: str) -> None:
    """However it is spelt: the order has a problem, and neither reason, remedy nor artifact tells it."""
    draft = draft_import(with_text(place, data.draw(spellings(number))), make_mapping(), "THIIO-")
    reason, remedy = join_reasons(draft.problems), join_remedies(draft.problems)
    held = PlannedOrder(thiio_order_id="17", outcome="held", reason=reason, remedy=remedy)

    assert "Card data" in reason
    assert number not in digits_of(reason + remedy)
    assert number not in digits_of(describe_plan([asdict(held)], dry_run=True))


@pytest.mark.parametrize(
    "typed", [VISA, "4111-1111\n1111-1111", "4111.1111.1111.1111 cvv 737"], ids=["blanks", "lines", "dots"]
)
def test_a_whole_push_holds_the_order_and_keeps_nothing_of_the_card(desk: Desk, typed: str) -> None:
    """Nothing is sent, nothing of it is in our database file, and without it the order goes out by itself."""
    id = desk.thiio.place_phone_order(note=f"pays with {typed}", billing_line2=typed[:40])
    plan = desk.plan()
    counts = desk.run()
    held = desk.pushes()[id]
    kept = digits_of(Path(str(desk.engine.url.database)).read_bytes().decode("latin-1"))
    orders = desk.thiio.tables.orders
    with desk.thiio.engine.begin() as connection:
        connection.execute(update(orders).values(note=None, billing_line2=None))
    sent = desk.run()

    assert (held["state"], held["body"], counts.confirmed) == ("held", None, 0)
    assert held["reason"] == held_for("the note", "the billing address line 2").reason
    assert "4111111111111111" not in kept
    assert typed not in describe_plan([asdict(each) for each in plan], dry_run=True)
    assert (sent.confirmed, desk.ultracart.imports) == (1, {f"THIIO-{id}": 1})
