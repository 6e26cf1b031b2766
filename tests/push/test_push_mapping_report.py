"""The mapping as a whole: what keeps orders back, what should be looked at, what nobody names."""

from __future__ import annotations

from tasks.push.mapping import Mapping
from tasks.push.mapping_report import describe_mapping, find_mapping_problems, unused_items
from tasks.records.models import Gateway, Product, Side

KEY = "ultracart_item_id"
LONG = "A-VERY-LONG-ITEM-NUMBER"


def product(id: str, item_id: str | None, **values: bool) -> Product:
    """A product of Thiio that names an item."""
    metadata = {} if item_id is None else {KEY: item_id}
    return Product(side=Side.THIIO, id=id, name=f"P{id}", metadata=metadata, **values)


def make_mapping(products: list[Product], gateways: list[Gateway]) -> Mapping:
    """A shop with four items, one of them inactive, and two gateway codes."""
    items = [
        Product(side=Side.ULTRACART, id=id, is_active=id != "OLD") for id in ("BONE", "BALL", "OLD", LONG)
    ]
    return Mapping(
        products={each.id: each for each in products},
        items={item.id.casefold(): item for item in items},
        gateways={each.id: each for each in gateways},
        gateway_codes=frozenset({"STRIPE1", "BT"}),
    )


def test_each_thing_that_is_wrong_is_found_and_what_holds_orders_comes_first() -> None:
    """Unmapped, unknown, inactive, too long; without code, unknown code; then what is only suspicious."""
    mapping = make_mapping(
        [
            product("1", "bone"),
            product("2", "BONE "),
            product("3", None),
            product("4", "CAT"),
            product("5", "old"),
            product("6", LONG),
            product("7", None, is_active=False),
            product("8", None, is_sold=False),
        ],
        [
            Gateway(side=Side.THIIO, id="1", gateway_code="STRIPE1", payment_methods_store=False),
            Gateway(side=Side.THIIO, id="2", gateway_code=None),
            Gateway(side=Side.THIIO, id="3", gateway_code="NOBODY"),
            Gateway(side=Side.THIIO, id="4", gateway_code="STRIPE1", payment_methods_store=True),
            Gateway(side=Side.THIIO, id="5", gateway_code=None, is_active=False),
        ],
    )

    found = [(finding.of.split(" (")[0], finding.holds) for finding in find_mapping_problems(mapping)]

    assert found == [
        ("product 3", True),
        ("product 4", True),
        ("product 5", True),
        ("product 6", True),
        ("gateway 2", True),
        ("gateway 3", True),
        ("product 1", False),
        ("product 2", False),
        ("gateway 1", False),
        ("gateway 1", False),
        ("gateway 4", False),
    ]
    assert unused_items(mapping) == ["BALL"]


def test_the_report_says_what_to_do() -> None:
    """A line each, with the counts above; a bar in a name does not break the table."""
    odd = Product(side=Side.THIIO, id="3", name="Boots | winter")
    report = describe_mapping(make_mapping([product("1", "BONE"), odd], []))

    assert "Keep orders back: 1. Should be looked at: 0." in report
    assert "| ✗ held | product 3 (Boots \\| winter) |" in report
    assert f"Add the metadata key {KEY}" in report
    assert f"## 2 items that no product names\n\n{LONG}, BALL\n" in report


def test_a_mapping_without_fault_says_so() -> None:
    """And lists nothing."""
    report = describe_mapping(make_mapping([product("1", "BONE"), product("2", "BALL")], []))

    assert "Keep orders back: 0. Should be looked at: 0." in report
    assert "✗" not in report
