"""Which of Thiio's unsynced orders are due to go to UltraCart; of every other one, why not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tasks.push.mapping import AGAIN
from tasks.push.problem import Problem
from tasks.records.models import OrderStatus, PhoneOrder

DUE_STATUS = (OrderStatus.UNPAID, OrderStatus.PROCESSING, OrderStatus.COMPLETED)
PAID_STATUS = (OrderStatus.PROCESSING, OrderStatus.COMPLETED)
EVER = datetime.min.replace(tzinfo=UTC)
"""As `pushable_since`: the age does not count, since a person let the order go."""
CLOCK_TOLERANCE = timedelta(minutes=15)
"""So far Thiio's clock may be ahead of ours."""

NOTHING = "Nothing, if so."
RELEASE = "If it shall go out all the same, start push-orders with this order's id and 'Release'."
OTHER_STATUS = {
    OrderStatus.ON_HOLD: f"Take it off hold in Thiio once it may be shipped. {AGAIN}",
    OrderStatus.QUOTE: f"Make it an order in Thiio once the customer agrees. {AGAIN}",
    None: f"Give it a status in Thiio. {AGAIN}",
}
"""What to do about a status that nothing is shipped in; else nothing."""


def why_not_due(
    phone: PhoneOrder, *, now: datetime, pushable_since: datetime, with_tests: bool
) -> Problem | None:
    """Say why an order is not pushed now, or None if it is due.

    Orders placed before `pushable_since` are left to a person. All times are aware UTC.
    """
    order = phone.order
    if order.is_deleted:
        return Problem("It was deleted in Thiio.", NOTHING)
    if order.other_side_id:
        return Problem(
            f"It is UltraCart order {order.other_side_id} already.",
            "Nothing, if so. Else empty the field of UltraCart's order id in Thiio.",
        )
    if order.is_test and not with_tests:
        return Problem(
            "It is a test order.", "Nothing, if so. To send it, start push-orders with 'Test orders too'."
        )
    return _status_problem(phone) or _date_problem(order.placed_at, now, pushable_since)


def _status_problem(phone: PhoneOrder) -> Problem | None:
    status, stage = phone.order.status, phone.order.stage
    if status is OrderStatus.UNKNOWN:
        return Problem(
            f"Thiio's status {stage!r} has no translation.", f"Add it to the mapping file. {AGAIN}"
        )
    if status not in DUE_STATUS:
        remedy = OTHER_STATUS.get(status, NOTHING)
        return Problem(f"Its status is {stage or 'empty'}: nothing to ship.", remedy)
    if status in PAID_STATUS and phone.paid_at is None and phone.order.total_cents:
        # Sent like this it would be collected a second time.
        return Problem(
            f"Its status is {stage}, but when it was paid is not said.",
            "Enter the payment with its date and transaction ID in Thiio, or give the order the status of an "
            f"unpaid one if the money is still to be collected. {AGAIN}",
        )
    return None


def _date_problem(placed_at: datetime | None, now: datetime, pushable_since: datetime) -> Problem | None:
    if placed_at is None and pushable_since > EVER:
        return Problem("When it was placed is not said, so its age is unknown.", RELEASE)
    if placed_at is not None and placed_at > now + CLOCK_TOLERANCE:
        return Problem(
            f"It was placed {placed_at:%Y-%m-%d %H:%M} UTC, which is in the future.",
            f"Correct the date in Thiio, or let Thiio give its times in UTC. {AGAIN}",
        )
    if placed_at is not None and placed_at < pushable_since:
        return Problem(
            f"It was placed {placed_at:%Y-%m-%d}, longer ago than ULTRATHIIO_PUSH__MAX_AGE_DAYS allows.",
            RELEASE,
        )
    return None
