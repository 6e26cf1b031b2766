"""What people do in Thiio: take orders by phone, edit, refund, keep products and gateways."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Engine, Table, delete, insert, update

from tasks.records.money import to_major
from tasks.thiio.database.read import PHONE, labelled
from tasks.thiio.database.schema import ThiioTables
from tasks.thiio.sandbox.channels import EventChannels
from tasks.thiio.sandbox.seed import ITEM_ID_KEY

CALLER: dict[str, str | None] = {
    "first_name": "Grace", "last_name": "Hopper", "company": None, "phone": "+14155550132",
    "line1": "1 Harbor Way", "line2": None, "city": "San Francisco", "state": "CA", "postal_code": "94107",
    "country": "US",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneLine:
    """A line of an order taken by phone; product 300 is the first of the made-up shop."""

    product_id: str = "300"
    quantity: Decimal = Decimal(1)
    unit_price_cents: int = 500
    description: str | None = None
    options: str | None = None


class Agents:
    """The hands of Thiio's users; every change dates the row anew.

    What they do is told to the `channels` that are subscribed to it.
    """

    def __init__(self, engine: Engine, tables: ThiioTables) -> None:
        self.engine = engine
        self.tables = tables
        self.channels = EventChannels()

    def place_phone_order(
        self,
        lines: Sequence[PhoneLine] = (PhoneLine(),),
        *,
        gateway_id: str | None = "1",
        shipping_cents: int = 899,
        tax_cents: int = 0,
        is_paid: bool = True,
        email: str = "grace.hopper@example.com",
        **columns: Any,
    ) -> str:
        """Take an order, charged through a gateway unless `is_paid` is False, and return its id.

        `columns` set any other column of the order.
        """
        now = datetime.now(UTC)
        subtotal = sum(int(line.quantity * line.unit_price_cents) for line in lines)
        values = {
            "source": PHONE,
            "placed_at": now,
            "created_at": now,
            "updated_at": now,
            "currency": "USD",
            "email": email,
            **_addresses(),
            **_amounts(subtotal, shipping_cents, tax_cents),
            **_charge(gateway_id, now if is_paid else None),
            "is_test": False,
            "shipping_method": "UPS: Ground",
            "tracking_numbers": "",
            **columns,
        }
        with self.engine.begin() as connection:
            result = connection.execute(insert(self.tables.orders).values(values))
            id = result.inserted_primary_key[0]  # type: ignore[index]  # an INSERT of one row
            rows = [_line_row(id, position, line) for position, line in enumerate(lines, start=1)]
            connection.execute(insert(self.tables.order_lines), rows)
        if is_paid:
            self.channels.happen("order-completed", "order", id)
        return str(id)

    def decline_charge(self, order_id: str) -> None:
        """Have the gateway refuse to charge an order, which stays as it is."""
        self.channels.happen("transaction-declined", "transaction", int(order_id))

    def edit_order(self, order_id: str, **columns: Any) -> None:
        """Change columns of an order."""
        self._edit(self.tables.orders, order_id, columns)

    def edit_order_total(self, order_id: str, cents: int) -> None:
        """Change an order's total, and nothing that it is the sum of."""
        self.edit_order(order_id, total=to_major(cents))

    def refund_order(self, order_id: str, cents: int) -> None:
        """Write down that an order was refunded, `cents` in all."""
        self.edit_order(order_id, refunded=to_major(cents), refunded_at=datetime.now(UTC))
        self.channels.happen("refund-applied", "order", int(order_id))

    def delete_order(self, order_id: str) -> None:
        """Delete an order, as Thiio does: the row stays, with a date."""
        self.edit_order(order_id, deleted_at=datetime.now(UTC))

    def edit_customer(self, customer_id: str, **columns: Any) -> None:
        """Change columns of a customer."""
        self._edit(self.tables.customers, customer_id, columns)

    def add_product(self, name: str, item_id: str | None = None) -> str:
        """Add a product, with an UltraCart item id or without, and return its id."""
        with self.engine.begin() as connection:
            result = connection.execute(insert(self.tables.products).values(name=name))
            id = str(result.inserted_primary_key[0])  # type: ignore[index]  # an INSERT of one row
        if item_id is not None:
            self.set_product_metadata(id, ITEM_ID_KEY, item_id)
        return id

    def set_product_metadata(self, product_id: str, key: str, value: str | None) -> None:
        """Set a metadata value of a product; None takes it away."""
        table = self.tables.product_metadata
        with self.engine.begin() as connection:
            connection.execute(delete(table).where(table.c.product_id == int(product_id), table.c.key == key))
            if value is not None:
                connection.execute(insert(table).values(product_id=int(product_id), key=key, value=value))

    def add_gateway(self, name: str, gateway_code: str | None = None) -> str:
        """Add a gateway, with an UltraCart code or without, and return its id."""
        values = {"name": name, "gateway_code": gateway_code, "payment_methods_store": True}
        with self.engine.begin() as connection:
            result = connection.execute(insert(self.tables.gateways).values(values))
            return str(result.inserted_primary_key[0])  # type: ignore[index]  # an INSERT of one row

    def edit_gateway(self, gateway_id: str, **columns: Any) -> None:
        """Change columns of a gateway, e.g. `gateway_code`."""
        table = self.tables.gateways
        with self.engine.begin() as connection:
            connection.execute(update(table).where(table.c.id == int(gateway_id)).values(columns))

    def read_order(self, order_id: str) -> dict[str, Any]:
        """Show an order's row, as an agent sees it."""
        return self._one(self.tables.orders, self.tables.orders.c.id == int(order_id))

    def find_order(self, ultracart_order_id: str) -> dict[str, Any]:
        """Show the row of the order that names an UltraCart order."""
        return self._one(self.tables.orders, self.tables.orders.c.external_order_id == ultracart_order_id)

    def read_customer(self, customer_id: str) -> dict[str, Any]:
        """Show a customer's row."""
        return self._one(self.tables.customers, self.tables.customers.c.id == int(customer_id))

    def _one(self, table: Table, condition: Any) -> dict[str, Any]:
        with self.engine.connect() as connection:
            return dict(connection.execute(labelled(table).where(condition)).mappings().one())

    def _edit(self, table: Table, id: str, columns: dict[str, Any]) -> None:
        with self.engine.begin() as connection:
            connection.execute(
                update(table)
                .where(table.c.id == int(id))
                .values({"updated_at": datetime.now(UTC), **columns})
            )


