"""The connection `database`: Thiio by SQL, on the CRM's own database or on views of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine

from tasks.database.engine import open_engine
from tasks.notifications.log import Notify
from tasks.records.item_rules import ItemKeys
from tasks.records.models import Customer, Entity, Gateway, Order, PhoneOrder, Product, Window
from tasks.settings import Settings, require
from tasks.thiio.database.check import check_schema
from tasks.thiio.database.find import row_id
from tasks.thiio.database.read import PAGE, DatabaseReader
from tasks.thiio.database.schema import build_tables
from tasks.thiio.database.tell import tell_delivery
from tasks.thiio.database.transactions import Transactions
from tasks.thiio.database.write import Delivery, write_customer, write_order, write_synced
from tasks.thiio.mapping_file import ThiioMapping


class DatabaseThiio:
    """Thiio's tables behind the interface that the jobs use.

    Every page and every delivery is a transaction of its own. A database that cannot answer raises
    `RemoteUnavailable`; one that refuses a statement, `RemoteRefused`.
    """

    name = "database"
    gaps: tuple[str, ...] = ()
    repeats_safely = True

    def __init__(
        self,
        engine: Engine,
        mapping: ThiioMapping,
        notify: Notify,
        *,
        region: str,
        item_keys: ItemKeys,
        partner_order_prefix: str,
    ) -> None:
        self._transactions = Transactions(engine)
        self._notify = notify
        self._partner_order_prefix = partner_order_prefix
        self._reader = DatabaseReader(
            build_tables(mapping.tables, mapping.columns),
            region=region,
            words=mapping.words,
            item_keys=item_keys,
        )

    @classmethod
    def connect(cls, settings: Settings, mapping: ThiioMapping, notify: Notify) -> DatabaseThiio:
        """Make a connection of the settings; the database is not asked yet."""
        return cls(
            open_engine(require(settings.thiio.database_url, "thiio", "database_url")),
            mapping,
            notify,
            region=settings.default_region,
            item_keys=mapping.item_keys(settings.thiio),
            partner_order_prefix=settings.push.partner_order_prefix,
        )

    def iter_customers(self, window: Window) -> Iterator[list[Customer]]:
        """Give the customers that were created or changed in a window."""
        yield from self._transactions.pages(partial(self._reader.customers_page, window=window))

    def iter_orders(self, window: Window) -> Iterator[list[Order]]:
        """Give the orders that were placed, created or changed in a window, with their lines."""
        yield from self._transactions.pages(partial(self._reader.orders_page, window=window))

    def find_orders(self, thiio_ids: Sequence[str]) -> list[Order]:
        """Give the orders with these ids of Thiio; unknown ids are left out."""
        return [
            order
            for chunk in _chunks(_row_ids(thiio_ids))
            for order in self._transactions.read(partial(self._reader.orders_by_id, ids=chunk))
        ]

    def find_orders_by_ultracart_id(self, ids: Sequence[str]) -> dict[str, str]:
        """Map UltraCart order ids to the Thiio ids of the orders that name them; others are left out."""
        found: dict[str, str] = {}
        for chunk in _chunks(list(ids)):
            found |= self._transactions.read(partial(self._reader.ids_by_ultracart_id, ids=chunk))
        return found

    def iter_unsynced_orders(self, order_ids: Sequence[str] | None = None) -> Iterator[list[PhoneOrder]]:
        """Give the orders taken in Thiio that name no UltraCart order, oldest first; all, or some by id."""
        if order_ids is None:
            yield from self._transactions.pages(partial(self._reader.unsynced_page, ids=None))
            return
        for chunk in _chunks(_row_ids(order_ids)):
            yield from self._transactions.pages(partial(self._reader.unsynced_page, ids=chunk))

    def list_products(self) -> list[Product]:
        """Give all products with their metadata."""
        return self._transactions.read(self._reader.products)

    def list_gateways(self) -> list[Gateway]:
        """Give all gateways with the UltraCart code that was entered for each."""
        return self._transactions.read(self._reader.gateways)

    def deliver_customer(self, customer: Customer, thiio_id: str | None) -> str | None:
        """Insert or update a customer's row and return its id."""
        return self._deliver(
            "deliver customer",
            customer,
            lambda connection: write_customer(
                connection, self._reader, customer, thiio_id, datetime.now(UTC)
            ),
        )

    def deliver_order(self, order: Order, event: str, thiio_id: str | None) -> str | None:
        """Insert or update an order's row with its lines and return its id."""
        return self._deliver(
            f"deliver order ({event})",
            order,
            lambda connection: write_order(
                connection, self._reader, order, thiio_id, self._partner_order_prefix, datetime.now(UTC)
            ),
        )

    def mark_synced(self, thiio_order_id: str, ultracart_order_id: str) -> None:
        """Write on a Thiio order which UltraCart order it became; safe to repeat."""
        table = self._reader.tables.orders
        sent = {"thiio_order_id": thiio_order_id, "ultracart_order_id": ultracart_order_id}
        with tell_delivery(
            self._notify, "mark order synced", Entity.ORDER, ultracart_order_id, sent
        ) as answer:
            answer["outcome"] = self._transactions.write(
                lambda connection: write_synced(
                    connection, table, thiio_order_id, ultracart_order_id, datetime.now(UTC)
                )
            )

    def check(self) -> None:
        """Raise `SetupError` if the database cannot be reached or lacks a table or column."""
        check_schema(self._transactions.engine, self._reader.tables)

    def close(self) -> None:
        """Give back the database connections."""
        self._transactions.engine.dispose()

    def _deliver(
        self, operation: str, record: Customer | Order, write: Callable[[Connection], Delivery]
    ) -> str:
        entity = Entity.ORDER if isinstance(record, Order) else Entity.CUSTOMER
        sent = msgspec.to_builtins(record)
        with tell_delivery(self._notify, operation, entity, record.id, sent) as answer:
            delivery = self._transactions.write(write)
            answer |= msgspec.to_builtins(delivery)
        return delivery.thiio_id


def _row_ids(thiio_ids: Sequence[str]) -> list[int]:
    return sorted({number for id in thiio_ids if (number := row_id(id)) is not None})


def _chunks(values: list[Any]) -> Iterator[list[Any]]:
    return (values[at : at + PAGE] for at in range(0, len(values), PAGE))
