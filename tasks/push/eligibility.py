"""Which of Thiio's unsynced orders are due to go to UltraCart; of every other one, why not."""

from __future__ import annotations

from datetime import datetime

from tasks.records.models import Order, OrderStatus

DUE_STATUS = (OrderStatus.UNPAID, OrderStatus.PROCESSING, OrderStatus.COMPLETED)


def why_not_due(order: Order, *, pushable_since: datetime, with_tests: bool) -> str | None:
    """Say why an order is not pushed now, or None if it is due.

    Orders placed before `pushable_since` (aware UTC) are left to a person.
    """
    if order.status is OrderStatus.UNKNOWN:
        return f"Thiio's status {order.stage!r} has no translation; add it to the mapping file."
    if order.status not in DUE_STATUS:
        return f"Its status is {order.stage or 'empty'}: nothing to ship."
    if order.is_test and not with_tests:
        return "It is a test order."
    if order.placed_at is not None and order.placed_at < pushable_since:
        return (
            f"It was placed {order.placed_at:%Y-%m-%d}, longer ago than ULTRATHIIO_PUSH__MAX_AGE_DAYS allows."
        )
    return None