def _addresses() -> dict[str, Any]:
    return {f"{kind}_{name}": value for kind in ("billing", "shipping") for name, value in CALLER.items()}


def _charge(gateway_id: str | None, paid_at: datetime | None) -> dict[str, Any]:
    return {
        "status": "processing" if paid_at else "pending",
        "payment_method": "Credit Card",
        "payment_status": "Processed" if paid_at else "Unprocessed",
        "gateway_id": None if gateway_id is None else int(gateway_id),
        "transaction_id": f"ch_{paid_at:%Y%m%d%H%M%S%f}" if paid_at else None,
        "authorization_code": "A12345" if paid_at else None,
        "paid_at": paid_at,
    }


def _amounts(subtotal_cents: int, shipping_cents: int, tax_cents: int) -> dict[str, Any]:
    return {
        "subtotal": to_major(subtotal_cents),
        "discount": to_major(0),
        "shipping": to_major(shipping_cents),
        "tax": to_major(tax_cents),
        "total": to_major(subtotal_cents + shipping_cents + tax_cents),
        "refunded": to_major(0),
    }


def _line_row(order_id: int, position: int, line: PhoneLine) -> dict[str, Any]:
    return {
        "order_id": order_id,
        "position": position,
        "product_id": int(line.product_id),
        "description": line.description,
        "options": line.options,
        "quantity": line.quantity,
        "unit_price": to_major(line.unit_price_cents),
        "total": to_major(int(line.quantity * line.unit_price_cents)),
        "is_component": False,
    }
