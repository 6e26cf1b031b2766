"""UltraCart records into the column values that a delivery writes to Thiio's tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from tasks.records.digest import plain_quantity
from tasks.records.models import ADDRESS, Customer, Order, OrderLine, OrderStatus
from tasks.records.money import to_major
from tasks.thiio.database.find import SoldAs
from tasks.thiio.translate import AMOUNTS, Row, join_tracking
from tasks.thiio.words import Words, word_for

PLACE = ("line1", "line2", "city", "state", "postal_code", "country")
"""Columns that make one address: they are written together, so that no old apartment outlives a move."""


def customer_values(customer: Customer, stored: Row | None) -> dict[str, Any]:
    """Give the columns of `customers` that this snapshot speaks about.

    What UltraCart leaves empty is left as it is in Thiio, except within an address. A customer that was
    deleted in Thiio stays deleted.
    """
    values: dict[str, Any] = {"ultracart_id": customer.id}
    if "core" in customer.parts:
        values |= {"email": customer.email, "deleted_at": customer.as_of if customer.is_deleted else None}
    if "address" in customer.parts:
        values |= address_values(customer, "")
    return _said(values, stored, _place_columns(values, ""))


def order_values(order: Order, stored: Row | None, words: Words) -> dict[str, Any]:
    """Give the columns of `orders` that this snapshot speaks about; customer, gateway and lines not included.

    The same rules as for customers. A word of Thiio that means what UltraCart says already is kept.
    """
    values: dict[str, Any] = {"external_order_id": order.id}
    if "core" in order.parts:
        values |= {
            "placed_at": order.placed_at,
            "currency": order.currency,
            "rejected_at": order.rejected_at,
            "refunded_at": order.refunded_at,
            "deleted_at": order.as_of if order.is_deleted else None,
        }
        if order.status is not None:
            values["status"] = word_for(order.status, words.statuses, stored["status"] if stored else None)
    if "rebill" in order.parts:
        values["original_order_id"] = order.original_order_id
    if "billing" in order.parts:
        values |= {"email": order.email, **address_values(order, "billing_")}
    if "shipping" in order.parts:
        values |= {
            "tracking_numbers": join_tracking(order.tracking_numbers),
            "shipping_method": _method(order, stored, "shipping_method", words.shipping_methods),
            "shipped_at": order.shipped_at,
        }
    if "summary" in order.parts:
        values |= _amounts(order)
    if "payment" in order.parts:
        values |= {
            "payment_method": _method(order, stored, "payment_method", words.payment_methods),
            "payment_status": order.payment_status,
            "is_test": order.is_test,
        }
    return _said(values, stored, _place_columns(values, "billing_"))


def address_values(record: Customer | Order, prefix: str) -> dict[str, str | None]:
    """Give person and address of a record under the names of the columns."""
    return {prefix + name: getattr(record, name) for name in ADDRESS}


def line_values(
    lines: Sequence[OrderLine],
    order_id: int,
    products: Mapping[str, Sequence[SoldAs]],
    currency: str | None,
) -> list[dict[str, Any]]:
    """Give the rows of `order_lines`, each in terms of the product as which its item is sold.

    A line whose item no product names, or only sets that its quantity does not fill, has no product.
    """
    rows = []
    for line in lines:
        named = products.get((line.item_id or "").casefold(), ())
        sold_as = next((each for each in named if each.takes(line.quantity)), None)
        pieces = sold_as.pieces if sold_as else 1
        price = line.unit_price_cents
        row = {
            "order_id": order_id,
            "position": line.position,
            "product_id": sold_as.product_id if sold_as else None,
            "ultracart_item_id": line.item_id,
            "description": line.description,
            "options": (sold_as.options or None) if sold_as else None,
            "quantity": line.quantity / pieces,
            "unit_price": _major(None if price is None else price * pieces, currency),
            "total": _major(line.total_cents, currency),
            "is_component": line.is_component,
        }
        rows.append(row)
    return rows


def same_lines(ours: Sequence[OrderLine], theirs: Sequence[OrderLine]) -> bool:
    """Tell whether lines agree in item, quantity and price, as the digest compares them.

    Options and wording in Thiio are an agent's, and components of kits don't count.
    """

    def compared(lines: Sequence[OrderLine]) -> list[tuple[str, str, int]]:
        return sorted(
            ((line.item_id or "").casefold(), plain_quantity(line.quantity), line.unit_price_cents or 0)
            for line in lines
            if not line.is_component
        )

    return compared(ours) == compared(theirs)


def new_order_values(order: Order, now: datetime) -> dict[str, Any]:
    """Give the columns that only a new row needs."""
    return {
        "source": "ultracart",
        "placed_at": order.placed_at or order.as_of,
        "status": OrderStatus.UNKNOWN.value,
        "created_at": now,
    }


def _method(order: Order, stored: Row | None, column: str, words: Mapping[str, str]) -> str | None:
    name: str | None = getattr(order, column)
    return None if name is None else word_for(name, words, stored[column] if stored else None)


def _amounts(order: Order) -> dict[str, Any]:
    return {name: _major(getattr(order, f"{name}_cents"), order.currency) for name in AMOUNTS}


def _major(cents: int | None, currency: str | None) -> Any:
    return None if cents is None else to_major(cents, currency)


def _place_columns(values: Mapping[str, Any], prefix: str) -> set[str]:
    columns = {prefix + name for name in PLACE}
    return columns if any(values.get(column) for column in columns) else set()


def _said(values: dict[str, Any], stored: Row | None, together: set[str]) -> dict[str, Any]:
    if stored is None:
        return values
    return {name: value for name, value in values.items() if value is not None or name in together}
