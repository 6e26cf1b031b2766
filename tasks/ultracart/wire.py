"""UltraCart's REST objects, as far as we use them, by UltraCart's own names.

Unknown keys are ignored: live answers hold keys that no published model has (`cc_emails_hashes`). Enums are
plain text, because they grow with each release. A part that was not expanded is absent, hence None; UltraCart
sends no nulls. Source: the models of the vendor's SDK 4.1.208 and its recorded sample calls.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated

from msgspec import Meta, Struct, field

Time = Annotated[datetime, Meta(tz=True)]
"""ISO 8601 with an offset, US Eastern in all recorded answers."""


class Part(Struct, frozen=True, gc=False):
    """What all parts are. Python's collector need not look at them: a part never holds itself."""


class Currency(Part, frozen=True):
    """Money: `value` is in the store's base currency, the other figures in the buyer's."""

    value: Decimal | None = None


class Address(Part, frozen=True):
    """An address of an order or a customer; on an order the billing one carries the e-mail."""

    first_name: str | None = None
    last_name: str | None = None
    company: str | None = None
    address1: str | None = None
    address2: str | None = None
    city: str | None = None
    state_region: str | None = None
    postal_code: str | None = None
    country_code: str | None = None
    day_phone: str | None = None
    day_phone_e164: str | None = None
    evening_phone: str | None = None
    evening_phone_e164: str | None = None
    email: str | None = None
    default_billing: bool = False
    default_shipping: bool = False


class Customer(Part, frozen=True):
    """A customer profile. Its addresses are lists."""

    customer_profile_oid: int
    email: str | None = None
    signup_dts: Time | None = None
    last_modified_dts: Time | None = None
    billing: list[Address] | None = None
    shipping: list[Address] | None = None


class CustomerProfile(Part, frozen=True):
    """The customer profile inside an order; absent if a guest ordered."""

    customer_profile_oid: int | None = None


class OrderItem(Part, frozen=True):
    """A line. A kit and each of its components are lines of their own."""

    merchant_item_id: str | None = None
    quantity: Decimal = Decimal(0)
    description: str | None = None
    cost: Currency | None = None
    kit_component: bool = False
    shipped_dts: Time | None = None


class OrderShipping(Part, frozen=True):
    """Where and how it goes; `shipping_date` is that of the first shipment."""

    shipping_method: str | None = None
    shipping_date: Time | None = None
    tracking_numbers: list[str] | None = None


class OrderSummary(Part, frozen=True):
    """The amounts. What was refunded is cumulative, and absent until the first refund."""

    subtotal: Currency | None = None
    subtotal_discount: Currency | None = None
    shipping_handling_total: Currency | None = None
    shipping_handling_total_discount: Currency | None = None
    tax: Currency | None = None
    total: Currency | None = None
    total_refunded: Currency | None = None


class OrderPayment(Part, frozen=True):
    """How it was paid. `test_order` is present on test orders only."""

    payment_method: str | None = None
    payment_status: str | None = None
    payment_dts: Time | None = None
    test_order: bool = False
    rotating_transaction_gateway_code: str | None = None


class OrderChannelPartner(Part, frozen=True):
    """Who imported the order; absent on orders of the store's own."""

    channel_partner_code: str | None = None
    channel_partner_order_id: str | None = None


class OrderAutoOrder(Part, frozen=True):
    """The subscription that an order belongs to."""

    auto_order_code: str | None = None
    original_order_id: str | None = None


class Order(Part, frozen=True):
    """An order with whatever parts were expanded."""

    order_id: str
    current_stage: str | None = None
    creation_dts: Time | None = None
    refund_dts: Time | None = None
    reject_dts: Time | None = None
    billing: Address | None = None
    shipping: OrderShipping | None = None
    items: list[OrderItem] | None = None
    summary: OrderSummary | None = None
    payment: OrderPayment | None = None
    channel_partner: OrderChannelPartner | None = None
    customer_profile: CustomerProfile | None = None
    auto_order: OrderAutoOrder | None = None


class Item(Part, frozen=True):
    """An item on sale; its id may contain spaces."""

    merchant_item_id: str
    description: str | None = None
    inactive: bool = False
    kit_component_only: bool = False
    merchant_id: str | None = None


class RotatingTransactionGateway(Part, frozen=True):
    """A payment gateway of the store."""

    code: str
    name: str | None = None


class ChannelPartner(Part, frozen=True):
    """Who may import orders."""

    code: str
    name: str | None = None
    channel_partner_oid: int | None = None
    inactive: bool = False


class WebhookEvent(Part, frozen=True):
    """An event that a webhook may be subscribed to, and the parts it sends."""

    event_name: str
    subscribed: bool = False
    expansion: str | None = None


class WebhookCategory(Part, frozen=True):
    """The events of one kind."""

    event_category: str | None = None
    events: list[WebhookEvent] = field(default_factory=list)


class Webhook(Part, frozen=True):
    """A webhook as it is registered."""

    webhook_oid: int
    webhook_url: str | None = None
    authentication_type: str | None = None
    basic_username: str | None = None
    disabled: bool = False
    consecutive_failures: int = 0
    pending: int = 0
    next_retry_after: str | None = None
    compress_events: bool = False
    maximum_events: int | None = None
    maximum_size: int | None = None
    event_categories: list[WebhookCategory] = field(default_factory=list)


class WebhookLogSummary(Part, frozen=True):
    """One delivery as UltraCart saw it."""

    request_id: str
    delivery_dts: Time | None = None
    status_code: int | None = None
    success: bool = False
    event_names: list[str] = field(default_factory=list)
    order_ids: list[str] = field(default_factory=list)
