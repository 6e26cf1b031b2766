"""Find the rows of Thiio that an UltraCart record belongs to, and what its line and payment refer to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import ColumnElement, Connection, Table, and_, func, select

from tasks.errors import InvalidRecord
from tasks.records.item_rules import ItemKeys, read_rules, show_options
from tasks.records.models import Customer, Order
from tasks.thiio.database.read import PHONE, labelled
from tasks.thiio.database.schema import ThiioTables
from tasks.thiio.translate import Row


def row_id(thiio_id: str | None) -> int | None:
    """Give the number that an id of Thiio stands for; None for text that is none."""
    return int(thiio_id) if thiio_id and thiio_id.isdecimal() else None


def find_customer(
    connection: Connection, table: Table, customer: Customer, thiio_id: str | None
) -> Row | None:
    """Find a customer's row: by UltraCart id, then by link, then by e-mail among rows without UltraCart id.

    Raises `InvalidRecord` if the linked row names another UltraCart customer.
    """
    row = _first(connection, table, table.c.ultracart_id == customer.id)
    row = row or _linked(connection, table, "ultracart_id", thiio_id, "customer", customer.id)
    if row is None and customer.email_key:
        is_free = and_(table.c.ultracart_id.is_(None), table.c.deleted_at.is_(None))
        row = _first(connection, table, and_(same_email(table, customer.email_key), is_free))
    return row


def find_order(
    connection: Connection, table: Table, order: Order, thiio_id: str | None, partner_order_prefix: str
) -> Row | None:
    """Find an order's row: by UltraCart id, then by link, then by the partner order id that a push gave it.

    The last catches a webhook that is faster than `mark_synced`. Raises `InvalidRecord` if the linked row
    names another UltraCart order.
    """
    row = _first(connection, table, table.c.external_order_id == order.id)
    row = row or _linked(connection, table, "external_order_id", thiio_id, "order", order.id)
    pushed = (order.partner_order_id or "").removeprefix(partner_order_prefix)
    if row is None and pushed != order.partner_order_id and (id := row_id(pushed)) is not None:
        taken_by_agent = and_(table.c.source == PHONE, table.c.external_order_id.is_(None))
        row = _first(connection, table, and_(table.c.id == id, taken_by_agent))
    return row


def find_customer_id(connection: Connection, table: Table, order: Order) -> int | None:
    """Find the customer of an order: by UltraCart id, else by e-mail."""
    if order.customer_id:
        id = connection.scalar(select(table.c.id).where(table.c.ultracart_id == order.customer_id))
        if id is not None:
            return int(id)
    if order.email_key is None:
        return None
    found = select(func.min(table.c.id)).where(same_email(table, order.email_key))
    first: int | None = connection.scalar(found.where(table.c.deleted_at.is_(None)))
    return first


@dataclass(frozen=True, slots=True, order=True)
class SoldAs:
    """A product of Thiio as which an item is sold: one of it is `pieces` of the item."""

    pieces: int
    product_id: int
    options: str

    def takes(self, quantity: Decimal) -> bool:
        """Tell whether so many of the item are a whole number of the product."""
        return quantity % self.pieces == 0


def find_products(
    connection: Connection, tables: ThiioTables, keys: ItemKeys, item_ids: Iterable[str | None]
) -> dict[str, list[SoldAs]]:
    """Map item ids, case-folded, to the products that name them: single ones before sets, then by id."""
    table = tables.product_metadata
    wanted = {item_id.strip().casefold() for item_id in item_ids if item_id}
    value = func.lower(func.trim(table.c.value))
    naming = select(table.c.product_id).where(
        table.c.key.startswith(keys.item_id, autoescape=True), value.in_(sorted(wanted))
    )
    metadata: dict[int, dict[str, str]] = {}
    query = select(table.c.product_id, table.c.key, table.c.value).where(table.c.product_id.in_(naming))
    for product_id, key, text in connection.execute(query):
        metadata.setdefault(product_id, {})[key] = text or ""
    products: dict[str, list[SoldAs]] = {}
    for product_id, texts in metadata.items():
        for rule in read_rules(texts, keys):
            if rule.pieces and (item_id := rule.item_id.casefold()) in wanted:
                sold_as = SoldAs(rule.pieces, product_id, show_options(rule.options))
                products.setdefault(item_id, []).append(sold_as)
    return {item_id: sorted(found) for item_id, found in products.items()}


def find_gateway_id(connection: Connection, table: Table, gateway_code: str | None) -> int | None:
    """Find the gateway that carries an UltraCart gateway code, active ones first."""
    if not gateway_code:
        return None
    code = func.lower(func.trim(table.c.gateway_code)) == gateway_code.strip().lower()
    query = select(table.c.id).where(code).order_by(table.c.is_active.is_(False), table.c.id)
    id: int | None = connection.scalar(query.limit(1))
    return id


def same_email(table: Table, email_key: str) -> ColumnElement[bool]:
    """Compare the e-mail column with a key as well as a database can: trimmed, in lower case."""
    return func.lower(func.trim(table.c.email)) == email_key.lower()


def _linked(
    connection: Connection,
    table: Table,
    named: str,
    thiio_id: str | None,
    entity: str,
    ultracart_id: str,
) -> Row | None:
    if (id := row_id(thiio_id)) is None:
        return None
    row = _first(connection, table, table.c.id == id)
    other = row[named] if row else None
    if other not in (None, ultracart_id):
        raise InvalidRecord(
            f"Thiio {entity} {thiio_id} is linked to UltraCart {entity} {ultracart_id}, but names {other}. "
            "Correct one of them in Thiio, then replay the event."
        )
    return row


def _first(connection: Connection, table: Table, condition: ColumnElement[bool]) -> Row | None:
    query = labelled(table).where(condition).order_by(table.c.id).limit(1).with_for_update()
    row = connection.execute(query).mappings().first()
    return None if row is None else dict(row)
