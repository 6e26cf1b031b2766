"""An 8-byte hash of the compared fields of a record, made once when it is stored.

Two records of a pair with equal digests agree; the database joins on the digests, and only rows that differ
are fetched and explained.
"""

from __future__ import annotations

import hashlib
from decimal import Decimal

import msgspec

from tasks.records.models import Customer, Order, OrderLine

COMPARED_CUSTOMER_FIELDS = (
    "email_key", "first_name", "last_name", "phone", "line1", "line2", "city", "state", "postal_code",
    "country", "is_deleted",
)  # fmt: skip

COMPARED_ORDER_FIELDS = (
    "status", "email_key", "first_name", "last_name", "phone", "line1", "line2", "city", "state",
    "postal_code", "country", "currency", "subtotal_cents", "discount_cents", "shipping_cents", "tax_cents",
    "total_cents", "refunded_cents", "payment_method", "gateway_code", "is_test", "tracking_numbers",
    "is_deleted",
)  # fmt: skip


def digest_of(record: Customer | Order) -> int:
    """Hash the compared fields of a record into a signed 64-bit integer, the same on both sides.

    Text is compared without regard to case; a line counts by item, quantity and price, in order of item;
    components of kits don't count, since the kit's own line carries them. Times don't count: they are equal
    within a tolerance, which a hash cannot tell.
    """
    if isinstance(record, Customer):
        compared: list[object] = [_plain(getattr(record, name)) for name in COMPARED_CUSTOMER_FIELDS]
    else:
        compared = [_plain(getattr(record, name)) for name in COMPARED_ORDER_FIELDS]
        compared.append(sorted(_line(line) for line in record.lines or () if not line.is_component))
    packed = msgspec.json.encode(compared)
    return int.from_bytes(hashlib.blake2b(packed, digest_size=8).digest(), signed=True)


def _line(line: OrderLine) -> tuple[str, str, int]:
    # A product without mapping is no item of UltraCart's: it must not equal another one.
    item = line.item_id.casefold() if line.item_id else f"product {line.product_id}"
    return (item, plain_quantity(line.quantity), line.unit_price_cents or 0)


def _plain(value: object) -> object:
    if isinstance(value, str):
        return value.casefold()
    return sorted({each.casefold() for each in value}) if isinstance(value, tuple) else value


def plain_quantity(quantity: Decimal) -> str:
    """Write a quantity without trailing zeros or exponent: 2.0 → "2", 1.50 → "1.5"."""
    return f"{quantity.normalize():f}"
