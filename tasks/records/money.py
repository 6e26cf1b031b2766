"""Money as integer minor units ("cents") of a currency; Decimal in between, never float."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from tasks.errors import InvalidRecord

MINOR_DIGITS = {
    # ISO 4217 exponents that are not 2.
    "BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "ISK": 0, "JPY": 0, "KMF": 0, "KRW": 0, "PYG": 0, "RWF": 0,
    "UGX": 0, "UYI": 0, "VND": 0, "VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0,
    "BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3,
}  # fmt: skip


def to_cents(amount: Decimal | int | str | None, currency: str | None = "USD") -> int | None:
    """Turn an amount in major units into minor units, half a cent rounded up; None stays None.

    Raises `InvalidRecord` for text that is no number, and TypeError for a float.
    """
    if amount is None:
        return None
    if isinstance(amount, float):
        raise TypeError("money must not pass through a float")
    try:
        major = Decimal(amount)
        scaled = major.scaleb(MINOR_DIGITS.get(currency or "USD", 2))
        return int(scaled.quantize(Decimal(1), rounding=ROUND_HALF_UP))
    except (ArithmeticError, ValueError) as error:
        raise InvalidRecord(f"{amount!r} is not an amount of money. Correct it at its source.") from error


def to_major(cents: int, currency: str | None = "USD") -> Decimal:
    """Turn minor units into an amount in major units with its currency's digits: 1863 → 18.63."""
    return Decimal(cents).scaleb(-MINOR_DIGITS.get(currency or "USD", 2))


def show_money(cents: int | None, currency: str | None = "USD") -> str:
    """Print money for people: 1863, USD → "18.63 USD"; None → "–"."""
    return "–" if cents is None else f"{to_major(cents, currency)} {currency or 'USD'}"
