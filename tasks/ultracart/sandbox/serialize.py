"""State as UltraCart's JSON: only the parts asked for, no nulls, times in US Eastern, money as an object."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

ORDER_CORE = frozenset(
    {
        "merchant_id", "order_id", "current_stage", "creation_dts", "language_iso_code", "refund_dts",
        "refund_reason", "reject_dts", "reject_reason", "currency_code", "exchange_rate",
    }
)  # fmt: skip
"""What an order without expansion holds (recorded sample calls)."""
ORDER_PART_OF_EXPANSION = {"item": "items", "coupon": "coupons", "affiliate": "affiliates"}
ORDER_EXPANSIONS = frozenset(
    {
        "affiliate", "affiliate.ledger", "auto_order", "billing", "buysafe", "channel_partner", "checkout",
        "coupon", "customer_profile", "digital_order", "edi", "fraud_score", "gift", "gift_certificate",
        "internal", "item", "linked_shipment", "marketing", "payment", "payment.transaction",
        "point_of_sale", "quote", "salesforce", "shipping", "shipping.tracking_number_details", "summary",
        "taxes", "utms",
    }
)  # fmt: skip
"""The vendor's list (its sample general/order/introduction_4.md)."""
CUSTOMER_EXPANSIONS = frozenset(
    {
        "attachments", "billing", "cards", "cc_emails", "loyalty", "orders_summary", "pricing_tiers",
        "privacy", "properties", "quotes_summary", "reviewer", "shipping", "software_entitlements", "tags",
        "tax_codes",
    }
)  # fmt: skip
ITEM_EXPANSIONS = frozenset({"pricing", "kit_definition", "payment_processing", "options", "identifiers"})


@dataclass(frozen=True, slots=True)
class Money:
    """An amount of the store's base currency, in cents."""

    cents: int

    @classmethod
    def read(cls, given: dict[str, Any]) -> Money:
        """Read money as a call's body gives it."""
        return cls(round(Decimal(str(given["value"])) * 100))


def show_order(order: dict[str, Any], expand: frozenset[str]) -> dict[str, Any]:
    """Give the parts of an order that are asked for; `items` is no expansion, and ignored (recorded call)."""
    named = expand - set(ORDER_PART_OF_EXPANSION.values())
    parts = {ORDER_PART_OF_EXPANSION.get(name, name) for name in named}
    shown = {key: value for key, value in order.items() if key in ORDER_CORE or key in parts}
    if "payment" in shown and "payment.transaction" not in expand:
        shown["payment"] = {key: value for key, value in shown["payment"].items() if key != "transactions"}
    return shown


def show_customer(customer: dict[str, Any], expand: frozenset[str]) -> dict[str, Any]:
    """Give the parts of a customer that are asked for."""
    return {key: value for key, value in customer.items() if key not in CUSTOMER_EXPANSIONS - expand}


def show_item(item: dict[str, Any], expand: frozenset[str]) -> dict[str, Any]:
    """Give the parts of an item that are asked for."""
    return {key: value for key, value in item.items() if key not in ITEM_EXPANSIONS - expand}


def encode(value: Any) -> bytes:
    """Write an answer's JSON."""
    return msgspec.json.encode(plain(value))


def plain(value: Any) -> Any:
    """Turn state into JSON values; keys without value are left out, as UltraCart does."""
    match value:
        case dict():
            return {key: plain(inner) for key, inner in value.items() if inner is not None}
        case list() | tuple():
            return [plain(inner) for inner in value]
        case Money():
            return show_money(value)
        case datetime():
            return show_time(value)
        case _:
            return value


def show_money(money: Money) -> dict[str, Any]:
    """Write money as UltraCart does: whole amounts as whole numbers."""
    amount = major(money.cents)
    text = f"{abs(money.cents) / 100:,.2f}"
    sign = "-" if money.cents < 0 else ""
    return {"value": amount, "localized": amount, "localized_formatted": f"{sign}${text}"}


def major(cents: int) -> int | float:
    """Turn cents into the number that stands in the JSON; two digits survive a float's shortest text."""
    return cents // 100 if cents % 100 == 0 else cents / 100


def show_time(time: datetime) -> str:
    """Write a time as UltraCart does: US Eastern with offset, whole seconds."""
    return time.astimezone(ZoneInfo("America/New_York")).isoformat(timespec="seconds")
