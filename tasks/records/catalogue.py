"""Our copy of what the mappings rest on: both sides' products, product metadata and gateways."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import Connection, delete, select

from tasks.database import tables
from tasks.database.upsert import upsert
from tasks.records.models import Gateway, Product, Side


def save_products(connection: Connection, side: Side, products: Sequence[Product]) -> None:
    """Replace all products of one side, with their metadata."""
    now = datetime.now(UTC)
    connection.execute(delete(tables.products).where(tables.products.c.side == side))
    rows = [
        {"side": side, "id": product.id, "name": product.name, "is_active": product.is_active,
         "is_sold": product.is_sold, "stored_at": now}
        for product in products
    ]  # fmt: skip
    upsert(connection, tables.products, rows)
    if side is Side.THIIO:
        connection.execute(delete(tables.product_metadata))
        pairs = [
            {"product_id": product.id, "key": key, "value": value}
            for product in products
            for key, value in product.metadata.items()
        ]
        upsert(connection, tables.product_metadata, pairs)


def save_gateways(connection: Connection, side: Side, gateways: Sequence[Gateway]) -> None:
    """Replace all gateways of one side."""
    now = datetime.now(UTC)
    connection.execute(delete(tables.gateways).where(tables.gateways.c.side == side))
    rows = [
        {"side": side, "id": gateway.id, "name": gateway.name, "gateway_code": gateway.gateway_code,
         "is_active": gateway.is_active, "payment_methods_store": gateway.payment_methods_store,
         "stored_at": now}
        for gateway in gateways
    ]  # fmt: skip
    upsert(connection, tables.gateways, rows)


def read_products(connection: Connection, side: Side) -> dict[str, Product]:
    """Read all products of one side by id, Thiio's with metadata."""
    metadata: dict[str, dict[str, str]] = {}
    if side is Side.THIIO:
        for row in connection.execute(select(tables.product_metadata)):
            metadata.setdefault(row.product_id, {})[row.key] = row.value
    rows = connection.execute(select(tables.products).where(tables.products.c.side == side))
    return {
        row.id: Product(
            side=side,
            id=row.id,
            name=row.name,
            is_active=row.is_active,
            is_sold=row.is_sold,
            metadata=metadata.get(row.id, {}),
        )
        for row in rows
    }


def read_gateways(connection: Connection, side: Side) -> dict[str, Gateway]:
    """Read all gateways of one side by id."""
    rows = connection.execute(select(tables.gateways).where(tables.gateways.c.side == side))
    return {
        row.id: Gateway(
            side=side,
            id=row.id,
            name=row.name,
            gateway_code=row.gateway_code,
            is_active=row.is_active,
            payment_methods_store=row.payment_methods_store,
        )
        for row in rows
    }
