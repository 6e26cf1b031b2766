"""Normal forms of what names a person or a place: e-mail, phone, country, state, text.

Normal forms are for comparing. Where a value cannot be normalised it is kept, trimmed, so that nothing is
lost and a difference still shows.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

import phonenumbers
import pycountry
from email_validator import EmailNotValidError, validate_email


@lru_cache(maxsize=50_000)  # a shop's customers come back, and its cities and items are few
def normal_text(text: str | None) -> str | None:
    """Trim, collapse white space, compose Unicode; empty text is None."""
    if text is None:
        return None
    return " ".join(unicodedata.normalize("NFC", text).split()) or None


def email_key(email: str | None) -> str | None:
    """Give the form by which two e-mail addresses count as the same: NFC, trimmed, case-folded.

    The vendor goes by e-mail rather than by id in most customer logic. Dots and +tags stay: they are a
    mail provider's matter, and folding them would join people who are not the same.
    """
    text = normal_text(email)
    return text.casefold() if text else None


def is_email(email: str) -> bool:
    """Tell whether an address is well formed; no name server is asked."""
    try:
        validate_email(email.strip(), check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        return False
    return True


@lru_cache(maxsize=50_000)
def phone_key(phone: str | None, region: str = "US") -> str | None:
    """Give a phone number as E.164 (`+12093839870`); a number that is not valid stays as its digits.

    Only a valid number begins with +.
    """
    text = normal_text(phone)
    if text is None:
        return None
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return text.lstrip("+ ") or None
    if not phonenumbers.is_valid_number(number):
        return "".join(character for character in text if character.isdigit()) or text
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


@lru_cache(maxsize=1_000)
def country_code(country: str | None) -> str | None:
    """Give the two-letter code of a country written as name, two- or three-letter code; else the text."""
    text = normal_text(country)
    if text is None:
        return None
    found = pycountry.countries.get(alpha_2=text.upper()) or pycountry.countries.get(alpha_3=text.upper())
    if found is None:
        try:
            found = pycountry.countries.lookup(text)
        except LookupError:
            return {"UK": "GB", "XK": "XK", "KOSOVO": "XK"}.get(text.upper(), text)
    return str(found.alpha_2)


@lru_cache(maxsize=5_000)
def state_code(state: str | None, country: str | None) -> str | None:
    """Give the short code of a state or province (`California`, `US` → `CA`); else the text."""
    text = normal_text(state)
    if text is None or not country:
        return text
    subdivisions = pycountry.subdivisions.get(country_code=country) or []  # type: ignore[no-untyped-call]  # untyped in pycountry
    for subdivision in subdivisions:
        short = str(subdivision.code).split("-", 1)[1]
        if text.casefold() in (short.casefold(), str(subdivision.name).casefold()):
            return short
    return text
