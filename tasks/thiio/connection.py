"""What the jobs need from Thiio, whichever way it is reached."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from tasks.records.models import Customer, Gateway, Order, PhoneOrder, Product, Window


class ThiioConnection(Protocol):
    """Thiio, read and written as records.

    Iterators give pages and hold nothing open between them, so that the caller may write while it reads.
    Every delivery and every `mark_synced` makes one notification. All methods may raise `RemoteUnavailable`;
    what a connection cannot do at all raises `SetupError` that names the connection that can.
    """

    name: str
    gaps: tuple[str, ...]
    """Sentences for people: what this connection cannot see or do."""
    repeats_safely: bool
    """The same delivery again changes nothing."""

    def iter_customers(self, window: Window) -> Iterator[list[Customer]]:
        """Give the customers that were created or changed in a window."""
        ...

    def iter_orders(self, window: Window) -> Iterator[list[Order]]:
        """Give the orders that were placed, created or changed in a window, with their lines."""
        ...

    def find_orders(self, thiio_ids: Sequence[str]) -> list[Order]:
        """Give the orders with these ids of Thiio; unknown ids are left out."""
        ...

    def find_orders_by_ultracart_id(self, ids: Sequence[str]) -> dict[str, str]:
        """Map UltraCart order ids to the Thiio ids of the orders that name them; others are left out."""
        ...

    def iter_unsynced_orders(self, order_ids: Sequence[str] | None = None) -> Iterator[list[PhoneOrder]]:
        """Give the orders taken in Thiio that name no UltraCart order, oldest first; all, or some by id."""
        ...

    def list_products(self) -> list[Product]:
        """Give all products with their metadata."""
        ...

    def list_gateways(self) -> list[Gateway]:
        """Give all gateways with the UltraCart code that was entered for each."""
        ...

    def deliver_customer(self, customer: Customer, thiio_id: str | None) -> str | None:
        """Bring an UltraCart customer to Thiio and return Thiio's id, if Thiio tells one.

        Older never overwrites newer. `thiio_id` is the linked customer's, if a link is known.
        """
        ...

    def deliver_order(self, order: Order, event: str, thiio_id: str | None) -> str | None:
        """Bring an UltraCart order to Thiio and return Thiio's id, if Thiio tells one.

        `event` is the webhook event that made this necessary, e.g. `order_refund`. Older never overwrites
        newer. `thiio_id` is the linked order's, if a link is known.
        """
        ...

    def mark_synced(self, thiio_order_id: str, ultracart_order_id: str) -> None:
        """Write on a Thiio order which UltraCart order it became; safe to repeat.

        Raises `InvalidRecord` if the order does not exist or names another UltraCart order.
        """
        ...

    def check(self) -> None:
        """Raise `SetupError` with the remedy if this connection cannot work as it is set up."""
        ...

    def close(self) -> None:
        """Give back connections."""
        ...
