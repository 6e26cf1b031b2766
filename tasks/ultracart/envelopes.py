"""What UltraCart wraps its objects in: the answer of each call that we make."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from msgspec import Raw, Struct, field

from tasks.ultracart import wire

Row = TypeVar("Row")


class ResultSet(Struct):
    """Where a page stands. `total_records` may be missing; the last page has no `more`."""

    count: int | None = None
    more: bool = False
    next_offset: int | None = None
    total_records: int | None = None


class Metadata(Struct):
    """What stands beside the payload of a list."""

    result_set: ResultSet | None = None


class Page(Struct, Generic[Row]):
    """What is the same in the answer of every list."""

    metadata: Metadata | None = None

    def result_set(self) -> ResultSet:
        """Tell where this page stands; an answer that does not say is the whole list."""
        return (self.metadata and self.metadata.result_set) or ResultSet()

    def rows(self) -> list[Row] | None:
        """Give what the page holds; None if the documented key is missing."""
        raise NotImplementedError


class CustomersPage(Page[Row]):
    """Answer of `/customer/customers`."""

    customers: list[Row] | None = None

    def rows(self) -> list[Row] | None:
        """Give the customers."""
        return self.customers


class OrdersPage(Page[Row]):
    """Answer of `/order/orders/query` and `/order/orders/batch`."""

    orders: list[Row] | None = None

    def rows(self) -> list[Row] | None:
        """Give the orders."""
        return self.orders


class ItemsPage(Page[Row]):
    """Answer of `/item/items`."""

    items: list[Row] | None = None

    def rows(self) -> list[Row] | None:
        """Give the items."""
        return self.items


class WebhooksPage(Page[Row]):
    """Answer of `/webhook/webhooks`."""

    webhooks: list[Row] | None = None

    def rows(self) -> list[Row] | None:
        """Give the webhooks."""
        return self.webhooks


class LogSummariesPage(Page[Row]):
    """Answer of `/webhook/webhooks/{oid}/logs`."""

    webhook_log_summaries: list[Row] | None = None

    def rows(self) -> list[Row] | None:
        """Give the summaries."""
        return self.webhook_log_summaries


@dataclass(frozen=True, slots=True)
class ListKind(Generic[Row]):
    """How the pages of a list are read: skimmed first, its rows left as they are, and then whole."""

    skimmed: type[Page[Raw]]
    whole: type[Page[Row]]
    row: type[Row]
    id_of: Callable[[Row], Hashable]


CUSTOMERS = ListKind(
    CustomersPage[Raw], CustomersPage[wire.Customer], wire.Customer, lambda each: each.customer_profile_oid
)
ORDERS = ListKind(OrdersPage[Raw], OrdersPage[wire.Order], wire.Order, lambda each: each.order_id)
ITEMS = ListKind(ItemsPage[Raw], ItemsPage[wire.Item], wire.Item, lambda each: each.merchant_item_id)
WEBHOOKS = ListKind(
    WebhooksPage[Raw], WebhooksPage[wire.Webhook], wire.Webhook, lambda each: each.webhook_oid
)
LOG_SUMMARIES = ListKind(
    LogSummariesPage[Raw],
    LogSummariesPage[wire.WebhookLogSummary],
    wire.WebhookLogSummary,
    # Whether a repeated try keeps the id of the first is not published: with the time it is one of its own.
    lambda each: (each.request_id, each.delivery_dts),
)


class CustomerAnswer(Struct):
    """Answer of `/customer/customers/{oid}`."""

    customer: wire.Customer


class OrderAnswer(Struct):
    """Answer of `/channel_partner/orders/by_channel_partner_order_id/{id}`."""

    order: wire.Order


class WebhookAnswer(Struct):
    """Answer to a webhook that was registered or changed."""

    webhook: wire.Webhook


class LookupValues(Struct):
    """The choices for fraud rules, of which gateways are one."""

    rotating_transaction_gateways: list[wire.RotatingTransactionGateway] = field(default_factory=list)


class LookupAnswer(Struct):
    """Answer of `/fraud/lookup_values`."""

    fraud_lookup_values: LookupValues


class PartnersAnswer(Struct):
    """Answer of `/channel_partner/channel_partners`."""

    partners: list[wire.ChannelPartner] = field(name="channelPartners", default_factory=list)
