"""Take secrets, card numbers and card codes out of anything before it is stored, logged or shown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any

from tasks.notifications.card_data import (
    CODE,
    NUMBER_MASK,
    SHORTEST_CODE,
    SHORTEST_NUMBER,
    is_card_number,
    mask_card_data,
)

MASK = "[redacted]"

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

PLAIN = frozenset({type(None), bool, float, Decimal})
"""Values that are let through under a name that holds no secret."""
LEAST_NUMBER = 10 ** (SHORTEST_NUMBER - 1)
"""The least integer that may be a card number."""
HAS_DIGIT = re.compile(r"\d")
MANY_NAMES = 200
"""Objects with more are not like any other: it would be a waste to remember them."""


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
            or (kind is str and _is_short_word(inner))
            or (kind is int and 0 <= inner < LEAST_NUMBER)
            else redact(inner, str(name))
            for name, inner in value.items()
        }
    if isinstance(value, list | tuple):
        return [redact(inner, key) for inner in value]
    if _is_secret(key):
        return MASK if value != "" else value
    if isinstance(value, str):
        return value if len(value) < SHORTEST_CODE or _holds_no_card(key) else redact_text(value)
    if isinstance(value, int) and not _holds_no_card(key) and is_card_number(str(value)):
        return NUMBER_MASK
    return value


def _is_short_word(text: str) -> bool:
    return (size := len(text)) < SHORTEST_CODE or (size < SHORTEST_NUMBER and CODE.search(text) is None)


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
    """Mask card numbers and card codes in a text."""
    return mask_card_data(text)


def redact_fields(fields: Mapping[str, str | None]) -> dict[str, str | None]:
    """Mask card data in what people typed as name, address or line, before it becomes a record.

    A `phone` in international form is a phone number, whatever its checksum.
    """
    return {
        name: text if text is None or (name == "phone" and text.startswith("+")) else _redact_field(text)
        for name, text in fields.items()
    }


@lru_cache(maxsize=50_000)  # a shop's customers come back, and its cities and streets are few
def _redact_field(text: str) -> str:
    return mask_card_data(text) if len(text) >= SHORTEST_CODE and HAS_DIGIT.search(text) else text
