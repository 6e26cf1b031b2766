"""How the report says things."""

from __future__ import annotations

import pytest

from tasks.reconcile.mismatch import MismatchKind
from tasks.reconcile.report_words import describe, show_share, show_sums

WORDS = [
    (("order", MismatchKind.MISSING_IN_THIIO, ""), "Order missing in Thiio"),
    (("customer", MismatchKind.MISSING_IN_ULTRACART, ""), "Customer missing in UltraCart"),
    (("customer", MismatchKind.DUPLICATE, ""), "Customer with several candidates"),
    (("order", MismatchKind.UNLINKED, ""), "Order whose UltraCart ID Thiio does not name"),
    (("order", MismatchKind.FIELD_DIFFERS, "total_cents"), "Order with different total"),
    (("customer", MismatchKind.FIELD_DIFFERS, "email_key"), "Customer with different e-mail"),
    (("order", MismatchKind.FIELD_DIFFERS, "is_test"), "Order marked as test order on one side only"),
]


@pytest.mark.parametrize(("mismatch", "words"), WORDS)
def test_what_differs_is_said_in_words(mismatch: tuple[str, str, str], words: str) -> None:
    """Entity, kind and field make a phrase."""
    assert describe(*mismatch) == words


@pytest.mark.parametrize(
    ("part", "whole", "share"),
    [(0, 0, "–"), (0, 5, "0.0 %"), (2, 3, "66.6 %"), (99_999, 100_000, "99.9 %"), (5, 5, "100.0 %")],
)
def test_only_all_is_a_hundred_per_cent(part: int, whole: int, share: str) -> None:
    """A share is rounded down."""
    assert show_share(part, whole) == share


def test_sums_are_written_by_currency() -> None:
    """In order of the currencies' codes, with separated thousands and the currency's own digits."""
    assert show_sums({"USD": 123456789, "JPY": 1200}) == "1,200 JPY, 1,234,567.89 USD"
