"""Money stays exact, and people and places have one normal form."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.errors import InvalidRecord
from tasks.records.identity import country_code, email_key, is_email, phone_key, state_code
from tasks.records.money import show_money, to_cents, to_major


@pytest.mark.parametrize(
    ("amount", "currency", "cents"),
    [
        (Decimal("18.63"), "USD", 1863),
        (Decimal("18.630000000000003"), "USD", 1863),
        ("0.005", "USD", 1),
        (20, "USD", 2000),
        (Decimal(500), "JPY", 500),
        (Decimal("1.234"), "KWD", 1234),
        (Decimal("-3.10"), None, -310),
        (None, "USD", None),
    ],
)
def test_an_amount_becomes_minor_units(amount: Decimal | int | str | None, currency: str, cents: int) -> None:
    """Digits follow the currency; half a cent rounds up; nothing stays nothing."""
    assert to_cents(amount, currency) == cents


@given(st.integers(-(10**12), 10**12), st.sampled_from(["USD", "JPY", "KWD"]))
def test_money_survives_the_way_there_and_back(cents: int, currency: str) -> None:
    """No cent is lost or won."""
    assert to_cents(to_major(cents, currency), currency) == cents


def test_money_refuses_what_is_no_amount() -> None:
    """A float is a programming error, a word an invalid record."""
    with pytest.raises(TypeError):
        to_cents(0.1)  # type: ignore[arg-type]
    with pytest.raises(InvalidRecord, match="'ten' is not an amount"):
        to_cents("ten")
    assert show_money(1863, "USD") == "18.63 USD"


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("209-383-9870", "+12093839870"),
        ("(209) 383 9870", "+12093839870"),
        ("+44 20 7946 0958", "+442079460958"),
        ("383-9870", "3839870"),
        ("+999 383 9870", "999 383 9870"),
        ("ask Bob", "ask Bob"),
        ("", None),
    ],
)
def test_a_phone_number_has_one_form(written: str, normal: str | None) -> None:
    """Valid numbers become E.164; others keep what they say, without the + of a valid one."""
    assert phone_key(written, "US") == normal


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("US", "US"),
        ("usa", "US"),
        ("United Kingdom", "GB"),
        ("UK", "GB"),
        ("Atlantis", "Atlantis"),
        (" ", None),
    ],
)
def test_a_country_has_one_code(written: str, code: str | None) -> None:
    """Names and codes become the two-letter code; the unknown stays as it is."""
    assert country_code(written) == code


def test_states_and_addresses_have_one_form() -> None:
    """California is CA; an e-mail address is compared without case and spaces."""
    assert [state_code("California", "US"), state_code("ca", "US"), state_code("Bavaria", "US")] == [
        "CA",
        "CA",
        "Bavaria",
    ]
    assert email_key("  Ada@Example.COM ") == "ada@example.com"
    assert [is_email("ada@example.com"), is_email("ada at example")] == [True, False]
