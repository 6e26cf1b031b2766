"""The table of mapping cases that a merchant can read holds, row by row."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tasks.push.mapping import Mapping
from tasks.push.order_body import draft_import
from tasks.records.item_rules import read_options, show_options
from tasks.records.models import Gateway, PhoneLine, Product, Side
from tasks.records.money import to_cents
from tests.push.phone_orders import make_phone_order

CASES = Path(__file__).with_name("mapping_cases.md")
LINE = re.compile(r"(?P<quantity>[\d.]+) at (?P<price>[\d.]+)(, (?P<options>.+))?")
KEYS = {"id": "ultracart_item_id", "quantity": "ultracart_quantity"}
ITEMS = [
    Product(side=Side.ULTRACART, id=id, is_active=id != "OLD-TOY")
    for id in ("SOCK", "SOCK-L", "SOCK-XL", "BONE", "OLD-TOY")
]


def read_cases() -> list[Any]:
    """Read the rows of the table: metadata, line, what is sent."""
    rows = [line for line in CASES.read_text().splitlines() if line.startswith("|")][2:]
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    return [pytest.param(*rest, id=name) for name, *rest in cells]


def read_metadata(text: str) -> dict[str, str]:
    """Read "id = SOCK; quantity [Size: L] = 4"."""
    metadata = {}
    for pair in filter(None, text.split(";")):
        name, _, value = pair.partition("=")
        word, bracket, options = name.strip().partition(" [")
        metadata[KEYS.get(word, word) + bracket + options] = value
    return metadata


def read_line(text: str) -> PhoneLine:
    """Read "2 at 5.00, Size: L"."""
    found = LINE.fullmatch(text)
    assert found, text
    return PhoneLine(
        position=1, product_id="300", description="Sock", quantity=Decimal(found["quantity"]),
        unit_price_cents=to_cents(Decimal(found["price"])), options=found["options"],
    )  # fmt: skip


def show_sent(item: dict[str, Any]) -> str:
    """Write an item of the body as the table does."""
    options = tuple((option["name"], option["value"]) for option in item.get("options", ()))
    chosen = f" with {show_options(options)}" if options else ""
    return f"{item['quantity']} × {item['merchant_item_id']} at {item['arbitrary_unit_cost']}{chosen}"


def make_mapping(metadata: dict[str, str], **changes: Any) -> Mapping:
    """UltraCart's five items, and the one product 300."""
    product = Product(side=Side.THIIO, id="300", name="Sock", metadata=metadata)
    return Mapping(
        products={"300": product},
        items={item.id.casefold(): item for item in ITEMS},
        gateways={"1": Gateway(side=Side.THIIO, id="1", gateway_code="STRIPE1")},
        gateway_codes=frozenset({"STRIPE1"}),
        **changes,
    )


@pytest.mark.parametrize(("metadata", "line", "sent"), read_cases())
def test_a_row_of_the_table_holds(metadata: str, line: str, sent: str) -> None:
    """The items of the body are those of the last column, or the order is held for the reason there."""
    taken = read_line(line)
    total = to_cents(Decimal(taken.unit_price_cents or 0) / 100 * taken.quantity)
    order = make_phone_order(lines=(taken,), shipping_cents=0, tax_cents=0, total_cents=total)

    draft = draft_import(order, make_mapping(read_metadata(metadata)), "THIIO-")

    if reason := sent.removeprefix("held: ") if sent.startswith("held: ") else "":
        assert [problem.reason for problem in draft.problems] == [reason]
    else:
        assert draft.problems == ()
        assert [show_sent(item) for item in draft.body["items"]] == [sent]


def test_options_are_dropped_where_a_setting_says_so() -> None:
    """Neither sent nor a reason to hold; those that choose the item still do."""
    mapping = make_mapping({KEYS["id"]: "SOCK"}, sends_options=False)
    by_size = make_mapping({KEYS["id"] + " [Size: L]": "SOCK-L"}, sends_options=False)

    assert mapping.item(read_line("1 at 5.00, as last time")).options == ()
    assert by_size.item(read_line("1 at 5.00, Size: L, Dye: Red")).options == ()
    assert "cannot be read" in by_size.item(read_line("1 at 5.00, as last time")).reason


@pytest.mark.parametrize(
    ("text", "options"),
    [
        (None, ()),
        ("  ", ()),
        ("Size: L", (("Size", "L"),)),
        ("Size=L;Dye : dark red", (("Size", "L"), ("Dye", "dark red"))),
        ("Size: L\nDye: Red", (("Size", "L"), ("Dye", "Red"))),
        ("Size: L | Dye: Red", (("Size", "L"), ("Dye", "Red"))),
        ("Size: L · Dye: Red", (("Size", "L"), ("Dye", "Red"))),
        ("Text: Meet at 10:30", (("Text", "Meet at 10:30"),)),
        ("Size:", None),
        (": L", None),
        ("gift wrap", None),
    ],
)
def test_options_are_read_from_an_agents_words(text: str | None, options: Any) -> None:
    """Names and values, in the order they stand; what is no option is told apart from no options."""
    assert read_options(text) == options
