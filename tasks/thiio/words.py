"""The words that agents see in Thiio, and what they mean to us and to UltraCart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from tasks.records.identity import normal_text
from tasks.records.models import OrderStatus

Meaning = TypeVar("Meaning", OrderStatus, str)

DEFAULT_STATUS_WORDS: Mapping[str, OrderStatus] = {
    # Assumed: Thiio's own words are not public. The first word of a status is the one that is written.
    "pending": OrderStatus.UNPAID,
    "unpaid": OrderStatus.UNPAID,
    "on_hold": OrderStatus.ON_HOLD,
    "processing": OrderStatus.PROCESSING,
    "paid": OrderStatus.PROCESSING,
    "completed": OrderStatus.COMPLETED,
    "shipped": OrderStatus.COMPLETED,
    "refunded": OrderStatus.COMPLETED,  # at UltraCart too a refund leaves the stage as it was
    "cancelled": OrderStatus.REJECTED,
    "rejected": OrderStatus.REJECTED,
    "declined": OrderStatus.REJECTED,
    "quote": OrderStatus.QUOTE,
    "unknown": OrderStatus.UNKNOWN,
}


@dataclass(frozen=True, slots=True)
class Words:
    """Thiio's words, case-folded; methods are UltraCart's names of ways to pay and to ship."""

    statuses: Mapping[str, OrderStatus] = field(default_factory=lambda: DEFAULT_STATUS_WORDS)
    payment_methods: Mapping[str, str] = field(default_factory=dict)
    shipping_methods: Mapping[str, str] = field(default_factory=dict)


def read_status(word: str | None, words: Mapping[str, OrderStatus]) -> OrderStatus | None:
    """Translate Thiio's word, in any case; a word that is not listed is `unknown`."""
    return None if word is None else words.get(word.strip().casefold(), OrderStatus.UNKNOWN)


def read_method(word: str | None, words: Mapping[str, str]) -> str | None:
    """Give UltraCart's name of a way to pay or to ship; a word that is not listed is that name itself."""
    text = normal_text(word)
    return None if text is None else words.get(text.casefold(), text)


def word_for(meaning: Meaning, words: Mapping[str, Meaning], current: str | None = None) -> str:
    """Give the word to write: `current` if it says the same already, else the first listed, else ours."""
    if current is not None and words.get(current.strip().casefold()) == meaning:
        return current
    return next((word for word, said in words.items() if said == meaning), str(meaning))
