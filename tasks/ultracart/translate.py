"""UltraCart's objects as records: the one place that knows what UltraCart's names mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from tasks.errors import InvalidRecord
from tasks.notifications.redaction import redact_fields, redact_text
from tasks.records.identity import country_code, email_key, normal_text, phone_key, state_code
from tasks.records.models import Customer, Gateway, Order, OrderLine, OrderStatus, Product, Side
from tasks.records.money import to_cents
from tasks.ultracart import wire

Part = TypeVar("Part")

BASE_CURRENCY = "USD"
"""Amounts are in the store's base currency, which no order names (an order names the buyer's)."""

STATUS_OF_STAGE: Mapping[str, OrderStatus] = {
    "Accounts Receivable": OrderStatus.UNPAID,
    "Pending Clearance": OrderStatus.UNPAID,
    "Pre-ordered": OrderStatus.UNPAID,
    "Fraud Review": OrderStatus.ON_HOLD,
    "Hold": OrderStatus.ON_HOLD,
    "Least Cost Routing": OrderStatus.PROCESSING,
    "Advanced Order Routing": OrderStatus.PROCESSING,
    "Shipping Department": OrderStatus.PROCESSING,
    "Completed Order": OrderStatus.COMPLETED,
    "Rejected": OrderStatus.REJECTED,
    "Quote Request": OrderStatus.QUOTE,
    "Quote Sent": OrderStatus.QUOTE,
    "Unknown": OrderStatus.UNKNOWN,
}
"""UltraCart has no cancelled stage: a cancelled order is rejected. A refund leaves the stage as it is."""


def to_customer(customer: wire.Customer, region: str) -> Customer:
    """Translate a customer; its address is the default billing one, else the first, else a shipping one.

    `region` is the country of phone numbers that name none. Raises `InvalidRecord` if it carries no date.
    """
    addresses = [*_default_first(customer.billing), *_default_first(customer.shipping)]
    fields: dict[str, Any] = {"email": normal_text(customer.email), "email_key": email_key(customer.email)}
    if addresses:
        fields |= _address_fields(addresses[0], region)
    oid = str(customer.customer_profile_oid)
    return Customer(
        side=Side.ULTRACART,
        id=oid,
        as_of=_newest(f"customer {oid}", customer.last_modified_dts, customer.signup_dts),
        parts=frozenset({"core", "address"} if addresses else {"core"}),
        created_at=_utc(customer.signup_dts),
        **fields,
    )


def to_order(order: wire.Order, region: str) -> Order:
    """Translate an order; its `parts` are those that the answer holds, `as_of` its own newest date.

    The webhooks' guide asks neither for `auto_order` nor gets `channel_partner` on the store's own orders:
    such parts are left out, and never overwrite what is known. Raises `InvalidRecord` if it carries no date.
    """
    parts = {
        "core": _core_fields(order),
        "customer": _given(order.customer_profile, _customer_fields),
        "billing": _given(order.billing, lambda billing: _billing_fields(billing, region)),
        "shipping": _given(order.shipping, _shipping_fields),
        "summary": _given(order.summary, _summary_fields),
        "payment": _given(order.payment, _payment_fields),
        "items": _given(order.items, _item_fields),
        "partner": _given(order.channel_partner, _partner_fields),
        "rebill": _given(order.auto_order, lambda auto_order: _rebill_fields(auto_order, order.order_id)),
    }
    seen = {name: fields for name, fields in parts.items() if fields is not None}
    values: dict[str, Any] = {name: value for fields in seen.values() for name, value in fields.items()}
    return Order(
        side=Side.ULTRACART, id=order.order_id, as_of=_order_date(order), parts=frozenset(seen), **values
    )


def to_product(item: wire.Item) -> Product:
    """Translate an item; one that exists only inside kits is not sold by itself."""
    return Product(
        side=Side.ULTRACART,
        id=item.merchant_item_id,
        name=normal_text(item.description),
        is_active=not item.inactive,
        is_sold=not item.kit_component_only,
    )


def to_gateway(gateway: wire.RotatingTransactionGateway) -> Gateway:
    """Translate a rotating transaction gateway; its code is its id."""
    return Gateway(
        side=Side.ULTRACART, id=gateway.code, name=normal_text(gateway.name), gateway_code=gateway.code
    )


def _given(part: Part | None, translate: Callable[[Part], dict[str, Any]]) -> dict[str, Any] | None:
    return None if part is None else translate(part)


def _core_fields(order: wire.Order) -> dict[str, Any]:
    stage = order.current_stage
    return {
        "placed_at": _utc(order.creation_dts),
        "stage": stage,
        "status": None if stage is None else STATUS_OF_STAGE.get(stage, OrderStatus.UNKNOWN),
        "currency": BASE_CURRENCY,
        "rejected_at": _utc(order.reject_dts),
        "refunded_at": _utc(order.refund_dts),
    }


def _customer_fields(profile: wire.CustomerProfile) -> dict[str, Any]:
    oid = profile.customer_profile_oid
    return {"customer_id": None if oid is None else str(oid)}


def _billing_fields(billing: wire.Address, region: str) -> dict[str, Any]:
    return {
        "email": normal_text(billing.email),
        "email_key": email_key(billing.email),
        **_address_fields(billing, region),
    }


def _address_fields(address: wire.Address, region: str) -> dict[str, Any]:
    country = country_code(address.country_code)
    phone = (
        normal_text(address.day_phone_e164)
        or normal_text(address.day_phone)
        or normal_text(address.evening_phone_e164)
        or normal_text(address.evening_phone)
    )
    fields = {
        "first_name": normal_text(address.first_name),
        "last_name": normal_text(address.last_name),
        "phone": phone_key(phone, country if country and len(country) == 2 else region),
        "line1": normal_text(address.address1),
        "line2": normal_text(address.address2),
        "city": normal_text(address.city),
        "state": state_code(address.state_region, country),
        "postal_code": normal_text(address.postal_code),
        "country": country,
    }
    return dict(redact_fields(fields))


def _shipping_fields(shipping: wire.OrderShipping) -> dict[str, Any]:
    # UltraCart sends a list with one empty text for an order without tracking (recorded sample calls).
    numbers = [normal_text(number) for number in shipping.tracking_numbers or ()]
    return {
        "tracking_numbers": tuple(number for number in numbers if number),
        "shipping_method": normal_text(shipping.shipping_method),
        "shipped_at": _utc(shipping.shipping_date),
    }


def _summary_fields(summary: wire.OrderSummary) -> dict[str, Any]:
    shipping = _cents(summary.shipping_handling_total)
    if shipping is not None:
        shipping -= _cents(summary.shipping_handling_total_discount) or 0
    return {
        "subtotal_cents": _cents(summary.subtotal),
        "discount_cents": _cents(summary.subtotal_discount) or 0,
        "shipping_cents": shipping,
        "tax_cents": _cents(summary.tax),
        "total_cents": _cents(summary.total),
        "refunded_cents": _cents(summary.total_refunded) or 0,  # absent until the first refund
    }


def _payment_fields(payment: wire.OrderPayment) -> dict[str, Any]:
    return {
        "payment_method": normal_text(payment.payment_method),
        "payment_status": normal_text(payment.payment_status),
        "gateway_code": normal_text(payment.rotating_transaction_gateway_code),
        "is_test": payment.test_order,
    }


def _item_fields(items: Sequence[wire.OrderItem]) -> dict[str, Any]:
    # Numbered by us: `item_index` begins at 1 by the documents and at 0 on older orders.
    return {"lines": tuple(_line(position, item) for position, item in enumerate(items, start=1))}


def _line(position: int, item: wire.OrderItem) -> OrderLine:
    """Translate a line; its amounts are before discount, which stands on the order."""
    cost = item.cost.value if item.cost else None
    return OrderLine(
        position=position,
        item_id=normal_text(item.merchant_item_id),
        description=redact_text(normal_text(item.description) or "") or None,
        quantity=item.quantity,
        unit_price_cents=to_cents(cost, BASE_CURRENCY),
        total_cents=None if cost is None else to_cents(cost * item.quantity, BASE_CURRENCY),
        is_component=item.kit_component,
    )


def _partner_fields(partner: wire.OrderChannelPartner) -> dict[str, Any]:
    return {"partner_order_id": normal_text(partner.channel_partner_order_id)}


def _rebill_fields(auto_order: wire.OrderAutoOrder, order_id: str) -> dict[str, Any]:
    original = normal_text(auto_order.original_order_id)
    return {"original_order_id": None if original == order_id else original}


def _order_date(order: wire.Order) -> datetime:
    return _newest(
        f"order {order.order_id}",
        order.creation_dts,
        order.reject_dts,
        order.refund_dts,
        order.payment.payment_dts if order.payment else None,
        order.shipping.shipping_date if order.shipping else None,
        *(item.shipped_dts for item in order.items or ()),
    )


def _newest(record: str, *dates: datetime | None) -> datetime:
    known = [date for date in dates if date is not None]
    if not known:
        raise InvalidRecord(
            f"UltraCart {record} carries no date, so it cannot be told from older news of it. Read it again "
            "from UltraCart by running pull-records over the time it was made."
        )
    return max(known).astimezone(UTC)


def _default_first(addresses: Sequence[wire.Address] | None) -> list[wire.Address]:
    given = addresses or ()
    return sorted(given, key=lambda address: not (address.default_billing or address.default_shipping))


def _cents(amount: wire.Currency | None) -> int | None:
    return None if amount is None else to_cents(amount.value, BASE_CURRENCY)


def _utc(time: datetime | None) -> datetime | None:
    return None if time is None else time.astimezone(UTC)
