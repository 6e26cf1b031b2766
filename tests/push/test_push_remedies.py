"""Each thing that UltraCart's import says leads to a next step of its own."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from types import ModuleType

import pytest

from tasks.push.remedies import ADVICE, GENERAL, RETRY, TWICE, remedy_for, says_twice
from tasks.ultracart.sandbox import channel_partner, document

EXAMPLES = [(words, advice.remedy) for advice in ADVICE for words in advice.examples]
ITEM = "Compare the item ID in the metadata of the product in Thiio with UltraCart's item list."
ADDRESS = "Correct the address in Thiio."
SHIPPING = "Choose a shipping method that UltraCart offers there."


def as_the_client_says(words: str) -> str:
    """The sentence that the client makes of it, whose own words mean nothing."""
    return f"UltraCart answered 200 to POST /rest/v2/channel_partner/import: {words.rstrip('.')}."


@pytest.mark.parametrize(("words", "remedy"), EXAMPLES)
def test_each_known_text_has_its_remedy(words: str, remedy: str) -> None:
    """Alone, and inside the sentence that the client makes of it; only one of them says "already there"."""
    for said in (words, as_the_client_says(words)):
        assert remedy_for(said) == f"{remedy} {RETRY}"
        assert says_twice(said) == (remedy == TWICE)


@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        ("merchant_item_id NOPE is invalid", ITEM),
        ("The item BONE could not be found: it does not exist", ITEM),
        ("Item OLD-TOY is inactive", ITEM),
        ("Quantity exceeds stock", "Correct the quantity in Thiio, or the item's stock in UltraCart."),
        ("Invalid method of shipping", SHIPPING),
        ("billto_postal_code is missing", ADDRESS),
        ("Shipping address could not be verified", ADDRESS),
        ("Coupon SPRING has expired", "Remove or correct the coupon."),
        ("Duplicate order", TWICE),
        ("no reason given", GENERAL),
    ],
)
def test_other_words_of_a_case_lead_there_too(words: str, remedy: str) -> None:
    """UltraCart's own spelling of most cases is not published; of one that fits none, the words count."""
    assert remedy_for(as_the_client_says(words)) == f"{remedy} {RETRY}"


def test_of_several_errors_each_has_its_remedy() -> None:
    """As the client joins them; a remedy is given once, and the last error counts as much as the first."""
    said = as_the_client_says(
        "Item NOPE is unknown.; Item NADA is unknown.; shipto_city is longer than 32 characters.; "
        "channel_partner_order_id THIIO-17 has been imported already."
    )

    assert remedy_for(said) == f"{ITEM} Shorten the field in Thiio. {TWICE} {RETRY}"
    assert says_twice(said)
    assert not says_twice("Coupon SPRING has been used already.")


def sentences_of(module: ModuleType) -> Iterator[str]:
    """All sentences that a module of the stand-in can say, with a field's name for what stands in braces."""
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        given = node.value if isinstance(node, ast.Yield) else node
        if isinstance(given, ast.Call) and getattr(given.func, "id", "") in ("Fault", "Refusal"):
            given = given.args[0]
        elif not isinstance(node, ast.Yield):
            continue
        if isinstance(given, ast.JoinedStr):
            yield "".join(str(p.value) if isinstance(p, ast.Constant) else "NAME" for p in given.values)
        elif isinstance(given, ast.Constant):
            yield str(given.value)


def test_whatever_the_stand_in_says_of_an_import_has_a_remedy_of_its_own() -> None:
    """A sentence that is new there needs a row here."""
    said = [*sentences_of(channel_partner), *sentences_of(document)]
    imports = [each for each in said if "is not of this channel partner" not in each]

    assert len(imports) >= 10
    assert [each for each in imports if GENERAL in remedy_for(each)] == []
