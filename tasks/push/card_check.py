"""Card data in a phone order: it is held, and neither the number nor the code gets any further."""

from __future__ import annotations

from collections.abc import Iterator

from tasks.notifications.card_data import holds_card_data
from tasks.push import limits
from tasks.push.mapping import AGAIN
from tasks.push.problem import Problem
from tasks.records.identity import phone_key
from tasks.records.models import PhoneOrder

TYPED = ("email", "payment_method", "shipping_method", "stage")
"""Texts of an order beside its addresses."""


def find_card_data(phone: PhoneOrder) -> Iterator[Problem]:
    """Find card numbers and card codes in every text that an agent may have typed; the field is named."""
    places = [place for place, text in _texts(phone) if holds_card_data(text)]
    if places:
        yield Problem(
            f"Card data (number or security code) stands in: {', '.join(dict.fromkeys(places))}.",
            f"Delete it from the order in Thiio: it must not be there. {AGAIN}",
        )


def _texts(phone: PhoneOrder) -> Iterator[tuple[str, str]]:
    """Give every text of an order under the name of its place."""
    order = phone.order
    yield "the note", phone.note or ""
    # A value may be a code by its name only.
    yield from (("the transaction", f"{name}: {value}") for name, value in phone.transaction.items())
    for kind, address in (("billing", phone.billing), ("shipping", phone.shipping)):
        for name, (_, _, label) in limits.ADDRESS_FIELDS.items():
            text = getattr(address, name) or ""
            if name != "phone" or not _is_phone(text):
                yield f"the {kind} {label}", text
    yield from ((f"the {name.replace('_', ' ')}", getattr(order, name) or "") for name in TYPED)
    for line in phone.lines:
        yield from ((f"line {line.position}", text or "") for text in (line.description, line.options))


def _is_phone(text: str) -> bool:
    """Tell a phone number with + and country code: every tenth long one has a card number's checksum."""
    return text.startswith("+") and (phone_key(text) or "").startswith("+")
