"""The connection `api`: Thiio by its documented HTTP, which can take in records but hardly give them out.

Sources: thiio.atlassian.net, pages 2949152778 "API documentation" and 2680193428 "Thiio's Webhook
configuration". The first also names calls that list customers, orders, shippings, subscriptions, surveys,
transactions and transaction histories, and four actions (a lead with a customer's or an order's note, the
tracking of a shipping, the end of a subscription). Neither path nor body of these could be read, so they are
not called.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, NoReturn
from urllib.parse import urlsplit

from tasks.errors import RemoteError, SetupError, UltraThiioError
from tasks.http_client import HttpClient
from tasks.notifications.log import Notification, NotificationStatus, Notify, tell_exchange
from tasks.records.models import Customer, Entity, Gateway, Order, PhoneOrder, Product, Window
from tasks.settings import Settings, require
from tasks.thiio.inbound_body import customer_body, order_body
from tasks.thiio.login import SYSTEM, ThiioLogin, judge
from tasks.thiio.mapping_file import VARIABLE, ThiioMapping

USE_DATABASE = "Set ULTRATHIIO_THIIO__CONNECTION=database and ULTRATHIIO_THIIO__DATABASE_URL."


class ApiThiio:
    """Thiio's documented HTTP behind the interface that the jobs use."""

    name = "api"
    repeats_safely = False
    gaps: tuple[str, ...] = (
        "Thiio's customers and orders cannot be listed, so nothing is compared and no order is pushed.",
        "Only new orders and customers reach Thiio; refunds, rejects and shipments are noted, not delivered.",
        "A delivery whose answer was lost is sent again and may become a second lead in Thiio.",
        "Products and gateways are those of the mapping file, as an operator wrote them down.",
    )

    def __init__(self, settings: Settings, mapping: ThiioMapping, notify: Notify) -> None:
        self._settings = settings.thiio
        self._region = settings.default_region
        self._mapping = mapping
        self._notify = notify
        self._login = ThiioLogin(settings.thiio, notify)
        self._inbound_url = require(settings.thiio.inbound_webhook_url, "thiio", "inbound_webhook_url")

    @classmethod
    def connect(cls, settings: Settings, mapping: ThiioMapping, notify: Notify) -> ApiThiio:
        """Make a connection of the settings; Thiio is not asked yet."""
        return cls(settings, mapping, notify)

    def iter_customers(self, window: Window) -> Iterator[list[Customer]]:
        """Raise `SetupError`: no documented call lists customers."""
        _cannot("list customers")

    def iter_orders(self, window: Window) -> Iterator[list[Order]]:
        """Raise `SetupError`: no documented call lists orders."""
        _cannot("list orders")

    def find_orders(self, thiio_ids: Sequence[str]) -> list[Order]:
        """Raise `SetupError`: no documented call reads an order."""
        _cannot("read orders")

    def find_orders_by_ultracart_id(self, ids: Sequence[str]) -> dict[str, str]:
        """Find nothing: this connection sees no order, and a delivery must not fail for that."""
        return {}

    def iter_unsynced_orders(self, order_ids: Sequence[str] | None = None) -> Iterator[list[PhoneOrder]]:
        """Raise `SetupError`: no documented call lists orders."""
        _cannot("list orders that are not synced")

    def list_products(self) -> list[Product]:
        """Give the products of the mapping file."""
        return [product.as_product() for product in self._mapping.products]

    def list_gateways(self) -> list[Gateway]:
        """Give the gateways of the mapping file."""
        return [gateway.as_gateway() for gateway in self._mapping.gateways]

    def deliver_customer(self, customer: Customer, thiio_id: str | None) -> str | None:
        """Send a customer to the inbound webhook; Thiio tells no id."""
        self._deliver(Entity.CUSTOMER, customer.id, "customer", lambda: customer_body(customer, self._region))
        return thiio_id

    def deliver_order(self, order: Order, event: str, thiio_id: str | None) -> str | None:
        """Send a new order to the inbound webhook; other events are noted, since no call takes them."""
        operation = f"deliver order ({event})"
        if event != "order_create":
            reason = f"Thiio's documented HTTP has no call for {event}. {USE_DATABASE}"
            self._tell(operation, NotificationStatus.SKIPPED, Entity.ORDER, order.id, reason)
            return thiio_id
        self._deliver(Entity.ORDER, order.id, event, lambda: order_body(order, self._region))
        return thiio_id

    def mark_synced(self, thiio_order_id: str, ultracart_order_id: str) -> None:
        """Raise `SetupError`: no documented call changes an order."""
        _cannot("mark an order as synced")

    def check(self) -> None:
        """Raise `SetupError` if the login fails or the mapping file names no products or gateways."""
        if not self._mapping.products or not self._mapping.gateways:
            raise SetupError(
                "The connection `api` cannot read Thiio's products and gateways, and the mapping file lists "
                f"none. List them in the file that {VARIABLE} names. Or: {USE_DATABASE}"
            )
        try:
            self._login.check_user()
        except SetupError:
            raise
        except RemoteError as error:
            raise SetupError(f"{error} Check ULTRATHIIO_THIIO__BASE_URL.") from error

    def close(self) -> None:
        """Do nothing: each call closes its own client."""

    def _deliver(
        self, entity: Entity, entity_id: str, event: str, make_body: Callable[[], dict[str, Any]]
    ) -> None:
        operation = f"inbound webhook ({event})"
        try:
            body = make_body()
        except UltraThiioError as error:
            self._tell(operation, NotificationStatus.FAILED, entity, entity_id, str(error))
            raise
        url = urlsplit(self._inbound_url)
        path = url.path + (f"?{url.query}" if url.query else "")

        def notify(notification: Notification) -> None:
            self._notify(replace(notification, entity=entity, entity_id=entity_id))

        with HttpClient(
            system=SYSTEM,
            base_url=f"{url.scheme}://{url.netloc}",
            headers={},
            timeout_seconds=self._settings.timeout_seconds,
            read_attempts=1,
            judge=judge,
            on_exchange=tell_exchange(notify),
        ) as client:
            # The address of the inbound webhook is its only secret.
            client.write("POST", path, json=body, operation=operation)

    def _tell(
        self, operation: str, status: NotificationStatus, entity: Entity, entity_id: str, reason: str
    ) -> None:
        self._notify(
            Notification(
                direction="out",
                system=SYSTEM,
                operation=operation,
                status=status,
                reason=reason,
                entity=entity,
                entity_id=entity_id,
            )
        )


def _cannot(what: str) -> NoReturn:
    raise SetupError(f"The connection `api` cannot {what}: Thiio documents no call for it. {USE_DATABASE}")
