"""Which UltraCart item a Thiio product is, as the product's metadata spells it out.

    ultracart_item_id                    SOCK       the product is this item
    ultracart_item_id [Size: L]          SOCK-L     … with this option it is that one
    ultracart_item_id [Size: L, Dye: Red]  SOCK-LR  … with both options it is another
    ultracart_quantity                   4          one of the product is four of the item
    ultracart_quantity [Size: L]         6          … with this option it is six

Of the rules that fit a line's options the one with the most options counts. Letter case and blanks don't.
Both keys are settings. Thiio lets a product carry any metadata; the form with brackets is ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

SEPARATOR = re.compile(r"[,;|\n]| · ")
NAME_MARK = re.compile("[:=]")
OPTION = re.compile(r"(?P<name>[^:=]*[^:=\s])\s*[:=]\s*(?P<value>\S.*)")
WHOLE_ABOVE_ZERO = re.compile(r"0*[1-9][0-9]{0,5}")

Options = tuple[tuple[str, str], ...]
"""Chosen options, as written: (("Size", "L"),)."""


@dataclass(frozen=True, slots=True)
class ItemKeys:
    """The metadata keys that hold the UltraCart item ID, and how many of it one of the product is."""

    item_id: str = "ultracart_item_id"
    quantity: str = "ultracart_quantity"

    def belongs(self, key: str) -> bool:
        """Tell whether a metadata key speaks of items."""
        return key.startswith((self.item_id, self.quantity))


@dataclass(frozen=True, slots=True)
class ItemRule:
    """The product with these options is `pieces` of the item; None: the quantity is no whole number."""

    item_id: str
    options: Options = ()
    pieces: int | None = 1

    def fits(self, options: Options) -> bool:
        """Tell whether a line with these options is meant."""
        return _folded(self.options) <= _folded(options)

    def leave(self, options: Options) -> Options:
        """Give the options of a line that the choice of the item does not say already."""
        said = _folded(self.options)
        return tuple(option for option in options if not _folded((option,)) <= said)


class NoItem(StrEnum):
    """Why a line is no item."""

    NOT_MAPPED = "not_mapped"  # the product names no item
    NO_SUCH_VARIANT = "no_such_variant"  # it names items for other options only
    SEVERAL_VARIANTS = "several_variants"  # two rules fit equally well
    BAD_QUANTITY = "bad_quantity"


def read_rules(metadata: Mapping[str, str], keys: ItemKeys) -> list[ItemRule]:
    """Read all rules of a product, those with the most options first; blank item IDs are none."""
    quantities = {_folded(options): value for options, value in _values(metadata, keys.quantity)}
    rules = [
        ItemRule(value, options, _pieces(options, quantities))
        for options, value in _values(metadata, keys.item_id)
    ]
    return sorted(rules, key=lambda rule: -len(rule.options))


def choose_rule(metadata: Mapping[str, str], options: Options, keys: ItemKeys) -> ItemRule | NoItem:
    """Give the rule that a line with these options goes by, or why there is none."""
    rules = read_rules(metadata, keys)
    fitting = [rule for rule in rules if rule.fits(options)]
    if not fitting:
        return NoItem.NO_SUCH_VARIANT if rules else NoItem.NOT_MAPPED
    best, *others = fitting
    if any(len(other.options) == len(best.options) for other in others):
        return NoItem.SEVERAL_VARIANTS
    return NoItem.BAD_QUANTITY if best.pieces is None else best


def read_options(text: str | None) -> Options | None:
    """Read chosen options from an agent's words, "Size: L, Dye: Red"; None if they are no options.

    A piece without name belongs to the value before it: "Dye: Red, White" is one option.
    """
    options: list[tuple[str, str]] = []
    for piece in filter(None, map(str.strip, SEPARATOR.split(text or ""))):
        if found := OPTION.fullmatch(piece):
            options.append((found["name"], found["value"]))
        elif options and not NAME_MARK.search(piece):
            name, value = options.pop()
            options.append((name, f"{value}, {piece}"))
        else:
            return None
    return tuple(options)


def show_options(options: Options) -> str:
    """Write options as an agent would: "Size: L, Dye: Red"."""
    return ", ".join(f"{name}: {value}" for name, value in options)


def _values(metadata: Mapping[str, str], wanted: str) -> Iterator[tuple[Options, str]]:
    for key, text in metadata.items():
        rest = key.removeprefix(wanted).strip()
        if not key.startswith(wanted) or not (value := (text or "").strip()):
            continue
        if not rest:
            yield (), value
        elif rest.startswith("[") and rest.endswith("]") and (options := read_options(rest[1:-1])):
            yield options, value


def _pieces(options: Options, quantities: Mapping[frozenset[tuple[str, str]], str]) -> int | None:
    text = quantities.get(_folded(options), quantities.get(frozenset(), "1"))
    return int(text) if WHOLE_ABOVE_ZERO.fullmatch(text) else None


def _folded(options: Options) -> frozenset[tuple[str, str]]:
    return frozenset(
        (" ".join(name.split()).casefold(), " ".join(value.split()).casefold()) for name, value in options
    )
