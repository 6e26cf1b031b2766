"""Thiio's rows, by our column names, into records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tasks.notifications.redaction import redact_fields, redact_text
from tasks.records.identity import country_code, email_key, normal_text, phone_key, state_code
from tasks.records.item_rules import ItemKeys, ItemRule, choose_rule, read_options
from tasks.records.models import (
    ADDRESS,
    Address,
    Customer,
    Gateway,
    Order,
    OrderLine,
    PhoneLine,
    PhoneOrder,
    Product,
    Side,
)
from tasks.records.money import to_cents
from tasks.thiio.words import Words, read_method, read_status

Row = Mapping[str, Any]

AMOUNTS = ("subtotal", "discount", "shipping", "tax", "total", "refunded")
"""Amount columns; the record's field is the same name with `_cents`."""

PROOF_OF_CHARGE = {"transaction_id": "Transaction ID", "authorization_code": "Authorization Code"}
"""Columns of a charge → the names UltraCart's own import sample gives them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What is needed to read an order besides its own rows."""

    region: str
    words: Words
    item_keys: ItemKeys
    gateway_codes: Mapping[str, str | None] = field(default_factory=dict)  # by Thiio gateway id
    metadata: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # by Thiio product id

    def rule_of(self, line: Row) -> ItemRule | None:
        """Give the rule by which a line is an item; one without product is what UltraCart called it."""
        if line["product_id"] is None:
            return ItemRule(line["ultracart_item_id"]) if line["ultracart_item_id"] else None
        options = read_options(line["options"]) or ()
        rule = choose_rule(self.metadata.get(str(line["product_id"]), {}), options, self.item_keys)
        return rule if isinstance(rule, ItemRule) else None


def to_customer(row: Row, region: str) -> Customer:
    """Translate a row of `customers`."""
    return Customer(
        side=Side.THIIO,
        id=str(row["id"]),
        as_of=row["updated_at"],
        created_at=row["created_at"],
        email=normal_text(row["email"]),
        email_key=email_key(row["email"]),
        is_deleted=row["deleted_at"] is not None,
        **_compared_address(row, "", region),
    )


def to_order(row: Row, lines: Sequence[Row], names: Names) -> Order:
    """Translate a row of `orders` and its rows of `order_lines`."""
    currency = row["currency"]
    return Order(
        side=Side.THIIO,
        id=str(row["id"]),
        as_of=row["updated_at"],
        placed_at=row["placed_at"],
        status=read_status(row["status"], names.words.statuses),
        stage=row["status"],
        customer_id=_id_text(row["customer_id"]),
        email=normal_text(row["email"]),
        email_key=email_key(row["email"]),
        currency=currency,
        payment_method=read_method(row["payment_method"], names.words.payment_methods),
        payment_status=row["payment_status"],
        gateway_code=names.gateway_codes.get(str(row["gateway_id"])),
        is_test=row["is_test"],
        tracking_numbers=split_tracking(row["tracking_numbers"]),
        shipping_method=read_method(row["shipping_method"], names.words.shipping_methods),
        rejected_at=row["rejected_at"],
        refunded_at=row["refunded_at"],
        shipped_at=row["shipped_at"],
        original_order_id=row["original_order_id"],
        other_side_id=row["external_order_id"],
        is_deleted=row["deleted_at"] is not None,
        lines=tuple(to_line(line, currency, names.rule_of(line)) for line in lines),
        **_amounts(row),
        **_compared_address(row, "billing_", names.region),
    )


def to_line(row: Row, currency: str | None, rule: ItemRule | None) -> OrderLine:
    """Translate a row of `order_lines` into UltraCart's terms, by the rule of its product."""
    described = [text for text in (row["description"], row["options"]) if text]
    pieces = (rule.pieces if rule else None) or 1
    price = row["unit_price"]
    return OrderLine(
        position=row["position"],
        quantity=row["quantity"] * pieces,
        item_id=rule.item_id if rule else None,
        product_id=_id_text(row["product_id"]),
        description=redact_text(" · ".join(described)) or None,
        unit_price_cents=None if price is None else to_cents(price / pieces, currency),
        total_cents=to_cents(row["total"], currency),
        is_component=bool(row["is_component"]),
    )


def to_phone_order(row: Row, lines: Sequence[Row], order: Order, region: str) -> PhoneOrder:
    """Translate what the push needs besides the order itself."""
    return PhoneOrder(
        order=order,
        lines=tuple(_phone_line(line, row["currency"]) for line in lines),
        billing=_address(row, "billing_", region),
        shipping=_address(row, "shipping_", region),
        gateway_id=_id_text(row["gateway_id"]),
        paid_at=row["paid_at"],
        transaction={name: row[column] for column, name in PROOF_OF_CHARGE.items() if row[column]},
        note=row["note"],
    )


def to_product(row: Row, metadata: Mapping[str, str]) -> Product:
    """Translate a row of `products` and its metadata."""
    return Product(
        side=Side.THIIO,
        id=str(row["id"]),
        name=row["name"],
        is_active=row["is_active"] is not False,
        is_sold=row["is_sold"] is not False,
        metadata=dict(metadata),
    )


def to_gateway(row: Row) -> Gateway:
    """Translate a row of `gateways`; blanks around a pasted code are not part of it."""
    return Gateway(
        side=Side.THIIO,
        id=str(row["id"]),
        name=row["name"],
        gateway_code=normal_text(row["gateway_code"]),
        is_active=row["is_active"] is not False,
        payment_methods_store=row["payment_methods_store"],
    )


def split_tracking(text: str | None) -> tuple[str, ...] | None:
    """Split the tracking numbers of a row; empty text is none of them, None is not told."""
    if text is None:
        return None
    return tuple(number.strip() for number in text.split(",") if number.strip())


def join_tracking(numbers: Sequence[str] | None) -> str | None:
    """Join tracking numbers for a row; the counterpart of `split_tracking`."""
    return None if numbers is None else ",".join(numbers)


def _id_text(value: int | None) -> str | None:
    return None if value is None else str(value)


def _amounts(row: Row) -> dict[str, Any]:
    return {f"{name}_cents": to_cents(row[name], row["currency"]) for name in AMOUNTS}


def _phone_line(row: Row, currency: str | None) -> PhoneLine:
    return PhoneLine(
        position=row["position"],
        quantity=row["quantity"],
        product_id=_id_text(row["product_id"]),
        description=row["description"],
        options=row["options"],
        unit_price_cents=to_cents(row["unit_price"], currency),
        is_component=bool(row["is_component"]),
    )


def _compared_address(row: Row, prefix: str, region: str) -> dict[str, Any]:
    """Give the person and the place as both sides are compared; a card number that was typed is masked."""
    address = {name: normal_text(row[prefix + name]) for name in ADDRESS}
    return dict(redact_fields({**address, **_codes(row, prefix, region)}))


def _address(row: Row, prefix: str, region: str) -> Address:
    names = ("first_name", "last_name", "company", "line1", "line2", "city", "postal_code")
    return Address(**{name: normal_text(row[prefix + name]) for name in names}, **_codes(row, prefix, region))


def _codes(row: Row, prefix: str, region: str) -> dict[str, str | None]:
    """Give country and state as codes and the phone number with its country, where they can be told."""
    country = country_code(row[f"{prefix}country"])
    return {
        "phone": phone_key(row[f"{prefix}phone"], country if country and len(country) == 2 else region),
        "state": state_code(row[f"{prefix}state"], country),
        "country": country,
    }
