"""Read Thiio's tables as records, one page at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Table, and_, or_, select

from tasks.records.item_rules import ItemKeys
from tasks.records.models import Customer, Gateway, Order, PhoneOrder, Product, Window
from tasks.thiio.database.schema import ThiioTables
from tasks.thiio.translate import (
    Names,
    Row,
    to_customer,
    to_gateway,
    to_order,
    to_phone_order,
    to_product,
)
from tasks.thiio.words import Words

PAGE = 500
"""Rows of one page, and ids of one IN list."""
PHONE = "phone"
"""`orders.source` of an order that an agent took."""


class DatabaseReader:
    """Turns rows into records, on connections that the caller opens and closes."""

    def __init__(self, tables: ThiioTables, *, region: str, words: Words, item_keys: ItemKeys) -> None:
        self.tables = tables
        self.words = words
        self.item_keys = item_keys
        self._region = region

    def customers_page(self, connection: Connection, window: Window, *, after_id: int) -> list[Customer]:
        """Read one page of the customers created or changed in a window, with ids above `after_id`."""
        table = self.tables.customers
        touched = _touched(window, table.c.created_at, table.c.updated_at)
        return [to_customer(row, self._region) for row in _page(connection, table, touched, after_id)]

    def orders_page(self, connection: Connection, window: Window, *, after_id: int) -> list[Order]:
        """Read one page of the orders placed, created or changed in a window."""
        table = self.tables.orders
        touched = _touched(window, table.c.placed_at, table.c.created_at, table.c.updated_at)
        return self._orders(connection, _page(connection, table, touched, after_id))

    def unsynced_page(
        self, connection: Connection, ids: Sequence[int] | None, *, after_id: int
    ) -> list[PhoneOrder]:
        """Read one page of the agents' orders that name no UltraCart order and were not deleted."""
        table = self.tables.orders
        unsynced = and_(
            table.c.source == PHONE, table.c.external_order_id.is_(None), table.c.deleted_at.is_(None)
        )
        if ids is not None:
            unsynced = and_(unsynced, table.c.id.in_(ids))
        rows = _page(connection, table, unsynced, after_id)
        lines = self.lines_of(connection, [row["id"] for row in rows])
        orders = self._translate(connection, rows, lines)
        return [
            to_phone_order(row, lines.get(row["id"], []), order, self._region)
            for row, order in zip(rows, orders, strict=True)
        ]

    def orders_by_id(self, connection: Connection, ids: Sequence[int]) -> list[Order]:
        """Read orders by Thiio's id, at most `PAGE` of them."""
        table = self.tables.orders
        return self._orders(connection, _page(connection, table, table.c.id.in_(ids), after_id=-1))

    def ids_by_ultracart_id(self, connection: Connection, ids: Sequence[str]) -> dict[str, str]:
        """Map UltraCart order ids to Thiio's, at most `PAGE` of them."""
        table = self.tables.orders
        query = select(table.c.external_order_id, table.c.id).where(table.c.external_order_id.in_(ids))
        return {ultracart_id: str(thiio_id) for ultracart_id, thiio_id in connection.execute(query)}

    def products(self, connection: Connection) -> list[Product]:
        """Read all products with their metadata, in order of id."""
        table = self.tables.product_metadata
        metadata: dict[int, dict[str, str]] = {}
        for row in _rows(connection, labelled(table)):
            metadata.setdefault(row["product_id"], {})[row["key"]] = row["value"] or ""
        rows = _rows(connection, labelled(self.tables.products).order_by(self.tables.products.c.id))
        return [to_product(row, metadata.get(row["id"], {})) for row in rows]

    def gateways(self, connection: Connection) -> list[Gateway]:
        """Read all gateways, in order of id."""
        table = self.tables.gateways
        return [to_gateway(row) for row in _rows(connection, labelled(table).order_by(table.c.id))]

    def lines_of(self, connection: Connection, order_ids: Sequence[int]) -> dict[int, list[Row]]:
        """Read the lines of orders, in order of position."""
        table = self.tables.order_lines
        query = labelled(table).where(table.c.order_id.in_(order_ids))
        lines: dict[int, list[Row]] = {}
        for row in _rows(connection, query.order_by(table.c.position, table.c.id)):
            lines.setdefault(row["order_id"], []).append(row)
        return lines

    def metadata_of(self, connection: Connection, product_ids: Sequence[int]) -> dict[str, dict[str, str]]:
        """Read what the metadata of products says of UltraCart's items, by product id."""
        table = self.tables.product_metadata
        query = select(table.c.product_id, table.c.key, table.c.value)
        metadata: dict[str, dict[str, str]] = {}
        for id, key, value in connection.execute(query.where(table.c.product_id.in_(product_ids))):
            if self.item_keys.belongs(key):
                metadata.setdefault(str(id), {})[key] = value or ""
        return metadata

    def _orders(self, connection: Connection, rows: Sequence[Row]) -> list[Order]:
        return self._translate(connection, rows, self.lines_of(connection, [row["id"] for row in rows]))

    def _translate(
        self, connection: Connection, rows: Sequence[Row], lines: Mapping[int, Sequence[Row]]
    ) -> list[Order]:
        if not rows:
            return []
        product_ids = {line["product_id"] for group in lines.values() for line in group}
        names = Names(
            region=self._region,
            words=self.words,
            item_keys=self.item_keys,
            gateway_codes={gateway.id: gateway.gateway_code for gateway in self.gateways(connection)},
            metadata=self.metadata_of(connection, sorted(product_ids - {None})),
        )
        return [to_order(row, lines.get(row["id"], []), names) for row in rows]


def labelled(table: Table) -> Select[Any]:
    """Select a table's columns under our names, whatever the database calls them."""
    return select(*(column.label(column.key) for column in table.c))


def _touched(window: Window, *times: ColumnElement[Any]) -> ColumnElement[bool]:
    return or_(*(and_(time >= window.start, time < window.end) for time in times))


def _page(
    connection: Connection, table: Table, condition: ColumnElement[bool], after_id: int
) -> Sequence[Row]:
    query = labelled(table).where(condition, table.c.id > after_id).order_by(table.c.id).limit(PAGE)
    return _rows(connection, query)


def _rows(connection: Connection, query: Select[Any]) -> Sequence[Row]:
    return [dict(row) for row in connection.execute(query).mappings()]
