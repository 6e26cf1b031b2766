"""What to do about each thing that UltraCart's import says, and whether it says that it has the order.

UltraCart publishes no list of its import errors. What is known stands in `ADVICE` with its source:

- sample: `php/channel_partner/importChannelPartnerOrderArbitraryPricingTier.php` of UltraCart/sdk_samples,
  which quotes the import;
- checkout: what UltraCart's checkout says of the same fields (issues 43 and 76 of
  UltraCart/responsive_checkout); the import builds a cart, so it may say the same: assumed;
- guide: the case is in the vendor's documents (its SOAP guide, page 1376837; the SDK's model
  ChannelPartnerOrder), its words are not: the example is ours;
- stand-in: the words of our sandbox, for a case that nobody published.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

RETRY = "Then start push-orders with this order's id and 'Retry rejected'."
GENERAL = "Correct the order in Thiio by UltraCart's words."
TWICE = "Look for the order in UltraCart: another carries the same partner order ID."

Source = Literal["sample", "checkout", "guide", "stand-in"]


@dataclass(frozen=True, slots=True)
class Advice:
    """The words that a case is told by, what is to be done, and examples with where they come from."""

    pattern: str
    remedy: str
    examples: dict[str, Source] = field(default_factory=dict)


ADVICE: tuple[Advice, ...] = (
    Advice(
        r"coupon",
        "Remove or correct the coupon.",
        {"Coupon SPRING has been used already.": "guide"},
    ),
    Advice(
        r"already|duplicate",
        TWICE,
        {"channel_partner_order_id THIIO-17 has been imported already.": "stand-in"},
    ),
    Advice(
        r"query cart|theme",
        "Set ULTRATHIIO_PUSH__THEME_CODE to the theme code of the StoreFront that the orders belong to.",
        {"Unable to query cart": "sample"},
    ),
    Advice(
        r"pricing tier",
        "Compare the name of the pricing tier with those of UltraCart.",
        {"Unknown pricing tier [Wholesale] specified.": "sample"},
    ),
    Advice(
        r"pre-?order",
        "The item is sold on pre-order: change that at the item in UltraCart, or enter the order by hand.",
        {"Item BONE is a pre-order item.": "guide"},
    ),
    Advice(
        r"declin",
        "The payment was declined: take another one in Thiio, or leave the order there as not paid.",
        {"The payment was declined.": "guide"},
    ),
    Advice(
        r"creation_dts",
        "Only an order that is stored as completed may carry its date: report it, push-orders sends none.",
        {"creation_dts is allowed with store_completed only.": "stand-in"},
    ),
    Advice(
        r"quantity",
        "Correct the quantity in Thiio, or the item's stock in UltraCart.",
        {"Item BONE: quantity must be a number above 0.": "stand-in"},
    ),
    Advice(
        r"item(\b|_id\b).*(unknown|invalid|not found|not exist|inactive)",
        "Compare the item ID in the metadata of the product in Thiio with UltraCart's item list.",
        {"Item NOPE is unknown.": "stand-in"},
    ),
    Advice(
        r"\bitems\b.*required|no items",
        "The order has no line that can be sold: add it in Thiio.",
        {"items is required.": "stand-in"},
    ),
    Advice(
        r"gateway",
        "Compare the code in Thiio's gateway settings with UltraCart's rotating gateways.",
        {"rotating_transaction_gateway_code BT is unknown.": "stand-in"},
    ),
    Advice(
        r"shipping.*method|method.*shipping",
        "Choose a shipping method that UltraCart offers there.",
        {"Shipping method UPS: Ground is invalid.": "guide"},
    ),
    Advice(
        r"card|payment|transaction|token",
        "Check payment method and transaction ID of the order in Thiio.",
        {
            "Payment method not specified.": "sample",
            "Please specify your credit card number.": "checkout",
            "payment_method is required.": "stand-in",
            "payment_method Cash is not supported.": "stand-in",
            "A credit card order needs a hosted fields token, a prior order or a transaction.": "stand-in",
        },
    ),
    Advice(
        r"longer than|too long|exceed",
        "Shorten the field in Thiio.",
        {"shipto_city is longer than 32 characters.": "stand-in"},
    ),
    Advice(
        r"address|city|state|postal|zip|country|phone|email|(first|last).name",
        "Correct the address in Thiio.",
        {
            "Please specify your billing first name.": "checkout",
            "Please specify your billing last name.": "checkout",
            "Please specify your billing address.": "checkout",
            "Please specify your billing city.": "checkout",
            "Please specify your billing state.": "checkout",
            "Please specify your billing zip code.": "checkout",
            "Please specify your billing country.": "checkout",
            "Please specify your email.": "checkout",
            "email is required.": "stand-in",
        },
    ),
    Advice(
        r"\btax|_tax\b",
        "Check the tax of the order in Thiio.",
        {"arbitrary_tax must be a number.": "stand-in"},
    ),
    Advice(
        r"not a number|be a number|amount",
        "Correct the amount in Thiio.",
        {"An arbitrary amount is not a number.": "stand-in"},
    ),
    Advice(
        r"required|missing|must be|not supported|is not an? |no offset|not of our time",
        "Fill in or correct the field in Thiio that UltraCart names.",
        {"channel_partner_order_id is required.": "stand-in"},
    ),
)
"""The first that fits counts."""

_SENTENCE_END = re.compile(r"(?<=[.;!])\s+|\n+")


def remedy_for(words: str) -> str:
    """Give the next step for a refusal of UltraCart; of several sentences each one's, once."""
    said = dict.fromkeys(advice.remedy for advice in _advice_on(words))
    return f"{' '.join(said) or GENERAL} {RETRY}"


def says_twice(words: str) -> bool:
    """Tell whether UltraCart refuses an order because it has one of this partner order id.

    How it says so is not published, nor whether it refuses at all: assumed. A wrong yes costs look-ups only.
    """
    return any(advice.remedy == TWICE for advice in _advice_on(words))


def _advice_on(words: str) -> list[Advice]:
    found = [_advice(sentence) for sentence in _SENTENCE_END.split(words)]
    return [advice for advice in found if advice is not None]


def _advice(sentence: str) -> Advice | None:
    return next((each for each in ADVICE if re.search(each.pattern, sentence, re.IGNORECASE)), None)
