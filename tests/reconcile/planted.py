"""Changes that must be found, for every compared field, and changes that must not be."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from tasks.reconcile.fields import CUSTOMER_FIELDS, IS_DELETED, ORDER_FIELDS, ComparedField
from tasks.records.models import OrderLine, OrderStatus
from tests.builders import make_line

Change = Callable[[Any], Any]

PERSON = {
    "email_key": "bob@example.com",
    "first_name": "Augusta",
    "last_name": "King",
    "phone": "+12025550143",
    "line1": "2 Main St",
    "line2": "Suite 6",
    "city": "Fresno",
    "state": "NV",
    "postal_code": "02101",
    "country": "CA",
}


def to(name: str, value: object) -> Change:
    """Set a field to a value."""
    return lambda record: replace(record, **{name: value})


def by(name: str, amount: object) -> Change:
    """Add an amount to a field: cents or a time."""
    return lambda record: replace(record, **{name: getattr(record, name) + amount})


def with_lines(change: Callable[[tuple[OrderLine, ...]], Sequence[OrderLine]]) -> Change:
    """Change the lines of an order."""
    return lambda order: replace(order, lines=tuple(change(order.lines)))


def first_line(**changes: object) -> Change:
    """Change an order's first line."""
    return with_lines(lambda lines: (replace(lines[0], **changes), *lines[1:]))  # type: ignore[arg-type]


def money(name: str) -> list[Change]:
    """Two cents more, and much less."""
    return [by(name, 2), by(name, -77)]


def time(name: str) -> list[Change]:
    """A second more than the tolerance, later and earlier, and a day."""
    over = timedelta(minutes=10, seconds=1)
    return [by(name, over), by(name, -over), by(name, timedelta(days=1))]


ORDER_CHANGES: Mapping[str, Sequence[Change]] = {
    **{name: [to(name, value)] for name, value in PERSON.items()},
    "status": [to("status", OrderStatus.UNPAID), to("status", OrderStatus.UNKNOWN)],
    "currency": [to("currency", "EUR")],
    **{
        name: money(name)
        for name in ("subtotal_cents", "discount_cents", "shipping_cents", "tax_cents", "total_cents")
    },
    "refunded_cents": [by("refunded_cents", 500), by("refunded_cents", 2)],
    "payment_method": [to("payment_method", "PayPal")],
    "gateway_code": [to("gateway_code", "PAYPAL"), to("gateway_code", "")],
    "is_test": [to("is_test", True)],
    "tracking_numbers": [to("tracking_numbers", ("9Z9",)), to("tracking_numbers", ("1Z1", "1Z2", "9Z9"))],
    **{name: time(name) for name in ("placed_at", "shipped_at", "rejected_at", "refunded_at")},
    "lines": [
        with_lines(lambda lines: (*lines, make_line(position=9, item_id="EXTRA"))),
        with_lines(lambda lines: ()),
        first_line(quantity=Decimal(3)),
        first_line(quantity=Decimal("2.5")),
        first_line(item_id="OTHER"),
        first_line(item_id=None, product_id="302"),
        first_line(unit_price_cents=123_456),
    ],
    "is_deleted": [to("is_deleted", True)],
}
CUSTOMER_CHANGES: Mapping[str, Sequence[Change]] = {
    **{name: [to(name, value)] for name, value in PERSON.items()},
    "is_deleted": [to("is_deleted", True)],
}


def not_said(fields: Sequence[ComparedField]) -> dict[str, Change]:
    """Take each value away: what one side does not say is not compared."""
    return {f"{field.name} not said": to(field.name, None) for field in fields if field is not IS_DELETED}


SAME_ORDER: Mapping[str, Change] = {
    **not_said(ORDER_FIELDS),
    "a cent more": by("total_cents", 1),
    "a cent less": by("tax_cents", -1),
    "a cent a piece": with_lines(
        lambda lines: [replace(line, unit_price_cents=(line.unit_price_cents or 0) + 1) for line in lines]
    ),
    "ten minutes later": by("placed_at", timedelta(minutes=10)),
    "ten minutes earlier": by("shipped_at", timedelta(minutes=-10)),
    "upper case": lambda order: replace(order, city="SAN JOSE", gateway_code="stripe1", country="us"),
    "tracking numbers in another order": lambda order: replace(
        order, tracking_numbers=tuple(number.lower() for number in order.tracking_numbers[::-1])
    ),
    "lines in another order": with_lines(lambda lines: lines[::-1]),
    "a line split in two": with_lines(
        lambda lines: [
            replace(line, position=2 * line.position + half, quantity=line.quantity / 2)
            for line in lines
            for half in (0, 1)
        ]
    ),
    "components of a kit": with_lines(
        lambda lines: (*lines, make_line(position=9, item_id="PART", is_component=True))
    ),
    "the side's own words": lambda order: replace(order, stage="on its way", payment_status="Other"),
    "another person's id": to("customer_id", "4711"),
}  # fmt: skip
SAME_CUSTOMER: Mapping[str, Change] = {
    **not_said(CUSTOMER_FIELDS),
    "upper case": to("last_name", "BYRON"),
    "another day of signing up": by("created_at", timedelta(days=-99)),
}
