"""UltraCart records into bodies of Thiio's generic inbound webhook.

Source: thiio.atlassian.net, page 2680193428 "Thiio's Webhook configuration": fields, lengths, and which of
them are required. Thiio makes a lead of what it receives.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from tasks.errors import InvalidRecord
from tasks.records.identity import is_email
from tasks.records.models import Customer, Order, OrderLine
from tasks.records.money import to_major

SOURCE = "UltraCart"
"""The word by which Thiio files the leads."""
MAX_TEXT = 255


def customer_body(customer: Customer, region: str) -> dict[str, Any]:
    """Write a customer; raises `InvalidRecord` if a field that Thiio requires is missing."""
    return _body("customer", customer, region)


def order_body(order: Order, region: str) -> dict[str, Any]:
    """Write an order with its lines; raises `InvalidRecord` if a field that Thiio requires is missing.

    Assumed: `order.id` may be text (the page shows a number), `type` is `success` as in the page's sample,
    `date` is UTC, and a kit's components need not be told.
    """
    lines = [line for line in order.lines or () if not line.is_component]
    return _body("order", order, region) | {
        "order": {
            "id": order.id,
            "type": "success",
            "date": f"{order.placed_at or order.as_of:%Y-%m-%d %H:%M:%S}",
            "shipping": _amount(order.shipping_cents, order.currency),
            "taxes": _amount(order.tax_cents, order.currency),
            "total": _amount(order.total_cents, order.currency),
            "items": [_item(line, order.currency) for line in lines],
        }
    }


def _body(event: str, record: Customer | Order, region: str) -> dict[str, Any]:
    _require_contact(event, record)
    body: dict[str, Any] = {
        "event": event,
        "source": SOURCE,
        "contact": {
            "first_name": (record.first_name or "")[:MAX_TEXT],
            "last_name": (record.last_name or "")[:MAX_TEXT],
            "email": record.email,
        },
        "phone": {"country": _country(record.country) or region, "number": record.phone},
    }
    if address := _address(record):
        body["billing_address"] = address
    return body


def _require_contact(event: str, record: Customer | Order) -> None:
    has = {
        "first name": record.first_name,
        "last name": record.last_name,
        "valid e-mail address": record.email and len(record.email) <= MAX_TEXT and is_email(record.email),
        "phone number": record.phone,
    }
    if missing := [name for name, value in has.items() if not value]:
        raise InvalidRecord(
            f"UltraCart {event} {record.id} has no {' and no '.join(missing)}, which Thiio's inbound webhook "
            "requires. Add it in UltraCart, or set ULTRATHIIO_THIIO__CONNECTION=database."
        )


def _address(record: Customer | Order) -> dict[str, str | None] | None:
    """Write the address, or leave it out: it is optional, but Thiio refuses longer state or country codes."""
    if not _country(record.country) or not 2 <= len(record.state or "") <= 3:
        return None
    return {
        "first_name": record.first_name,
        "last_name": record.last_name,
        "line1": record.line1,
        "line2": record.line2,
        "city": record.city,
        "state": record.state,
        "zip_code": record.postal_code,
        "country": record.country,
    }


def _country(code: str | None) -> str | None:
    """Give a code that Thiio takes; a country that nobody could name a code for is left out."""
    return code if 2 <= len(code or "") <= 3 else None


def _item(line: OrderLine, currency: str | None) -> dict[str, Any]:
    return {
        "name": line.item_id or line.description,
        "title": line.description or line.item_id,
        "quantity": _number(line.quantity),
        "price": _amount(line.unit_price_cents, currency),
    }


def _amount(cents: int | None, currency: str | None) -> msgspec.Raw:
    return _number(to_major(cents or 0, currency))


def _number(value: Decimal) -> msgspec.Raw:
    # Raw JSON: a Decimal would become text, and money must not become a float.
    return msgspec.Raw(f"{value:f}".encode())
