"""Take secrets, card numbers and card codes out of anything before it is stored, logged or shown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any

MASK = "[redacted]"
CARD_MASK = "[card number]"

SECRET_KEY = re.compile(
    r"""(
    passw(or)?d | secret | simple[_-]?key | api[_-]?key | authori[sz]ation$ | ^token$ | _token$ | ^jwt$
    | cvv | cvc | csc$ | card_?verification | card_?number | ^pan$ | track_?data
    | bank_account_number | bank_aba | drivers_license | customer_tax_id | ^ssn$ | iam_
    )""",
    re.IGNORECASE | re.VERBOSE,
)
NUMBER_IS_NO_CARD = re.compile(r"(tracking|order_id|_oid$|^id$|transaction_id|phone|barcode|digest)", re.I)
"""Keys whose long numbers are what they say, even if they happen to pass the card checksum."""

SHORTEST_CARD = 13
"""Digits of the shortest card number."""

PLAIN = frozenset({type(None), bool, float, Decimal})
"""Values that are let through under a name that holds no secret."""
MANY_NAMES = 200
"""Objects with more are not like any other: it would be a waste to remember them."""

# Not after "DEMO-": UltraCart's order ids are <merchant>-<date>-<digits>.
CARD_NUMBER = re.compile(r"(?<![\dA-Za-z.])(?<![A-Za-z]-)[2-6]\d(?:[ -]?\d){11,17}(?![\dA-Za-z])")


def redact(value: Any, key: str = "") -> Any:
    """Return a copy of a JSON value without secrets; `key` is the name it stands under.

    Every event passes here before it is answered for. Most of it is short words, amounts and nothing, under
    names that hold no secret and are always the same: those are let through without a call for each.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, dict):
        if len(value) > MANY_NAMES or _name_a_secret(tuple(value)):
            return {name: redact(inner, str(name)) for name, inner in value.items()}
        return {
            name: inner
            if (kind := type(inner)) in PLAIN
            or (kind is str and len(inner) < SHORTEST_CARD)
            or (kind is int and 0 <= inner < 10 ** (SHORTEST_CARD - 1))
            else redact(inner, str(name))
            for name, inner in value.items()
        }
    if isinstance(value, list | tuple):
        return [redact(inner, key) for inner in value]
    if _is_secret(key):
        return MASK if value != "" else value
    if isinstance(value, str):
        return value if len(value) < SHORTEST_CARD or _holds_no_card(key) else redact_text(value)
    if isinstance(value, int) and not _holds_no_card(key) and _is_card_number(str(value)):
        return CARD_MASK
    return value


@lru_cache(maxsize=2_000)
def _name_a_secret(names: tuple[Any, ...]) -> bool:
    return any(_is_secret(str(name)) for name in names)


@lru_cache(maxsize=2_000)
def _is_secret(key: str) -> bool:
    return SECRET_KEY.search(key) is not None


@lru_cache(maxsize=2_000)
def _holds_no_card(key: str) -> bool:
    return NUMBER_IS_NO_CARD.search(key) is not None


def redact_text(text: str) -> str:
    """Mask whatever in a text has the form and the checksum of a card number."""
    return CARD_NUMBER.sub(lambda found: CARD_MASK if _is_card_number(found[0]) else found[0], text)


def redact_fields(fields: Mapping[str, str | None]) -> dict[str, str | None]:
    """Mask card numbers in what people typed as name, address or line, before it becomes a record.

    A `phone` in international form is a phone number, whatever its checksum.
    """
    return {
        name: text
        if text is None or len(text) < SHORTEST_CARD or (name == "phone" and text.startswith("+"))
        else redact_text(text)
        for name, text in fields.items()
    }


def holds_card_number(text: str) -> bool:
    """Tell whether a text holds a card number."""
    return any(_is_card_number(found[0]) for found in CARD_NUMBER.finditer(text))


def _is_card_number(text: str) -> bool:
    if len(text) < SHORTEST_CARD:
        return False
    digits = [int(character) for character in text if character.isdigit()]
    if not SHORTEST_CARD <= len(digits) <= 19 or digits[0] not in (2, 3, 4, 5, 6):
        return False
    doubled = [digit * 2 - 9 if digit > 4 else digit * 2 for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0
