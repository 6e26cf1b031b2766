"""When a person is asked before orders go out, what the person reads, and what a yes covers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from tasks.push.approval import choose, describe_question, still_approved, why_ask

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


def order(
    id: str, total_cents: int | None = 1399, outcome: str = "planned", **changes: Any
) -> dict[str, Any]:
    """An order of a plan, as the step gives it."""
    return {
        "thiio_order_id": id, "outcome": outcome, "reason": "", "remedy": "", "placed_at": NOON,
        "total_cents": total_cents, "currency": "USD", "body": '{"email":"a@example.com"}', **changes,
    }  # fmt: skip


def test_the_question_shows_what_a_person_decides_by_and_nothing_of_the_customer() -> None:
    """One row an order: its id, when it was placed, its total; times of other zones as UTC."""
    east = NOON.astimezone(timezone(timedelta(hours=9)))
    asked = describe_question(
        [order("17"), order("18", 100, placed_at=east), order("19", 5, placed_at=None, currency=None)],
        "3 orders are more than 2",
        60,
    )

    assert asked == (
        "## Send 3 orders to UltraCart, 15.04 USD in all?\n\n"
        "You are asked because 3 orders are more than 2. Without an answer within 60 minutes nothing is "
        "sent. After a yes the orders are planned again, so that nothing stale goes out; one whose total "
        "has changed waits for another run.\n\n"
        "| Thiio order | placed (UTC) | total | currency |\n"
        "| --- | --- | ---: | --- |\n"
        "| 17 | 2026-11-01 12:00 | 13.99 | USD |\n"
        "| 18 | 2026-11-01 12:00 | 1.00 | USD |\n"
        "| 19 | – | 0.05 | – |"
    )


def test_of_many_orders_the_first_ones_are_shown() -> None:
    """Two hundred of them; of more, how many."""
    asked = describe_question([order(str(number)) for number in range(203)], "so it is", 1)

    assert asked.count("| USD |") == 200
    assert asked.endswith("\n\n… and 3 more.")


@pytest.mark.parametrize(
    ("above_orders", "above_total", "why"),
    [
        pytest.param(None, None, None, id="nobody wants to be asked"),
        pytest.param(2, None, None, id="as many as allowed"),
        pytest.param(1, None, "2 orders are more than 1", id="one order more"),
        pytest.param(0, None, "2 orders are more than 0", id="always"),
        pytest.param(None, 20, None, id="a total as allowed"),
        pytest.param(None, 19, "their total of 20.00 USD is above 19", id="a total above"),
        pytest.param(1, 19, "2 orders are more than 1", id="both: the number is named"),
    ],
)
def test_a_person_is_asked_above_a_number_or_a_total(
    above_orders: int | None, above_total: int | None, why: str | None
) -> None:
    """Two orders of 10.00 each."""
    chosen = [order("17", 1000), order("18", 1000)]

    assert why_ask(chosen, above_orders=above_orders, above_total=above_total) == why


def test_nothing_to_send_asks_nobody() -> None:
    """Also where a person is always asked."""
    assert why_ask([], above_orders=0, above_total=0) is None


def test_only_planned_orders_are_chosen_up_to_the_limit() -> None:
    """The oldest ones, as the plan lists them."""
    plan = [order("17"), order("18", outcome="held"), order("19"), order("20")]

    assert [each["thiio_order_id"] for each in choose(plan, 2)] == ["17", "19"]


def test_a_yes_covers_what_was_shown_and_is_the_same_still() -> None:
    """Not an order that was changed, held or first seen after the question."""
    shown = [order("17"), order("18"), order("19"), order("20")]
    now = [
        order("17"), order("18", 1400), order("19", outcome="held"), order("20", currency="EUR"), order("21"),
    ]  # fmt: skip

    assert still_approved(shown, now) == ["17"]
