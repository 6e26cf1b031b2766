"""A compared field's value as a merchant would write it."""

from __future__ import annotations

from typing import Any

from tasks.reconcile.fields import ComparedField, FieldKind
from tasks.records.digest import plain_quantity
from tasks.records.models import Customer, Order, OrderLine
from tasks.records.money import show_money


def show_value(field: ComparedField, record: Customer | Order) -> str:
    """Write the value of a field of a record; a value that is None is "–"."""
    value: Any = getattr(record, field.name)
    if value is None:
        return "–"
    currency = getattr(record, "currency", None)
    match field.kind:
        case FieldKind.MONEY:
            return show_money(value, currency)
        case FieldKind.FLAG:
            return "yes" if value else "no"
        case FieldKind.SET:
            return ", ".join(sorted(value)) or "none"
        case FieldKind.STATUS:
            stage = getattr(record, "stage", None)
            return f"{value} ({stage})" if stage else str(value)
        case FieldKind.LINES:
            lines = [_show_line(line, currency) for line in value if not line.is_component]
            return "; ".join(lines) or "none"
        case FieldKind.TIME:
            return f"{value:%Y-%m-%d %H:%M} UTC"
        case FieldKind.TEXT:
            return str(value)


def _show_line(line: OrderLine, currency: str | None) -> str:
    item = line.item_id or f"Thiio product {line.product_id or 'unknown'} (no item ID)"
    price = "" if line.unit_price_cents is None else f" at {show_money(line.unit_price_cents, currency)}"
    return f"{plain_quantity(line.quantity)} × {item}{price}"
