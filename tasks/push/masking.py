"""A body for many eyes: what is sold, at which price and how it is paid stay exact, the person does not.

Prefect keeps its artifacts in a database of its own, whose readers and retention are not ours.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

MASK = "•••"
EXACT = frozenset(
    {
        "channel_partner_order_id", "payment_method", "rotating_transaction_gateway_code", "shipping_method",
        "billto_country_code", "shipto_country_code", "items", "transaction", "coupons",
        "creation_dts", "ship_on_date", "delivery_date", "storefront_host_name", "screen_branding_theme_code",
    }
)  # fmt: skip
"""Fields whose text is shown. Any other text is masked: a field that is new here cannot tell a name."""

_exact = msgspec.json.Decoder(float_hook=Decimal)
_numbers = msgspec.json.Encoder(decimal_format="number")


def mask_body(body: str) -> str:
    """Give the JSON of an import's body with every field, amounts exact, and the person's texts masked."""
    fields: dict[str, Any] = _exact.decode(body)
    masked = {name: value if name in EXACT else _mask(value) for name, value in fields.items()}
    return msgspec.json.format(_numbers.encode(masked), indent=2).decode()


def _mask(value: Any) -> Any:
    if isinstance(value, str):
        return MASK if value else value
    if isinstance(value, list):
        return [_mask(each) for each in value]
    if isinstance(value, dict):
        return {name: _mask(each) for name, each in value.items()}
    return value
