"""The vendor's own model of an import, as a judge of our bodies."""

from __future__ import annotations

from typing import Any

import msgspec
import ultracart
from ultracart.model_utils import validate_and_convert_types
from ultracart.models import ChannelPartnerOrder, ChannelPartnerOrderItem

_numbers = msgspec.json.Encoder(decimal_format="number")
_strict = ultracart.Configuration(discard_unknown_keys=False)


def check_by_vendor(body: dict[str, Any]) -> Any:
    """Give the body as the vendor's model; it raises on a type, a word or a length that it does not take.

    What it does not know it would keep silently, so names are compared here.
    """
    sent = msgspec.json.decode(_numbers.encode(body))
    assert set(sent) <= set(ChannelPartnerOrder.openapi_types)
    assert all(set(item) <= set(ChannelPartnerOrderItem.openapi_types) for item in sent["items"])
    return validate_and_convert_types(sent, (ChannelPartnerOrder,), ["body"], True, True, _strict)
