"""Fill Thiio's tables from the made-up shop, as if everything had been delivered without loss."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert

from tasks.records.money import to_major
from tasks.seed import (
    Shop,
    ShopCustomer,
    ShopOrder,
    ultracart_customer_id,
    ultracart_order_id,
)
from tasks.thiio.database.schema import ThiioTables

FIRST_CUSTOMER_ID, FIRST_ORDER_ID, FIRST_PRODUCT_ID, FIRST_GATEWAY_ID = 5_000, 80_000, 300, 1
ITEM_ID_KEY = "ultracart_item_id"

STATUS_WORDS = {
    "completed": "completed",
    "processing": "processing",
    "unpaid": "pending",
    "rejected": "cancelled",
    "on_hold": "on_hold",
}


def fill(connection: Connection, tables: ThiioTables, shop: Shop) -> None:
    """Write the whole shop."""
    product_ids = {item.item_id: FIRST_PRODUCT_ID + index for index, item in enumerate(shop.items)}
    gateway_ids = {code: FIRST_GATEWAY_ID + index for index, (code, _) in enumerate(shop.gateways)}
    customers = {customer.number: customer for customer in shop.customers}
    _fill_catalogue(connection, tables, shop, product_ids, gateway_ids)
    connection.execute(insert(tables.customers), [_customer_row(customer) for customer in shop.customers])
    orders = [_order_row(order, customers[order.customer_number], gateway_ids) for order in shop.orders]
    connection.execute(insert(tables.orders), orders)
    lines = [row for order in shop.orders for row in _line_rows(order, product_ids)]
    connection.execute(insert(tables.order_lines), lines)


def _fill_catalogue(
    connection: Connection,
    tables: ThiioTables,
    shop: Shop,
    product_ids: dict[str, int],
    gateway_ids: dict[str, int],
) -> None:
    products = [
        {"id": product_ids[item.item_id], "name": item.name, "is_active": True, "is_sold": True}
        for item in shop.items
    ]
    connection.execute(insert(tables.products), products)
    metadata = [
        {"product_id": id, "key": ITEM_ID_KEY, "value": item_id} for item_id, id in product_ids.items()
    ]
    connection.execute(insert(tables.product_metadata), metadata)
    gateways = [
        {"id": gateway_ids[code], "name": name, "gateway_code": code, "is_active": True,
         "payment_methods_store": True}
        for code, name in shop.gateways
    ]  # fmt: skip
    connection.execute(insert(tables.gateways), gateways)


def _customer_row(customer: ShopCustomer) -> dict[str, Any]:
    return {
        "id": FIRST_CUSTOMER_ID + customer.number,
        "ultracart_id": str(ultracart_customer_id(customer.number)),
        "email": customer.email,
        **_address(customer, ""),
        **_dates(customer.signed_up_at, customer.modified_at),
    }


def _order_row(order: ShopOrder, customer: ShopCustomer, gateway_ids: dict[str, int]) -> dict[str, Any]:
    dates = (order.placed_at, order.paid_at, order.shipped_at, order.rejected_at, order.refunded_at)
    return {
        "id": FIRST_ORDER_ID + order.number,
        "source": "ultracart",
        "external_order_id": ultracart_order_id(order.number),
        "customer_id": FIRST_CUSTOMER_ID + customer.number,
        "status": STATUS_WORDS[order.stage],
        "placed_at": order.placed_at,
        "currency": "USD",
        "email": customer.email,
        **_address(customer, "billing_"),
        **_address(customer, "shipping_"),
        "subtotal": to_major(order.subtotal_cents),
        "discount": to_major(order.discount_cents),
        "shipping": to_major(order.shipping_cents),
        "tax": to_major(order.tax_cents),
        "total": to_major(order.total_cents),
        "refunded": to_major(order.refunded_cents),
        "payment_method": order.payment_method,
        "payment_status": _payment_status(order),
        "gateway_id": gateway_ids.get(order.gateway_code or ""),
        "paid_at": order.paid_at,
        "is_test": order.is_test,
        "shipping_method": order.shipping_method,
        "tracking_numbers": ",".join(order.tracking),
        "shipped_at": order.shipped_at,
        "rejected_at": order.rejected_at,
        "refunded_at": order.refunded_at,
        "original_order_id": ultracart_order_id(order.rebill_of) if order.rebill_of else None,
        **_dates(order.placed_at, max(date for date in dates if date is not None)),
    }


def _line_rows(order: ShopOrder, product_ids: dict[str, int]) -> list[dict[str, Any]]:
    return [
        {
            "order_id": FIRST_ORDER_ID + order.number,
            "position": position,
            "product_id": product_ids[line.item_id],
            "ultracart_item_id": line.item_id,
            "description": line.name,
            "quantity": line.quantity,
            "unit_price": to_major(line.unit_price_cents),
            "total": to_major(line.total_cents),
            "is_component": False,
        }
        for position, line in enumerate(order.lines, start=1)
    ]


def _payment_status(order: ShopOrder) -> str:
    if order.refunded_cents >= order.total_cents:
        return "Refunded"
    if order.reject_reason == "Card declined":
        return "Declined"
    if order.paid_at is None:
        return "Unprocessed"
    return "Voided" if order.rejected_at else "Processed"


def _address(customer: ShopCustomer, prefix: str) -> dict[str, str | None]:
    names = (
        "first_name", "last_name", "phone", "line1", "line2", "city", "state", "postal_code", "country",
    )  # fmt: skip
    return {prefix + name: getattr(customer, name) for name in names}


def _dates(created_at: datetime, changed_at: datetime) -> dict[str, datetime]:
    return {
        "created_at": created_at,
        "updated_at": changed_at,
        "ultracart_as_of": changed_at,
        "ultracart_synced_at": changed_at,
    }
