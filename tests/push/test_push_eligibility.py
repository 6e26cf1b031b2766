"""Which orders go to UltraCart, and what is said of every other one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tasks.push.eligibility import CLOCK_TOLERANCE, EVER, why_not_due
from tasks.push.problem import Problem
from tasks.records.models import OrderStatus
from tests.push.phone_orders import at, make_phone_order

SINCE, NOW = at(1), at(20)
AGAIN = "The order goes out by itself with the next run."
NOTHING = "Nothing, if so."
RELEASE = "If it shall go out all the same, start push-orders with this order's id and 'Release'."


def why(*, since: Any = SINCE, with_tests: bool = False, **changes: Any) -> Problem | None:
    """Ask for the usual paid order of the second, on the twentieth, with changes."""
    phone = make_phone_order(**{"placed_at": at(2), **changes})
    return why_not_due(phone, now=NOW, pushable_since=since, with_tests=with_tests)


@pytest.mark.parametrize(
    "order",
    [
        pytest.param({"status": OrderStatus.PROCESSING, "stage": "paid"}, id="paid"),
        pytest.param({"status": OrderStatus.COMPLETED, "stage": "shipped"}, id="shipped by another way"),
        pytest.param(
            {"status": OrderStatus.UNPAID, "stage": "pending", "paid_at": None}, id="to be collected"
        ),
        pytest.param({"status": OrderStatus.PROCESSING, "paid_at": None, "total_cents": 0}, id="for nothing"),
        pytest.param({"is_test": None}, id="not said whether a test"),
        pytest.param({"is_test": True, "with_tests": True}, id="a test that was asked for"),
        pytest.param({"placed_at": SINCE}, id="just young enough"),
        pytest.param({"placed_at": NOW + CLOCK_TOLERANCE}, id="Thiio's clock is a little ahead"),
        pytest.param({"placed_at": at(1) - timedelta(days=900), "since": EVER}, id="old, and let go"),
        pytest.param({"placed_at": None, "since": EVER}, id="without date, and let go"),
    ],
)
def test_what_is_due_goes(order: dict[str, Any]) -> None:
    """Paid, or to be collected by UltraCart."""
    assert why(**order) is None


@pytest.mark.parametrize(
    ("order", "reason", "remedy"),
    [
        pytest.param(
            {"status": OrderStatus.ON_HOLD, "stage": "on_hold"},
            "Its status is on_hold: nothing to ship.",
            f"Take it off hold in Thiio once it may be shipped. {AGAIN}",
            id="on hold",
        ),
        pytest.param(
            {"status": OrderStatus.REJECTED, "stage": "cancelled"},
            "Its status is cancelled: nothing to ship.",
            NOTHING,
            id="cancelled",
        ),
        pytest.param(
            {"status": OrderStatus.QUOTE, "stage": "quote"},
            "Its status is quote: nothing to ship.",
            f"Make it an order in Thiio once the customer agrees. {AGAIN}",
            id="quote",
        ),
        pytest.param(
            {"status": None, "stage": None},
            "Its status is empty: nothing to ship.",
            f"Give it a status in Thiio. {AGAIN}",
            id="without status",
        ),
        pytest.param(
            {"status": OrderStatus.UNKNOWN, "stage": "wrapped"},
            "Thiio's status 'wrapped' has no translation.",
            f"Add it to the mapping file. {AGAIN}",
            id="status without translation",
        ),
        pytest.param(
            {"status": OrderStatus.PROCESSING, "stage": "paid", "paid_at": None},
            "Its status is paid, but when it was paid is not said.",
            "Enter the payment with its date and transaction ID in Thiio, or give the order the status of an "
            f"unpaid one if the money is still to be collected. {AGAIN}",
            id="said to be paid, without a payment",
        ),
        pytest.param({"is_deleted": True}, "It was deleted in Thiio.", NOTHING, id="deleted"),
        pytest.param(
            {"other_side_id": "DEMO-7"},
            "It is UltraCart order DEMO-7 already.",
            "Nothing, if so. Else empty the field of UltraCart's order id in Thiio.",
            id="names an UltraCart order",
        ),
        pytest.param(
            {"is_test": True},
            "It is a test order.",
            "Nothing, if so. To send it, start push-orders with 'Test orders too'.",
            id="test order",
        ),
        pytest.param(
            {"placed_at": SINCE - timedelta(seconds=1)},
            "It was placed 2026-11-01, longer ago than ULTRATHIIO_PUSH__MAX_AGE_DAYS allows.",
            RELEASE,
            id="too old",
        ),
        pytest.param(
            {"placed_at": None},
            "When it was placed is not said, so its age is unknown.",
            RELEASE,
            id="without date",
        ),
        pytest.param(
            {"placed_at": NOW + CLOCK_TOLERANCE + timedelta(minutes=1)},
            "It was placed 2026-11-20 12:16 UTC, which is in the future.",
            f"Correct the date in Thiio, or let Thiio give its times in UTC. {AGAIN}",
            id="in the future",
        ),
        pytest.param(
            {"placed_at": NOW + timedelta(hours=5), "since": EVER},
            "It was placed 2026-11-20 17:00 UTC, which is in the future.",
            f"Correct the date in Thiio, or let Thiio give its times in UTC. {AGAIN}",
            id="in the future, and let go",
        ),
    ],
)
def test_what_is_not_due_says_why_and_what_to_do(order: dict[str, Any], reason: str, remedy: str) -> None:
    """One row a rule."""
    assert why(**order) == Problem(reason, remedy)


def test_status_and_age_of_a_test_order_count_as_usual() -> None:
    """Whoever asks for test orders gets no cancelled ones."""
    cancelled = {"is_test": True, "status": OrderStatus.REJECTED, "stage": "cancelled"}

    assert why(**cancelled, with_tests=True) == Problem("Its status is cancelled: nothing to ship.", NOTHING)


def test_every_status_is_decided() -> None:
    """A new status word of ours must be put into one of the two groups on purpose."""
    due = {status for status in OrderStatus if why(status=status) is None}

    assert due == {OrderStatus.UNPAID, OrderStatus.PROCESSING, OrderStatus.COMPLETED}
    assert set(OrderStatus) - due == {
        OrderStatus.ON_HOLD, OrderStatus.REJECTED, OrderStatus.QUOTE, OrderStatus.UNKNOWN,
    }  # fmt: skip
