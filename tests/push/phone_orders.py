"""A phone order and the mapping it goes by, for the tests that need no stand-in."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from tasks.push.mapping import Mapping
from tasks.records.models import Address, Gateway, OrderStatus, PhoneLine, PhoneOrder, Product, Side
from tests.builders import NOON, make_order

GRACE = Address(
    first_name="Grace", last_name="Hopper", company=None, line1="1 Harbor Way", line2=None,
    city="San Francisco", state="CA", postal_code="94107", country="US", phone="+14155550132",
)  # fmt: skip
PIER = Address(
    first_name="Howard", last_name="Aiken", company="Mark I", line1="2 Pier St", line2="Floor 3",
    city="Oakland", state="CA", postal_code="94607", country="US",
)  # fmt: skip
CHARGED = {"Transaction ID": "ch_1", "Authorization Code": "A12345"}
VISA = "4111 1111 1111 1111"
"""A number of the kind that must never get anywhere: the one that every gateway's manual prints."""


def make_phone_order(
    *,
    billing: Address = GRACE,
    shipping: Address = GRACE,
    gateway_id: str | None = "1",
    paid_at: datetime | None = NOON,
    transaction: dict[str, str] | None = None,
    note: str | None = None,
    lines: tuple[PhoneLine, ...] | None = None,
    **changes: Any,
) -> PhoneOrder:
    """A paid order of two bones at 5.00, shipping 8.99, tax 0.83, total 19.82; `changes` are the order's."""
    values: dict[str, Any] = {
        "stage": "processing",
        "status": OrderStatus.PROCESSING,
        "email": "grace.hopper@example.com",
        "subtotal_cents": 1000,
        "discount_cents": 0,
        "shipping_cents": 899,
        "tax_cents": 83,
        "total_cents": 1982,
        "payment_method": "Credit Card",
        "shipping_method": "UPS: Ground",
    }
    return PhoneOrder(
        lines=(make_phone_line(),) if lines is None else lines,
        order=make_order("17", Side.THIIO, **{**values, **changes}),
        billing=billing,
        shipping=shipping,
        gateway_id=gateway_id,
        paid_at=paid_at,
        transaction=CHARGED if transaction is None else transaction,
        note=note,
    )


def make_phone_line(**changes: Any) -> PhoneLine:
    """A line: two of product 300, at 5.00."""
    values: dict[str, Any] = {
        "position": 1,
        "product_id": "300",
        "quantity": Decimal(2),
        "unit_price_cents": 500,
        "description": "Rawhide bone",
    }
    return PhoneLine(**{**values, **changes})


def make_mapping() -> Mapping:
    """Products 300 and 301 are BONE and Baseball Bat, gateway 1 is STRIPE1."""
    names = {"300": "BONE", "301": "Baseball Bat", "302": "AN-ID-OF-21-CHARACTERS"[:21]}
    return Mapping(
        products={
            id: Product(side=Side.THIIO, id=id, name=item_id, metadata={"ultracart_item_id": item_id})
            for id, item_id in names.items()
        },
        items={item_id.casefold(): Product(side=Side.ULTRACART, id=item_id) for item_id in names.values()},
        gateways={"1": Gateway(side=Side.THIIO, id="1", name="Stripe", gateway_code="STRIPE1")},
        gateway_codes=frozenset({"STRIPE1"}),
    )


def at(day: int) -> datetime:
    """Noon of a day in November 2026."""
    return datetime(2026, 11, day, 12, tzinfo=UTC)
