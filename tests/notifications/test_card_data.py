"""What counts as card data: every spelling of a number, a code beside its name, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.notifications.card_data import CODE_MASK, NUMBER_MASK, holds_card_data, mask_card_data
from tasks.notifications.log import as_text
from tests.notifications.card_numbers import card_numbers, digits_of, luhn_sum, spellings

N, C = NUMBER_MASK, CODE_MASK


@settings(deadline=None)  # the machine may be busy
@given(data=st.data(), number=card_numbers())
def test_a_card_number_is_found_however_it_is_written(data: Any, number: str) -> None:
    """In groups of any size, over lines, with letters for zeros, among other words; the mask hides it."""
    text = data.draw(spellings(number))

    assert holds_card_data(text)
    assert number not in digits_of(mask_card_data(text))
    assert number not in digits_of(as_text({"note": text}) or "")


@settings(deadline=None)  # the machine may be busy
@given(digits=st.text("0123456789", min_size=16, max_size=16), between=st.sampled_from(["", " ", "-"]))
def test_sixteen_digits_without_the_checksum_are_no_card(digits: str, between: str) -> None:
    """They stay as they are."""
    if luhn_sum(digits) % 10 == 0:
        digits = digits[:-1] + str((int(digits[-1]) + 1) % 10)
    text = f"number {between.join(digits[at : at + 4] for at in range(0, 16, 4))} of today"

    assert not holds_card_data(text)
    assert mask_card_data(text) == text


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        # Numbers.
        ("4111111111111111", N),
        ("4111 1111 1111 1111", N),
        ("4111-1111-1111-1111.", f"{N}."),
        ("4111.1111.1111.1111", N),
        ("4111 1111 1111\n1111", N),
        ("41111111\n11111111", N),
        (r'{"note": "41111111\r\n11111111"}', f'{{"note": "{N}"}}'),
        (r"'paid with\n4111 1111 1111 1111'", rf"'paid with\n{N}'"),
        ("Amex 3782 822463 10005 exp 12/27", f"Amex {N} exp 12/27"),
        ("4OOO OOOO OOOO OOO2", N),
        ("pay4000000000000002", "pay4000000000000002"),
        ("card4000000000000002", f"card{N}"),
        ("4111 1111 1111 1111 12/27 123", f"{N} 12/27 123"),
        ("4111111111111111 or 5500000000000004", f"{N} or {N}"),
        ("1227 4111 1111 1111 1111", f"1227 {N}"),
        ("+4111111111111111", f"+{N}"),
        # Codes.
        ("cvv 123", f"cvv {C}"),
        ("CVV2: 1234", f"CVV2: {C}"),
        ("cvc: 1234", f"cvc: {C}"),
        ("cvc is 123", f"cvc is {C}"),
        ("cvv123", f"cvv{C}"),
        ("cvv code #123", f"cvv code #{C}"),
        ("CVV (123)", f"CVV ({C})"),
        ("cvv 1 2 3", f"cvv {C}"),
        ("cvv 1O3", f"cvv {C}"),
        ("security code 123", f"security code {C}"),
        ("Security Code: 1234,", f"Security Code: {C},"),
        ("CID 1234", f"CID {C}"),
        ("csc 999", f"csc {C}"),
        ("card verification number 123", f"card verification number {C}"),
        ('{"cvv":"123"', f'{{"cvv":"{C}"'),
        ("4111111111111111 cvv 123", f"{N} cvv {C}"),
        ("card code and cvv\n123", f"card code and cvv\n{C}"),
    ],
)
def test_card_data_is_masked(text: str, masked: str) -> None:
    """What is around it stays."""
    assert (holds_card_data(text), mask_card_data(text)) == (text != masked, masked)


@pytest.mark.parametrize(
    "text",
    [
        "CVS pharmacy",
        "CVS pharmacy 123",
        "cv 12 street",
        "12 Security Blvd",
        "gate security code 1234, ring twice",
        "the door security code is 1234",
        "CVV Code: M",
        "cvv matched, order 12345",
        "cvv 12",
        "cvv 12345",
        "cid=1234",
        "https://example.com/?cid=1234&utm=5",
        "CSC101 course",
        "csc 123.45 USD",
        "acid 123",
        "Order 1234 5678 9012 3456",
        "DEMO-4111111111111111",
        "ch_3MmlLrLkdIwHu7ix 4242",
        "call +49 1512 3456704",
        "call 415-555-0132 or (415) 555-0199",
        "+1 415 555 0132, zip 94107-1234",
        "1Z999AA10123456784",
        "USPS 9400 1000 0000 0000 0000 00",
        "USPS 9205590164917312751089",
        "FedEx 961102098765431234567",
        "EIN 12-3456789",
        "SSN-like 123-45-6789",
        "from 2026-11-25 12:00 to 2026-11-26 13:30",
        "2026-11-25 2026-11-26 2026-11-27",
        "0.4111111111111111",
        "550e8400-e29b-41d4-a716-446655440000",
        "IBAN DE89 3704 0044 0532 0130 00",
    ],
)
def test_ordinary_text_stays(text: str) -> None:
    """A shop, a street, a gate, ids, telephones, parcels, tax numbers, dates and sums are no card data."""
    assert (holds_card_data(text), mask_card_data(text)) == (False, text)
