"""Records for tests: sensible values, of which a test overrides what matters to it."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from tasks.records.models import Customer, Order, OrderLine, OrderStatus, Side

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


def make_customer(id: str = "1", side: Side = Side.ULTRACART, **changes: Any) -> Customer:
    """A customer of one side."""
    values: dict[str, Any] = {
        "as_of": NOON,
        "created_at": NOON,
        "email": "ada@example.com",
        "email_key": "ada@example.com",
        "first_name": "Ada",
        "last_name": "Byron",
        "phone": "+12093839870",
        "line1": "1 Main St",
        "city": "San Jose",
        "state": "CA",
        "postal_code": "95131",
        "country": "US",
    }
    return Customer(side=side, id=id, **{**values, **changes})


def make_order(id: str = "DEMO-1", side: Side = Side.ULTRACART, **changes: Any) -> Order:
    """An order of one side: two of BONE at 5.00, shipping 12.03, tax 1.60."""
    values: dict[str, Any] = {
        "as_of": NOON,
        "placed_at": NOON,
        "status": OrderStatus.PROCESSING,
        "stage": "Shipping Department",
        "email": "ada@example.com",
        "email_key": "ada@example.com",
        "first_name": "Ada",
        "last_name": "Byron",
        "line1": "1 Main St",
        "city": "San Jose",
        "state": "CA",
        "postal_code": "95131",
        "country": "US",
        "currency": "USD",
        "subtotal_cents": 1000,
        "discount_cents": 0,
        "shipping_cents": 1203,
        "tax_cents": 160,
        "total_cents": 2363,
        "refunded_cents": 0,
        "payment_method": "Credit Card",
        "payment_status": "Processed",
        "gateway_code": "STRIPE1",
        "is_test": False,
        "tracking_numbers": (),
        "lines": (make_line(),),
    }
    return Order(side=side, id=id, **{**values, **changes})


def make_line(**changes: Any) -> OrderLine:
    """A line: two of BONE at 5.00."""
    values: dict[str, Any] = {
        "position": 1,
        "item_id": "BONE",
        "quantity": Decimal(2),
        "unit_price_cents": 500,
        "total_cents": 1000,
    }
    return OrderLine(**{**values, **changes})
