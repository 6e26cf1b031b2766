"""What UltraCart's channel partner import takes: lengths and words.

Source: the model ChannelPartnerOrder of the vendor's SDK 4.1.208 and its documents.
"""

from __future__ import annotations

from types import MappingProxyType

MAX_PARTNER_ORDER_ID = 30
"""The model says 50, but the import cuts it to 30 (the vendor's sample
importChannelPartnerOrderArbitraryPricingTier.php): a longer one would never be found again."""
MAX_EMAIL = 100
MAX_ITEM_ID = 20

ADDRESS_FIELDS = MappingProxyType(
    {
        # our name: (the import's name, longest text, name for people)
        "first_name": ("first_name", 30, "first name"),
        "last_name": ("last_name", 30, "last name"),
        "company": ("company", 50, "company"),
        "line1": ("address1", 50, "address line 1"),
        "line2": ("address2", 50, "address line 2"),
        "city": ("city", 32, "city"),
        "state": ("state_region", 32, "state"),
        "postal_code": ("postal_code", 20, "postal code"),
        "country": ("country_code", 2, "country"),
        "phone": ("day_phone", 25, "phone"),
    }
)
REQUIRED_ADDRESS = ("last_name", "line1", "city", "country")
"""UltraCart's call-centre checklist (its page 1376938) wants both addresses; without these none is one."""

CREDIT_CARD = "Credit Card"
PAYMENT_METHODS = frozenset(
    {
        "Affirm", "Amazon", "Check", "COD", CREDIT_CARD, "eCheck", "LoanHero", "Money Order", "PayPal",
        "Purchase Order", "Quote Request", "Wire Transfer", "PayPal Fastlane",
    }
)  # fmt: skip
