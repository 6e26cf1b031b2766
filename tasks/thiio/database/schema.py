"""The six tables that the `database` connection works on.

Assumed: the whole schema is ours, since Thiio's own is not public. An installation fits it with views, or by
naming its own tables and columns in the mapping file. Every column's comment says what it holds; databases
that keep comments show them too.

Ids are integers that count up. Times are UTC. Amounts are NUMERIC in major units of the order's currency
(TEXT on SQLite, so that no amount passes a float). There is no column for card numbers or card codes, and
none is ever read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    func,
)

from tasks.database.column_types import Id, UtcDateTime
from tasks.thiio.database.columns import money, quantity

DEFAULT_NAMES = {
    "customers": "thiio_customers",
    "orders": "thiio_orders",
    "order_lines": "thiio_order_lines",
    "products": "thiio_products",
    "product_metadata": "thiio_product_metadata",
    "gateways": "thiio_gateways",
}
"""Our name of each table → its name in the database, unless the mapping file says otherwise."""


@dataclass(frozen=True, slots=True)
class ThiioTables:
    """The six tables; columns go by our names (`table.c.email`), whatever the database calls them."""

    metadata: MetaData
    customers: Table
    orders: Table
    order_lines: Table
    products: Table
    product_metadata: Table
    gateways: Table

    def by_our_name(self) -> dict[str, Table]:
        """Give the tables under our names, as the mapping file uses them."""
        return {name: getattr(self, name) for name in DEFAULT_NAMES}


class _Namer:
    """Makes tables and columns under the names that the mapping file gives them."""

    def __init__(self, tables: Mapping[Any, str], columns: Mapping[Any, Mapping[str, str]]) -> None:
        self.metadata = MetaData()
        self._tables = {**DEFAULT_NAMES, **tables}
        self._columns = columns

    def table(self, table: str, *columns: Column[Any]) -> Table:
        schema, _, name = self._tables[table].rpartition(".")
        renamed = self._columns.get(table, {})
        for column in columns:
            column.key = column.name
            column.name = renamed.get(column.key, column.key)
        return Table(name, self.metadata, *columns, schema=schema or None)


def build_tables(
    tables: Mapping[Any, str] | None = None, columns: Mapping[Any, Mapping[str, str]] | None = None
) -> ThiioTables:
    """Describe the tables under the database's own names; what is not named keeps ours."""
    namer = _Namer(tables or {}, columns or {})
    customers = namer.table("customers", *_customer_columns())
    Index(f"ix_{customers.name}_email", func.lower(customers.c.email))
    products = namer.table("products", *_product_columns())
    gateways = namer.table("gateways", *_gateway_columns())
    orders = namer.table("orders", *_order_columns(customers, gateways))
    return ThiioTables(
        metadata=namer.metadata,
        customers=customers,
        orders=orders,
        order_lines=namer.table("order_lines", *_line_columns(orders, products)),
        products=products,
        product_metadata=namer.table("product_metadata", *_metadata_columns(products)),
        gateways=gateways,
    )


def _key() -> Column[Any]:
    return Column("id", Id, primary_key=True, autoincrement=True, comment="Thiio's own id")


def _dates() -> list[Column[Any]]:
    return [
        Column("created_at", UtcDateTime, nullable=False, index=True, comment="When the row was made"),
        Column("updated_at", UtcDateTime, nullable=False, index=True, comment="Last change by anybody"),
        Column("deleted_at", UtcDateTime, comment="Set when the record was deleted in Thiio"),
        Column("ultracart_as_of", UtcDateTime, comment="Date of the UltraCart snapshot written last"),
        Column("ultracart_synced_at", UtcDateTime, comment="When that was; later changes are an agent's"),
    ]


def _customer_columns() -> list[Column[Any]]:
    return [
        _key(),
        Column("ultracart_id", String(64), unique=True, comment="UltraCart's customer_profile_oid"),
        Column("email", String(200), comment="E-mail address as entered"),
        *_address_columns(),
        *_dates(),
    ]


def _address_columns(prefix: str = "") -> list[Column[Any]]:
    return [
        Column(f"{prefix}first_name", String(100), comment="First name"),
        Column(f"{prefix}last_name", String(100), comment="Last name"),
        Column(f"{prefix}company", String(100), comment="Company; read for the push, not compared"),
        Column(f"{prefix}phone", String(40), comment="Phone number in any form"),
        Column(f"{prefix}line1", String(200), comment="Street and number"),
        Column(f"{prefix}line2", String(200), comment="Apartment, floor"),
        Column(f"{prefix}city", String(100), comment="City"),
        Column(f"{prefix}state", String(64), comment="State or province, code or name"),
        Column(f"{prefix}postal_code", String(32), comment="Postal code"),
        Column(f"{prefix}country", String(64), comment="Country, code or name"),
    ]


