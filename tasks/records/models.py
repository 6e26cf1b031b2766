"""The one shape into which customers and orders of both sides are translated.

A field is None if the remote system did not say. A record carries its `parts`: which groups of fields this
snapshot holds, so that a part nobody asked for never overwrites one that was seen before.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum


class Side(StrEnum):
    """A remote system."""

    ULTRACART = "ultracart"
    THIIO = "thiio"


class Entity(StrEnum):
    """A kind of record."""

    CUSTOMER = "customer"
    ORDER = "order"


class OrderStatus(StrEnum):
    """Where an order stands, in words that both sides can be translated into."""

    UNPAID = "unpaid"  # placed, money not yet taken
    ON_HOLD = "on_hold"  # somebody must look at it before it goes on
    PROCESSING = "processing"  # paid, not yet complete
    COMPLETED = "completed"
    REJECTED = "rejected"  # rejected, cancelled or declined: it will not be shipped
    QUOTE = "quote"  # not an order yet
    UNKNOWN = "unknown"  # a word that our translation does not know


ADDRESS = ("first_name", "last_name", "phone", "line1", "line2", "city", "state", "postal_code", "country")

CUSTOMER_PARTS: dict[str, tuple[str, ...]] = {
    "core": ("created_at", "email", "email_key", "is_deleted"),
    "address": ADDRESS,
}

ORDER_PARTS: dict[str, tuple[str, ...]] = {
    "core": (
        "placed_at", "status", "stage", "currency", "rejected_at", "refunded_at", "is_deleted",
        "other_side_id",
    ),
    "rebill": ("original_order_id",),
    "partner": ("partner_order_id",),
    "customer": ("customer_id",),
    "billing": ("email", "email_key", *ADDRESS),
    "shipping": ("tracking_numbers", "shipping_method", "shipped_at"),
    "summary": (
        "subtotal_cents", "discount_cents", "shipping_cents", "tax_cents", "total_cents", "refunded_cents",
    ),
    "payment": ("payment_method", "payment_status", "gateway_code", "is_test"),
    "items": ("lines",),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """A customer of one side. `as_of` is the object's own last date: what this snapshot is a picture of."""

    side: Side
    id: str
    as_of: datetime
    parts: frozenset[str] = frozenset(CUSTOMER_PARTS)
    created_at: datetime | None = None
    email: str | None = None
    email_key: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    phone: str | None = None
    line1: str | None = None
    line2: str | None = None
    city: str | None = None
    state: str | None = None
    postal_code: str | None = None
    country: str | None = None
    is_deleted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLine:
    """A line of an order, in UltraCart's terms on both sides; `item_id` None: product without mapping.

    A Thiio product that is four of an item is told as four times the quantity at a fourth of the price.
    """

    position: int
    quantity: Decimal
    item_id: str | None = None
    product_id: str | None = None
    description: str | None = None
    unit_price_cents: int | None = None
    total_cents: int | None = None
    is_component: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An order of one side. Money is integer minor units of `currency`; `refunded_cents` is cumulative."""

    side: Side
    id: str
    as_of: datetime
    parts: frozenset[str] = frozenset(ORDER_PARTS)
    placed_at: datetime | None = None
    status: OrderStatus | None = None
    stage: str | None = None
    customer_id: str | None = None
    email: str | None = None
    email_key: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    phone: str | None = None
    line1: str | None = None
    line2: str | None = None
    city: str | None = None
    state: str | None = None
    postal_code: str | None = None
    country: str | None = None
    currency: str | None = None
    subtotal_cents: int | None = None
    discount_cents: int | None = None
    shipping_cents: int | None = None
    tax_cents: int | None = None
    total_cents: int | None = None
    refunded_cents: int | None = None
    payment_method: str | None = None
    payment_status: str | None = None
    gateway_code: str | None = None
    is_test: bool | None = None
    tracking_numbers: tuple[str, ...] | None = None
    shipping_method: str | None = None
    rejected_at: datetime | None = None
    refunded_at: datetime | None = None
    shipped_at: datetime | None = None
    original_order_id: str | None = None
    partner_order_id: str | None = None
    other_side_id: str | None = None
    is_deleted: bool = False
    lines: tuple[OrderLine, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A postal address with its person; lengths are not limited here."""

    first_name: str | None = None
    last_name: str | None = None
    company: str | None = None
    line1: str | None = None
    line2: str | None = None
    city: str | None = None
    state: str | None = None
    postal_code: str | None = None
    country: str | None = None
    phone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneLine:
    """A line as an agent took it, in Thiio's own terms; `options` are the agent's words for them."""

    position: int
    quantity: Decimal
    product_id: str | None = None
    description: str | None = None
    options: str | None = None
    unit_price_cents: int | None = None
    is_component: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneOrder:
    """An order that an agent took in Thiio and that UltraCart does not know yet.

    `transaction` holds the proof of a charge that was made outside UltraCart, by UltraCart's names
    ("Transaction ID", "Authorization Code", …); empty if the money is still to be collected.
    """

    order: Order
    lines: tuple[PhoneLine, ...]
    billing: Address
    shipping: Address
    gateway_id: str | None = None
    paid_at: datetime | None = None
    transaction: dict[str, str] = field(default_factory=dict)
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """A product of one side; on UltraCart `id` is the item id. `metadata` exists in Thiio only."""

    side: Side
    id: str
    name: str | None = None
    is_active: bool = True
    is_sold: bool = True
    metadata: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """A payment gateway; on UltraCart `id` and `gateway_code` are both its code."""

    side: Side
    id: str
    name: str | None = None
    gateway_code: str | None = None
    is_active: bool = True
    payment_methods_store: bool | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """A half-open stretch of time: `start` belongs to it, `end` does not. Both aware UTC."""

    start: datetime
    end: datetime

    def __str__(self) -> str:
        """Print as 2026-11-01T00:00Z…2026-11-08T00:00Z."""
        return f"{self.start:%Y-%m-%dT%H:%MZ}…{self.end:%Y-%m-%dT%H:%MZ}"
