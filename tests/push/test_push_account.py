"""What people read: the advice for each refusal, and the plan as Markdown."""

from __future__ import annotations

from typing import Any

import pytest

from tasks.push.account import count_outcomes, describe_plan, planned_ids
from tasks.push.remedies import remedy_for
from tests.push.desk import Desk

RETRY = "Then start push-orders with this order's id and 'Retry rejected'."
ITEM = "Compare the item ID in the metadata of the product in Thiio with UltraCart's item list."
ADDRESS = "Correct the address in Thiio."
SHORTEN = "Shorten the field in Thiio."
PAYMENT = "Check payment method and transaction ID of the order in Thiio."
GATEWAY = "Compare the code in Thiio's gateway settings with UltraCart's rotating gateways."
GENERAL = "Correct the order in Thiio by UltraCart's words."


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        # The stand-in's own words.
        (
            "channel_partner_order_id THIIO-17 has been imported already.",
            "Look for the order in UltraCart: another carries the same partner order ID.",
        ),
        ("Item NOPE is unknown.", ITEM),
        (
            "Item BONE: quantity must be a number above 0.",
            "Correct the quantity in Thiio, or the item's stock in UltraCart.",
        ),
        ("rotating_transaction_gateway_code BT is unknown.", GATEWAY),
        ("payment_method Cash is not supported.", PAYMENT),
        ("payment_method is required.", PAYMENT),
        ("A credit card order needs a hosted fields token, a prior order or a transaction.", PAYMENT),
        ("email is longer than 100 characters.", SHORTEN),
        ("shipto_city is longer than 32 characters.", SHORTEN),
        ("email is required.", ADDRESS),
        ("items is required.", GENERAL),
        ("creation_dts is allowed with store_completed only.", GENERAL),
        # Words that UltraCart may well use.
        ("Duplicate order", "Look for the order in UltraCart: another carries the same partner order ID."),
        ("merchant_item_id NOPE is invalid", ITEM),
        ("The item BONE could not be found: it does not exist", ITEM),
        ("Item OLD-TOY is inactive", ITEM),
        ("Quantity exceeds stock", "Correct the quantity in Thiio, or the item's stock in UltraCart."),
        ("No such gateway", GATEWAY),
        ("Shipping method UPS: Ground is not valid", "Choose a shipping method that UltraCart offers there."),
        ("Invalid method of shipping", "Choose a shipping method that UltraCart offers there."),
        ("billto_postal_code is missing", ADDRESS),
        ("Shipping address could not be verified", ADDRESS),
        ("Coupon SPRING has expired", "Remove or correct the coupon."),
        ("arbitrary_tax must be a number", "Check the tax of the order in Thiio."),
        ("no reason given", GENERAL),
    ],
)
def test_each_refusal_has_its_advice(words: str, advice: str) -> None:
    """Also inside the sentence that the client makes of it, whose own words mean nothing."""
    sentence = f"UltraCart answered 200 to POST /rest/v2/channel_partner/import: {words}"

    assert [remedy_for(words), remedy_for(sentence)] == [f"{advice} {RETRY}"] * 2


def test_ultracarts_refusal_and_its_advice_are_kept(desk: Desk) -> None:
    """The gateway went away at UltraCart after the catalogue was read."""
    id = desk.thiio.place_phone_order()
    planned = desk.plan()
    desk.ultracart.store.gateways.clear()
    counts = desk.send(planned)
    push = desk.pushes()[id]

    assert (counts.rejected, push["state"], desk.ultracart.imports) == (1, "rejected", {})
    assert "rotating_transaction_gateway_code STRIPE1 is unknown" in push["reason"]
    assert push["remedy"] == f"{GATEWAY} {RETRY}"


def order(id: str, outcome: str, **changes: Any) -> dict[str, Any]:
    """An order of a plan, as the step gives it."""
    return {
        "thiio_order_id": id, "outcome": outcome, "reason": "", "remedy": "", "total_cents": 1399,
        "currency": "USD", "body": "", **changes,
    }  # fmt: skip


PLAN = [
    order("17", "planned", body='{"email":"a@example.com"}'),
    order("18", "held", reason="Product 4 (A|B)\nhas no item.", remedy="Add | it.", total_cents=None),
    order("19", "planned", body="{}", total_cents=100, currency=None),
    order("20", "not_due", reason="It is a test order."),
    order("21", "in_doubt"),
    order("22", "rejected"),
    order("23", "confirmed"),
    order("24", "sending"),
]


def test_outcomes_are_counted_and_planned_ids_listed() -> None:
    """In the order of the plan, oldest first."""
    assert count_outcomes(PLAN) == {
        "planned": 2, "held": 1, "not_due": 1, "in_doubt": 1, "rejected": 1, "confirmed": 1, "sending": 1,
    }  # fmt: skip
    assert planned_ids(PLAN) == ["17", "19"]
    assert (count_outcomes([]), planned_ids([])) == ({}, [])


def test_the_plan_is_a_table_an_outcome() -> None:
    """A bar or a line break in a reason does not break the table."""
    assert describe_plan(PLAN[:4], dry_run=False) == (
        "# Push to UltraCart\n\n"
        "4 unsynced orders in Thiio. What is planned is sent now.\n\n"
        "## 2 will be sent\n\n"
        "| Thiio order | total | why | what to do |\n"
        "| --- | ---: | --- | --- |\n"
        "| 17 | 13.99 USD |  |  |\n"
        "| 19 | 1.00 USD |  |  |\n\n"
        "## 1 held\n\n"
        "| Thiio order | total | why | what to do |\n"
        "| --- | ---: | --- | --- |\n"
        "| 18 | – | Product 4 (A\\|B) has no item. | Add \\| it. |\n\n"
        "## 1 not due\n\n"
        "| Thiio order | total | why | what to do |\n"
        "| --- | ---: | --- | --- |\n"
        "| 20 | 13.99 USD | It is a test order. |  |\n"
    )


def test_every_order_of_a_plan_is_shown() -> None:
    """Each outcome has its heading, and no order is left out."""
    shown = describe_plan(PLAN, dry_run=False)

    assert [line for line in shown.splitlines() if line.startswith("## ")] == [
        "## 2 will be sent",
        "## 1 held",
        "## 1 not due",
        "## 1 being sent, or left so by a run that was killed",
        "## 1 in doubt",
        "## 1 rejected by UltraCart",
        "## 1 in UltraCart already",
    ]
    assert [shown.count(f"| {each['thiio_order_id']} |") for each in PLAN] == [1] * len(PLAN)


def test_a_dry_run_shows_the_bodies_masked() -> None:
    """Twenty of them; of more, how many. It says where the exact one is."""
    many = [order(str(number), "planned", body=f'{{"n":{number}}}') for number in range(1, 24)]
    two, more = describe_plan(PLAN, dry_run=True), describe_plan(many, dry_run=True)

    assert "Dry run: nothing was written, nothing is sent." in two
    assert '### Body of Thiio order 17\n\n```json\n{\n  "email": "•••"\n}\n```\n' in two
    assert "The exact body of an order is shown by `ultrathiio order`" in two
    assert "a@example.com" not in two
    assert "### Body of Thiio order 18" not in two
    assert "more bodies" not in two
    assert more.count("```json") == 20
    assert more.endswith("… and 3 more bodies.")


def test_an_empty_plan_says_so() -> None:
    """No table."""
    assert describe_plan([], dry_run=False) == (
        "# Push to UltraCart\n\n0 unsynced orders in Thiio. What is planned is sent now.\n"
    )
