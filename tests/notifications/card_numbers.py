"""Made-up card numbers, and the ways in which people write them down."""

from __future__ import annotations

from hypothesis import strategies as st

SCHEMES = [
    ("4", 13), ("4", 16), ("4", 19), ("51", 16), ("55", 16), ("2221", 16), ("2720", 16), ("2204", 16),
    ("34", 15), ("37", 15), ("36", 14), ("30", 14), ("3528", 16), ("6011", 16), ("65", 16), ("62", 16),
    ("62", 19), ("50", 16), ("6759", 13),
]  # fmt: skip
"""Prefix and length of the schemes' numbers."""
BETWEEN = [" ", "-", ".", "  ", " - ", "\n", "\r\n", "–", "_"]
BEFORE = ["", "card ", "Visa: ", "no.", "exp 12/27 ", "cvv 123, ", "paid with\n", "cc#", "to "]
AFTER = ["", " 12/27", " exp 12/27", ", thanks", " 123", "\n", ".", " or"]


def luhn_sum(digits: str) -> int:
    """Add up digits as Luhn does; a card number's sum is a multiple of ten."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total


@st.composite
def card_numbers(draw: st.DrawFn) -> str:
    """The digits of a number that a scheme might give out."""
    prefix, length = draw(st.sampled_from(SCHEMES))
    middle = length - len(prefix) - 1
    begin = prefix + draw(st.text("0123456789", min_size=middle, max_size=middle))
    return begin + str(-luhn_sum(begin + "0") % 10)


@st.composite
def spellings(draw: st.DrawFn, digits: str) -> str:
    """A way to write digits down: in groups of any size, with O for some zeros, among other words."""
    cuts = draw(st.one_of(st.just({4, 8, 12, 16}), st.sets(st.integers(1, len(digits) - 1), max_size=6)))
    parts = []
    for at, digit in enumerate(digits):
        if at in cuts:
            parts.append(draw(st.sampled_from(BETWEEN)))
        parts.append(draw(st.sampled_from("0Oo")) if digit == "0" else digit)
    return draw(st.sampled_from(BEFORE)) + "".join(parts) + draw(st.sampled_from(AFTER))


def digits_of(text: str) -> str:
    """Everything in a text that can be read as a digit, in one piece."""
    return "".join(letter for letter in text.translate(str.maketrans("Oo", "00")) if letter.isdigit())
