"""What keeps an order here: each problem with its reason and its remedy, found before anything is sent."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from tasks.push.order_body import Draft, draft_import
from tasks.push.problem import Problem, join_reasons, join_remedies
from tests.push.phone_orders import GRACE, PIER, make_mapping, make_phone_line, make_phone_order

AGAIN = "The order goes out by itself with the next run."
CORRECT = f"Correct the order in Thiio. {AGAIN}"
METHODS = (
    "Affirm, Amazon, COD, Check, Credit Card, LoanHero, Money Order, PayPal, PayPal Fastlane, "
    "Purchase Order, Quote Request, Wire Transfer, eCheck"
)


def draft(prefix: str = "THIIO-", **changes: Any) -> Draft:
    """Draft the import of the usual order with changes."""
    return draft_import(make_phone_order(**changes), make_mapping(), prefix)


@pytest.mark.parametrize(
    ("field", "longest", "called"),
    [
        ("first_name", 30, "first name"),
        ("last_name", 30, "last name"),
        ("company", 50, "company"),
        ("line1", 50, "address line 1"),
        ("line2", 50, "address line 2"),
        ("city", 32, "city"),
        ("state", 32, "state"),
        ("postal_code", 20, "postal code"),
        ("country", 2, "country"),
        ("phone", 25, "phone"),
    ],
)
@pytest.mark.parametrize("kind", ["billing", "shipping"])
def test_each_field_of_an_address_has_a_longest_text(
    kind: str, field: str, longest: int, called: str
) -> None:
    """One character more is a problem that names field, length and limit."""
    fits = draft(**{kind: replace(PIER, **{field: "x" * longest})})
    too_long = draft(**{kind: replace(PIER, **{field: "x" * (longest + 1)})})

    reason = f"The {kind} {called} has {longest + 1} characters; UltraCart takes {longest}."
    assert fits.problems == ()
    assert too_long.problems == (Problem(reason, CORRECT),)


@pytest.mark.parametrize(
    ("field", "called"),
    [("last_name", "last name"), ("line1", "address line 1"), ("city", "city"), ("country", "country")],
)
def test_an_address_needs_name_street_city_and_country(field: str, called: str) -> None:
    """UltraCart wants both addresses, and without these none is one."""
    missing = {field: None}
    without = draft(billing=replace(GRACE, **missing), shipping=replace(PIER, **missing))
    # Without a street the order goes to the billing address, which lacks the same.
    reasons = [f"The billing {called} is missing.", f"The shipping {called} is missing."]

    assert without.problems == tuple(Problem(reason, CORRECT) for reason in reasons)


@pytest.mark.parametrize(
    ("field", "sent_as"),
    [
        ("first_name", "billto_first_name"),
        ("company", "billto_company"),
        ("line2", "billto_address2"),
        ("state", "billto_state_region"),
        ("postal_code", "billto_postal_code"),
        ("phone", "billto_day_phone"),
    ],
)
def test_an_address_may_lack_the_rest(field: str, sent_as: str) -> None:
    """The body then has no such field."""
    complete = replace(PIER, phone="+15105550132")
    made = draft(billing=replace(complete, **{field: None}))

    assert made.problems == ()
    assert set(draft(billing=complete).body) - set(made.body) == {sent_as}


@pytest.mark.parametrize(
    ("changes", "reason", "remedy"),
    [
        pytest.param(
            {"email": None}, "The e-mail address is missing, wrong or too long.", CORRECT, id="no e-mail"
        ),
        pytest.param(
            {"email": "grace"}, "The e-mail address is missing, wrong or too long.", CORRECT, id="bad e-mail"
        ),
        pytest.param(
            {"email": f"{'x' * 60}@{'y' * 36}.com"},
            "The e-mail address is missing, wrong or too long.",
            CORRECT,
            id="e-mail of 101 characters",
        ),
        pytest.param(
            {"payment_method": "Cash"},
            "The payment method 'Cash' is none of UltraCart's import.",
            f"Choose one of {METHODS} in Thiio. {AGAIN}",
            id="unknown payment method",
        ),
        pytest.param(
            {"payment_method": None},
            "The order has no payment method.",
            f"Choose one of {METHODS} in Thiio. {AGAIN}",
            id="no payment method",
        ),
        pytest.param(
            {"transaction": {}},
            "It is marked as paid, but carries no proof of the charge (transaction ID).",
            f"Enter the gateway's transaction ID in Thiio. {AGAIN}",
            id="paid without transaction ID",
        ),
        pytest.param(
            {"gateway_id": None},
            "The order names no gateway.",
            f"Choose the gateway of the payment in Thiio. {AGAIN}",
            id="card without gateway",
        ),
        pytest.param(
            {"gateway_id": None, "paid_at": None, "transaction": {}},
            "The order names no gateway.",
            f"Choose the gateway of the payment in Thiio. {AGAIN}",
            id="card without gateway, unpaid",
        ),
        pytest.param(
            {"currency": "CAD"},
            "The order is in CAD; UltraCart's import takes amounts in USD.",
            "Enter the order in USD in Thiio, or by hand in UltraCart.",
            id="foreign currency",
        ),
        pytest.param({"lines": (), "total_cents": 982}, "The order has no lines.", CORRECT, id="no lines"),
        pytest.param(
            {"lines": (make_phone_line(is_component=True),), "total_cents": 982},
            "The order has no lines.",
            CORRECT,
            id="components alone",
        ),
        pytest.param(
            {"lines": (make_phone_line(unit_price_cents=None),), "total_cents": 982},
            "A line has no price, or a quantity that is not above 0.",
            CORRECT,
            id="line without price",
        ),
        pytest.param(
            {"lines": (make_phone_line(quantity=Decimal(0)),), "total_cents": 982},
            "A line has no price, or a quantity that is not above 0.",
            CORRECT,
            id="quantity 0",
        ),
        pytest.param(
            {"lines": (make_phone_line(quantity=Decimal(-1)),), "total_cents": 482},
            "A line has no price, or a quantity that is not above 0.",
            CORRECT,
            id="quantity below 0",
        ),
        pytest.param(
            {"lines": (make_phone_line(product_id="302"),)},
            "Product 302 (AN-ID-OF-21-CHARACTER) names the item AN-ID-OF-21-CHARACTER of 21 characters; an "
            "import takes 20.",
            "Give the item a shorter ID in UltraCart, then in the metadata of product 302. " + AGAIN,
            id="item ID of 21 characters",
        ),
        pytest.param(
            {"lines": (make_phone_line(product_id="77"),)},
            "Rawhide bone is of no Thiio product that is known.",
            f"Choose a product for this line in Thiio. {AGAIN}",
            id="product without item",
        ),
        pytest.param(
            {"prefix": "A" * 29},
            f"The partner order ID {'A' * 29}17 is longer than 30.",
            "Choose a shorter ULTRATHIIO_PUSH__PARTNER_ORDER_PREFIX.",
            id="partner order ID of 31 characters",
        ),
    ],
)
def test_a_problem_has_a_reason_and_a_remedy(changes: dict[str, Any], reason: str, remedy: str) -> None:
    """One row a problem, and each change makes this one problem only."""
    assert draft(**changes).problems == (Problem(reason, remedy),)


def test_a_partner_order_id_of_30_characters_goes() -> None:
    """One less than the row above."""
    assert (draft("A" * 28).partner_order_id, draft("A" * 28).problems) == ("A" * 28 + "17", ())


def test_an_order_without_currency_is_in_dollars() -> None:
    """That is how Thiio's column is described."""
    assert draft(currency=None).problems == ()


def test_all_problems_are_told_at_once() -> None:
    """An agent corrects the order once, not once a problem; each remedy is said once."""
    many = draft(email=None, billing=replace(GRACE, city=None), transaction={})

    assert join_reasons(many.problems) == (
        "The e-mail address is missing, wrong or too long. The billing city is missing. "
        "It is marked as paid, but carries no proof of the charge (transaction ID)."
    )
    assert join_remedies(many.problems) == f"{CORRECT} Enter the gateway's transaction ID in Thiio. {AGAIN}"
