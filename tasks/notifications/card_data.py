"""Find card numbers and card codes in text, however they are spelt: one answer for all who ask.

Redaction masks what is found here, and the push holds an order that carries it. A card number counts if it
begins and ends like one of the card schemes' (ISO/IEC 7812: an issuer's prefix, a length, Luhn's checksum),
whether it is written in one piece, in groups with blanks, dashes or dots, over two lines, or with the letter
O for a zero. A card code (three or four digits) counts where its name stands before it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

NUMBER_MASK = "[card number]"
CODE_MASK = "[card code]"

SHORTEST_NUMBER = 13
LONGEST_NUMBER = 19
SHORTEST_CODE = 6
"""Characters of the shortest text that a card code is found in: cvv123."""

SCHEMES = re.compile(
    r"""
    4(?:\d{12}|\d{15}|\d{18})                                              # Visa
    | (?:5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}     # Mastercard
    | 220[0-4]\d{12,15}                                                    # Mir
    | 3[47]\d{13}                                                          # American Express
    | 3[0689]\d{12,17}                                                     # Diners Club
    | 35\d{14,17}                                                          # JCB
    | (?:50|5[6-8])\d{11,17}                                               # Maestro, Verve
    | 6\d{12,18}                                                           # Discover, UnionPay, Maestro
    """,
    re.VERBOSE,
)

_BETWEEN = r"(?:[\s.\-_·\u2010-\u2015\u200b]|\\[nrt])"
"""Also a line's end as it stands in JSON, or in a quoted value."""
_DIGIT = r"[\dOo]"
# A set of letters first, and what must not stand before it second: so the search can skip ahead.
RUN = re.compile(
    rf"{_DIGIT}(?<!{_DIGIT}{_DIGIT})(?=(?:{_BETWEEN}{{0,4}}{_DIGIT}){{12}})"
    rf"{_DIGIT}*+(?![A-Za-z])(?:{_BETWEEN}{{1,4}}{_DIGIT}++(?![A-Za-z]))*+"
)
"""Groups of digits that may be one number, thirteen digits or more in all."""
GROUP = re.compile(f"{_DIGIT}+")
LETTER_O = str.maketrans("Oo", "00")

WORD_BEFORE = re.compile(r"(?<![\\A-Za-z])[A-Za-z]+-?\Z")
LONGEST_WORD = 12
CARD_WORD = re.compile(
    r"(?:card|visa|amex|master|discover|debit|credit|number|cc|mc|no|nr|num|pan)-?\Z", re.I
)
DECIMALS = re.compile(r"\d\.\Z")

PHONE_DIGITS = 14
"""After a +, so many digits at most are a telephone number, if their checksum should fit by chance."""
POSTAL = re.compile(r"9\d{21}|7\d{19}")
"""Tracking numbers of USPS, which are printed in groups of four like a card's."""

CODE = re.compile(
    r"""
    [cCsS] (?<![A-Za-z][cCsS])
    (?i:
      (?: (?<=c) v[vcn]2? (?:[ _-]?(?:code|number|num|no|nr))?
        | (?<=c) (?:sc|id(?<![?&]cid)) (?:[ _-](?:code|number|num|no|nr))? (?=[\s:\#.])
        | (?<=c) ard[ _-](?:verification|validation|security|identification)
                 (?:[ _-](?:code|number|num|no|nr|value))? (?=\W)
        | (?<=s) ecurity[ _-](?:code|number) (?=\W)
                 (?<!(?:gate|door)\ssecurity.code) (?<!(?:alarm|entry)\ssecurity.code)
      )
      (?:\s+is)? [\s:=\#.\-_()"']{0,6}
      (?P<code> (?=o{0,3}\d) (?: [\do]{3,4} | [\do](?:[ -][\do]){2,3} ) )
      (?![\da-z]) (?!\.\d)
    )
    """,
    re.VERBOSE,
)


def holds_card_data(text: str) -> bool:
    """Tell whether a text holds a card number or a card code."""
    return next(_find_numbers(text), None) is not None or CODE.search(text) is not None


def mask_card_data(text: str) -> str:
    """Write a text with every card number and card code in it masked; the rest stays as it is."""
    masked, end = [], 0
    for start, stop in _find_numbers(text):
        masked += [text[end:start], NUMBER_MASK]
        end = stop
    return CODE.sub(_mask_code, "".join([*masked, text[end:]]) if masked else text)


def is_card_number(digits: str) -> bool:
    """Tell whether some digits, and nothing but digits, are a card number."""
    return SCHEMES.fullmatch(digits) is not None and _has_checksum(digits)


def _mask_code(found: re.Match[str]) -> str:
    return found[0][: found.start("code") - found.start()] + CODE_MASK


def _find_numbers(text: str) -> Iterator[tuple[int, int]]:
    """Give start and end of each card number, in order."""
    for run in RUN.finditer(text):
        groups = [(group.start(), group.end()) for group in GROUP.finditer(text, run.start(), run.end())]
        digits = [text[start:end].translate(LETTER_O) for start, end in groups]
        if POSTAL.fullmatch("".join(digits)):
            continue
        first = 0
        while first < len(groups):
            after = _end_of_number(digits, first)
            if after and not _is_other_number(text, groups[first][0], "".join(digits[first:after])):
                yield groups[first][0], groups[after - 1][1]
                first = after
            else:
                first += 1


def _end_of_number(digits: list[str], first: int) -> int | None:
    """Say before which group the longest card number ends that begins with a group; None if none does."""
    number, found = "", None
    for after, group in enumerate(digits[first:], start=first + 1):
        number += group
        if len(number) > LONGEST_NUMBER:
            break
        if len(number) >= SHORTEST_NUMBER and is_card_number(number):
            found = after
    return found


def _is_other_number(text: str, start: int, digits: str) -> bool:
    """Tell a telephone number by its +, decimals by their point, an id by the letters before it.

    UltraCart's order ids are <merchant>-<digits>.
    """
    at = max(0, start - LONGEST_WORD)
    if text.startswith("+", start - 1) and start:
        return len(digits) <= PHONE_DIGITS
    if DECIMALS.search(text, at, start):
        return text.startswith(digits, start)
    return bool(WORD_BEFORE.search(text, at, start)) and not CARD_WORD.search(text, at, start)


def _has_checksum(digits: str) -> bool:
    values = [int(digit) for digit in digits]
    doubled = [value * 2 - 9 if value > 4 else value * 2 for value in values[-2::-2]]
    return (sum(values[-1::-2]) + sum(doubled)) % 10 == 0