def _order_columns(customers: Table, gateways: Table) -> list[Column[Any]]:
    return [
        _key(),
        Column(
            "source", String(32), nullable=False, comment="phone: taken by an agent; ultracart: delivered"
        ),
        Column(
            "external_order_id", String(64), unique=True, comment="UltraCart's order id; NULL: not synced"
        ),
        Column("customer_id", Id, ForeignKey(customers.c.id), comment="The customer, if known"),
        Column("status", String(32), nullable=False, comment="Status word; the mapping file lists them"),
        Column("placed_at", UtcDateTime, nullable=False, index=True, comment="When the customer ordered"),
        Column("currency", String(3), comment="ISO 4217 code; NULL: USD"),
        Column("email", String(200), comment="E-mail address of the order"),
        *_address_columns("billing_"),
        *_address_columns("shipping_"),
        *_amount_columns(),
        *_payment_columns(gateways),
        Column(
            "shipping_method",
            String(120),
            comment="UltraCart's name of the way to ship, or a word of the mapping file",
        ),
        Column("tracking_numbers", Text, comment="Joined by commas; empty: none; NULL: not told"),
        Column("shipped_at", UtcDateTime, comment="First shipment"),
        Column("rejected_at", UtcDateTime, comment="When it was rejected or cancelled"),
        Column("refunded_at", UtcDateTime, comment="Last refund"),
        Column("original_order_id", String(64), comment="On a rebill: UltraCart's id of the first order"),
        Column("note", Text, comment="The agent's note to the merchant"),
        *_dates(),
    ]


def _amount_columns() -> list[Column[Any]]:
    return [
        Column("subtotal", money(), comment="Sum of the lines before discount"),
        Column("discount", money(), comment="Discount on the subtotal, positive"),
        Column("shipping", money(), comment="Shipping and handling"),
        Column("tax", money(), comment="Tax"),
        Column("total", money(), comment="What the customer pays"),
        Column("refunded", money(), comment="All refunds so far, positive"),
    ]


def _payment_columns(gateways: Table) -> list[Column[Any]]:
    return [
        Column(
            "payment_method",
            String(64),
            comment="UltraCart's word, e.g. Credit Card, or one of the mapping file",
        ),
        Column("payment_status", String(32), comment="UltraCart's word, e.g. Processed"),
        Column("gateway_id", Id, ForeignKey(gateways.c.id), comment="The gateway that charged"),
        Column("transaction_id", String(120), comment="The gateway's id of the charge"),
        Column("authorization_code", String(64), comment="The gateway's authorization code"),
        Column("paid_at", UtcDateTime, comment="When it was charged; NULL: still to be collected"),
        Column("is_test", Boolean, comment="A test order"),
    ]


def _line_columns(orders: Table, products: Table) -> list[Column[Any]]:
    return [
        _key(),
        Column("order_id", Id, ForeignKey(orders.c.id), nullable=False, index=True, comment="The order"),
        Column("position", Integer, nullable=False, comment="Place in the order, from 1"),
        Column("product_id", Id, ForeignKey(products.c.id), comment="NULL: no product has the item id"),
        Column("ultracart_item_id", String(64), comment="Item id as UltraCart sent it"),
        Column("description", Text, comment="What was sold, for people"),
        Column("options", Text, comment="Chosen options: Size: L, Colour: Red"),
        Column("quantity", quantity(), nullable=False, comment="Quantity; may have a fraction"),
        Column("unit_price", money(), comment="Price of one"),
        Column("total", money(), comment="Price of the line"),
        Column("is_component", Boolean, comment="Part of a kit, whose own line carries the price"),
    ]


def _product_columns() -> list[Column[Any]]:
    return [
        _key(),
        Column("name", Text, comment="Name for people"),
        Column("is_active", Boolean, comment="NULL: active"),
        Column("is_sold", Boolean, comment="False: never in an order, so it needs no item id; NULL: sold"),
    ]


def _metadata_columns(products: Table) -> list[Column[Any]]:
    return [
        Column("product_id", Id, ForeignKey(products.c.id), primary_key=True, comment="The product"),
        Column("key", String(120), primary_key=True, comment="E.g. ultracart_item_id"),
        Column("value", Text, comment="E.g. the UltraCart item id"),
    ]


def _gateway_columns() -> list[Column[Any]]:
    return [
        _key(),
        Column("name", Text, comment="Name for people"),
        Column("gateway_code", String(64), comment="UltraCart's gateway code, as an agent pasted it"),
        Column("is_active", Boolean, comment="NULL: active"),
        Column("payment_methods_store", Boolean, comment="Whether `payment methods store` is enabled"),
    ]
