"""What UltraCart wraps its objects in: the answer of each call that we make."""

from __future__ import annotations

from typing import Generic, TypeVar

from msgspec import Struct, field

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


class CustomersPage(Page[wire.Customer]):
    """Answer of `/customer/customers`."""

    customers: list[wire.Customer] | None = None

    def rows(self) -> list[wire.Customer] | None:
        """Give the customers."""
        return self.customers


class OrdersPage(Page[wire.Order]):
    """Answer of `/order/orders/query` and `/order/orders/batch`."""

    orders: list[wire.Order] | None = None

    def rows(self) -> list[wire.Order] | None:
        """Give the orders."""
        return self.orders


class ItemsPage(Page[wire.Item]):
    """Answer of `/item/items`."""

    items: list[wire.Item] | None = None

    def rows(self) -> list[wire.Item] | None:
        """Give the items."""
        return self.items


class WebhooksPage(Page[wire.Webhook]):
    """Answer of `/webhook/webhooks`."""

    webhooks: list[wire.Webhook] | None = None

    def rows(self) -> list[wire.Webhook] | None:
        """Give the webhooks."""
        return self.webhooks


class LogSummariesPage(Page[wire.WebhookLogSummary]):
    """Answer of `/webhook/webhooks/{oid}/logs`."""

    webhook_log_summaries: list[wire.WebhookLogSummary] | None = None

    def rows(self) -> list[wire.WebhookLogSummary] | None:
        """Give the summaries."""
        return self.webhook_log_summaries


class CustomerAnswer(Struct):
    """Answer of `/customer/customers/{oid}`."""

    customer: wire.Customer


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
