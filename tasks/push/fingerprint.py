"""What a body was made of, kept as short hashes: so a change in Thiio after the push can be named.

No name, address or e-mail address can be read from it, and it outlives the body.
"""

from __future__ import annotations

import hashlib

import msgspec

from tasks.records.digest import plain_quantity
from tasks.records.models import Order, OrderLine

PARTS = {
    "e-mail address": ("email_key",),
    "name": ("first_name", "last_name"),
    "address": ("line1", "line2", "city", "postal_code", "country"),
    "lines": ("lines",),
    "discount": ("discount_cents",),
    "shipping": ("shipping_cents",),
    "tax": ("tax_cents",),
    "total": ("total_cents",),
}
"""What agents change, by the name that people read. Status and dates live on by themselves."""
HASH_BYTES = 4


def fingerprint_of(order: Order) -> str:
    """Hash each part of an order; the same content gives the same JSON text, whatever the case of letters."""
    return msgspec.json.encode({name: _hash(order, fields) for name, fields in PARTS.items()}).decode()


def changed_parts(fingerprint: str, order: Order) -> list[str]:
    """Name the parts of an order that differ from those that a fingerprint was taken of."""
    before = msgspec.json.decode(fingerprint, type=dict[str, str])
    after = msgspec.json.decode(fingerprint_of(order), type=dict[str, str])
    return [name for name in PARTS if name in before and before[name] != after[name]]


def _hash(order: Order, fields: tuple[str, ...]) -> str:
    values = [_plain(getattr(order, name)) for name in fields]
    return hashlib.blake2b(msgspec.json.encode(values), digest_size=HASH_BYTES).hexdigest()


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return sorted(_line(line) for line in value if isinstance(line, OrderLine) and not line.is_component)
    if isinstance(value, str):
        return value.strip().casefold()
    # None and nothing are the same to an agent.
    return value or 0 if isinstance(value, int) else value or ""


def _line(line: OrderLine) -> tuple[str, str, int]:
    return line.product_id or line.item_id or "", plain_quantity(line.quantity), line.unit_price_cents or 0
