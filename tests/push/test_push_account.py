"""What people read: the plan as Markdown, and what UltraCart refused."""

from __future__ import annotations

from typing import Any

from tasks.push.account import count_outcomes, describe_plan, planned_ids
from tests.push.desk import Desk

RETRY = "Then start push-orders with this order's id and 'Retry rejected'."
GATEWAY = "Compare the code in Thiio's gateway settings with UltraCart's rotating gateways."


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
