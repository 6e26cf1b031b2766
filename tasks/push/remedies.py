"""What to do about each thing that UltraCart's import says.

UltraCart publishes none of its import errors; the words here are looked for in whatever it says, and what
none of them fits gets the general advice.
"""

from __future__ import annotations

import re

RETRY = "Then start push-orders with this order's id and 'Retry rejected'."

ADVICE: tuple[tuple[str, str], ...] = (
    (r"already|duplicate", "Look for the order in UltraCart: another carries the same partner order ID."),
    (
        r"item(\b|_id\b).*(unknown|invalid|not found|not exist|inactive)",
        "Compare the item ID in the metadata of the product in Thiio with UltraCart's item list.",
    ),
    (r"quantity", "Correct the quantity in Thiio, or the item's stock in UltraCart."),
    (r"gateway", "Compare the code in Thiio's gateway settings with UltraCart's rotating gateways."),
    (r"shipping.*method|method.*shipping", "Choose a shipping method that UltraCart offers there."),
    (r"card|payment|transaction|token", "Check payment method and transaction ID of the order in Thiio."),
    (r"longer than|too long|exceed", "Shorten the field in Thiio."),
    (r"address|city|state|postal|zip|country|phone|email|name", "Correct the address in Thiio."),
    (r"coupon", "Remove or correct the coupon."),
    (r"tax", "Check the tax of the order in Thiio."),
)
"""Pattern and advice; the first that fits counts."""


def remedy_for(words: str) -> str:
    """Give the next step for a refusal of UltraCart."""
    for pattern, advice in ADVICE:
        if re.search(pattern, words, re.IGNORECASE):
            return f"{advice} {RETRY}"
    return f"Correct the order in Thiio by UltraCart's words. {RETRY}"
