"""The body of an import: a phone order of Thiio in UltraCart's words, checked before anything is sent.

UltraCart takes no card numbers. An order that was charged outside goes in with the proof of the charge, any
other one as still to be collected. Tax and shipping are those that the customer was told: without them
UltraCart computes its own, and the totals differ (documents of the vendor's SDK).

The card that UltraCart keeps of an earlier order could be charged by naming that order in
`use_prior_payment_information_from_order_id` (model ChannelPartnerOrder of the SDK, the vendor's sample
import_channel_partner_order_use_prior.py); nothing public of Thiio says which order an agent means, so it is
not sent, and such an order goes in as still to be collected.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tasks.push import limits
from tasks.push.card_check import find_card_data
from tasks.push.mapping import AGAIN, Mapping
from tasks.push.problem import Problem
from tasks.records.identity import is_email
from tasks.records.models import Address, PhoneLine, PhoneOrder
from tasks.records.money import show_money, to_cents, to_major
from tasks.ultracart.translate import BASE_CURRENCY

CORRECT = f"Correct the order in Thiio. {AGAIN}"


@dataclass(frozen=True, slots=True)
class Draft:
    """A body that may be sent, or the problems that keep the order here. Amounts in the body are Decimal."""

    partner_order_id: str
    body: dict[str, Any]
    problems: tuple[Problem, ...]


def draft_import(phone: PhoneOrder, mapping: Mapping, prefix: str, theme_code: str = "") -> Draft:
    """Write the import of a phone order, and find everything that is wrong with it.

    `theme_code` is that of a StoreFront. The vendor's newest sample says that the import needs one to build a
    cart (importChannelPartnerOrderArbitraryPricingTier.php); its older samples send none.
    """
    partner_order_id = f"{prefix}{phone.order.id}"
    problems = [*_find_problems(phone, partner_order_id)]
    body: dict[str, Any] = {
        "channel_partner_order_id": partner_order_id,
        "email": phone.order.email,
        "associate_with_customer_profile_if_present": True,
        "treat_warnings_as_errors": True,
        "store_completed": False,  # the default, true, would never ship it
        "items": [_item(line, phone.order.currency, mapping, problems) for line in _sold(phone)],
        **_amounts(phone),
        **_payment(phone, mapping, problems),
        **_address("billto_", phone.billing),
        **_address("shipto_", _ship_to(phone)),
    }
    if theme_code:
        body["screen_branding_theme_code"] = theme_code
    if phone.order.shipping_method:
        body["shipping_method"] = phone.order.shipping_method
    return Draft(partner_order_id, body, tuple(problems))


def _sold(phone: PhoneOrder) -> list[PhoneLine]:
    """Give the lines that are bought: UltraCart adds the components of a kit itself."""
    return [line for line in phone.lines if not line.is_component]


def _item(line: PhoneLine, currency: str | None, mapping: Mapping, problems: list[Problem]) -> dict[str, Any]:
    item = mapping.item(line)
    if isinstance(item, Problem):
        problems.append(item)
        return {}
    price = line.unit_price_cents or 0
    if price % item.pieces:
        problems.append(
            Problem(
                f"The price {show_money(price, currency)} of product {line.product_id} cannot be split to "
                f"the cent into {item.pieces} × {item.item_id}.",
                f"Change the price in Thiio, or sell the set as an item of its own. {AGAIN}",
            )
        )
    values: dict[str, Any] = {
        "merchant_item_id": item.item_id,
        "quantity": _number(line.quantity * item.pieces),
        "arbitrary_unit_cost": to_major(price // item.pieces),
    }
    if item.options:
        values["options"] = [{"name": name, "value": value} for name, value in item.options]
    return values


def _amounts(phone: PhoneOrder) -> dict[str, Decimal]:
    order = phone.order
    amounts = {
        "arbitrary_shipping_handling_total": to_major(order.shipping_cents or 0),
        "arbitrary_tax": to_major(order.tax_cents or 0),
    }
    if order.discount_cents:
        amounts["arbitrary_subtotal_discount"] = to_major(order.discount_cents)
    return amounts


def _payment(phone: PhoneOrder, mapping: Mapping, problems: list[Problem]) -> dict[str, Any]:
    wanted = phone.order.payment_method or ""
    method = next((known for known in limits.PAYMENT_METHODS if known.casefold() == wanted.casefold()), None)
    if method is None:
        allowed = ", ".join(sorted(limits.PAYMENT_METHODS))
        problems.append(
            Problem(
                f"The payment method {wanted!r} is none of UltraCart's import."
                if wanted
                else "The order has no payment method.",
                f"Choose one of {allowed} in Thiio. {AGAIN}",
            )
        )
    payment: dict[str, Any] = {"payment_method": method}
    if method == limits.CREDIT_CARD:
        code = mapping.gateway_code(phone.gateway_id)
        if isinstance(code, Problem):
            problems.append(code)
        else:
            payment["rotating_transaction_gateway_code"] = code
    return payment | _charge(phone, problems)


def _charge(phone: PhoneOrder, problems: list[Problem]) -> dict[str, Any]:
    if phone.paid_at is None:
        return {"no_realtime_payment_processing": True}
    if not phone.transaction:
        problems.append(
            Problem(
                "It is marked as paid, but carries no proof of the charge (transaction ID).",
                f"Enter the gateway's transaction ID in Thiio. {AGAIN}",
            )
        )
    details = [{"name": name, "value": value} for name, value in sorted(phone.transaction.items())]
    return {
        "skip_payment_processing": True,
        "transaction": {"successful": True, "details": details},
    }


def _address(prefix: str, address: Address) -> dict[str, str]:
    values = {name: (getattr(address, name) or "").strip() for name in limits.ADDRESS_FIELDS}
    return {prefix + limits.ADDRESS_FIELDS[name][0]: value for name, value in values.items() if value}


def _ship_to(phone: PhoneOrder) -> Address:
    """An order without shipping address goes to the billing address."""
    return phone.shipping if phone.shipping.line1 else phone.billing


def _find_problems(phone: PhoneOrder, partner_order_id: str) -> Iterator[Problem]:
    if len(partner_order_id) > limits.MAX_PARTNER_ORDER_ID:
        yield Problem(
            f"The partner order ID {partner_order_id} is longer than {limits.MAX_PARTNER_ORDER_ID}.",
            "Choose a shorter ULTRATHIIO_PUSH__PARTNER_ORDER_PREFIX.",
        )
    email = phone.order.email or ""
    if not is_email(email) or len(email) > limits.MAX_EMAIL:
        yield Problem("The e-mail address is missing, wrong or too long.", CORRECT)
    yield from find_card_data(phone)
    yield from _find_address_problems("billing", phone.billing)
    yield from _find_address_problems("shipping", _ship_to(phone))
    yield from _find_sum_problems(phone)


def _find_address_problems(kind: str, address: Address) -> Iterator[Problem]:
    for name, (_, longest, label) in limits.ADDRESS_FIELDS.items():
        value = (getattr(address, name) or "").strip()
        if not value and name in limits.REQUIRED_ADDRESS:
            yield Problem(f"The {kind} {label} is missing.", CORRECT)
        if len(value) > longest:
            yield Problem(
                f"The {kind} {label} has {len(value)} characters; UltraCart takes {longest}.", CORRECT
            )


def _find_sum_problems(phone: PhoneOrder) -> Iterator[Problem]:
    order, sold = phone.order, _sold(phone)
    if order.currency not in (None, BASE_CURRENCY):
        yield Problem(
            f"The order is in {order.currency}; UltraCart's import takes amounts in {BASE_CURRENCY}.",
            f"Enter the order in {BASE_CURRENCY} in Thiio, or by hand in UltraCart.",
        )
    if not sold:
        yield Problem("The order has no lines.", CORRECT)
    if any(line.unit_price_cents is None or line.quantity <= 0 for line in sold):
        yield Problem("A line has no price, or a quantity that is not above 0.", CORRECT)
    lines = sum(_line_cents(line) for line in sold)
    discount, shipping, tax = order.discount_cents or 0, order.shipping_cents or 0, order.tax_cents or 0
    computed = lines - discount + shipping + tax
    if computed != order.total_cents:
        shown = {"lines": lines, "discount": -discount, "shipping": shipping, "tax": tax}
        parts = ", ".join(f"{name} {show_money(cents, order.currency)}" for name, cents in shown.items())
        yield Problem(
            f"The total is {show_money(order.total_cents, order.currency)}, but its parts ({parts}) make "
            f"{show_money(computed, order.currency)}.",
            CORRECT,
        )


def _line_cents(line: PhoneLine) -> int:
    return to_cents(to_major(line.unit_price_cents or 0) * line.quantity) or 0


def _number(quantity: Decimal) -> Decimal | int:
    return int(quantity) if quantity == quantity.to_integral_value() else quantity
