"""Thiio's status words and ours."""

from __future__ import annotations

from collections.abc import Mapping

from tasks.records.models import OrderStatus

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


def read_status(word: str | None, words: Mapping[str, OrderStatus]) -> OrderStatus | None:
    """Translate Thiio's word, in any case; a word that is not listed is `unknown`."""
    if word is None:
        return None
    return words.get(word.strip().casefold(), OrderStatus.UNKNOWN)


def word_for(status: OrderStatus, words: Mapping[str, OrderStatus], current: str | None = None) -> str:
    """Give the word to write for a status: `current` if it says the same already, else the first listed."""
    if current is not None and read_status(current, words) is status:
        return current
    return next((word for word, meaning in words.items() if meaning is status), OrderStatus.UNKNOWN.value)
