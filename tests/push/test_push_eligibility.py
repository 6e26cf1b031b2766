"""Which orders go to UltraCart, and what is said of every other one."""

from __future__ import annotations

from typing import Any

import pytest

from tasks.push.eligibility import why_not_due
from tasks.records.models import OrderStatus, Side
from tests.builders import make_order
from tests.push.phone_orders import at

SINCE = at(1)
TOO_OLD = "It was placed 2026-10-31, longer ago than ULTRATHIIO_PUSH__MAX_AGE_DAYS allows."


@pytest.mark.parametrize(
    ("order", "reason"),
    [
        pytest.param({"status": OrderStatus.UNPAID, "stage": "pending"}, None, id="unpaid"),
        pytest.param({"status": OrderStatus.PROCESSING, "stage": "paid"}, None, id="paid"),
        pytest.param({"status": OrderStatus.COMPLETED, "stage": "completed"}, None, id="completed"),
        pytest.param(
            {"status": OrderStatus.ON_HOLD, "stage": "on_hold"},
            "Its status is on_hold: nothing to ship.",
            id="on hold",
        ),
        pytest.param(
            {"status": OrderStatus.REJECTED, "stage": "cancelled"},
            "Its status is cancelled: nothing to ship.",
            id="cancelled",
        ),
        pytest.param(
            {"status": OrderStatus.QUOTE, "stage": "quote"},
            "Its status is quote: nothing to ship.",
            id="quote",
        ),
        pytest.param(
            {"status": None, "stage": None}, "Its status is empty: nothing to ship.", id="without status"
        ),
        pytest.param(
            {"status": OrderStatus.UNKNOWN, "stage": "wrapped"},
            "Thiio's status 'wrapped' has no translation; add it to the mapping file.",
            id="status without translation",
        ),
        pytest.param({"is_test": True}, "It is a test order.", id="test order"),
        pytest.param({"is_test": None}, None, id="not said whether a test"),
        pytest.param({"placed_at": SINCE}, None, id="just young enough"),
        pytest.param({"placed_at": SINCE.replace(day=31, month=10)}, TOO_OLD, id="too old"),
        pytest.param({"placed_at": None}, None, id="without date"),
    ],
)
def test_what_is_not_due_says_why(order: dict[str, Any], reason: str | None) -> None:
    """One row a rule; no reason means that the order goes."""
    shown = {"stage": "processing", "placed_at": at(2), **order}

    assert (
        why_not_due(make_order("17", Side.THIIO, **shown), pushable_since=SINCE, with_tests=False) == reason
    )


def test_test_orders_go_if_wished() -> None:
    """Their status and age count as usual."""
    test = make_order("17", Side.THIIO, placed_at=at(2), is_test=True)
    cancelled = make_order("18", Side.THIIO, is_test=True, status=OrderStatus.REJECTED, stage="cancelled")

    reasons = [why_not_due(each, pushable_since=SINCE, with_tests=True) for each in (test, cancelled)]

    assert reasons == [None, "Its status is cancelled: nothing to ship."]


def test_every_status_is_decided() -> None:
    """A new status word of ours must be put into one of the two groups on purpose."""
    due = {
        status
        for status in OrderStatus
        if why_not_due(
            make_order("17", Side.THIIO, status=status, placed_at=at(2)),
            pushable_since=SINCE,
            with_tests=False,
        )
        is None
    }

    assert due == {OrderStatus.UNPAID, OrderStatus.PROCESSING, OrderStatus.COMPLETED}
    assert set(OrderStatus) - due == {
        OrderStatus.ON_HOLD, OrderStatus.REJECTED, OrderStatus.QUOTE, OrderStatus.UNKNOWN,
    }  # fmt: skip
