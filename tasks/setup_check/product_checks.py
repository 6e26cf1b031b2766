"""Checks of the product mapping, with both ends looked at: which UltraCart item is each Thiio product?"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from tasks.errors import UltraThiioError
from tasks.records.item_rules import read_rules
from tasks.records.models import Product
from tasks.setup_check.checks import Check, failed, first_few, named, ok, unknown, warning
from tasks.setup_check.thiio_findings import ThiioFindings
from tasks.setup_check.ultracart_findings import UltraCartFindings

ITEM_IDS, ITEMS, ONCE = "Products: item ID", "Products: item exists", "Products: item named once"


@dataclass(frozen=True, slots=True)
class SoldProducts:
    """What Thiio sells, the item IDs by product, the metadata key that holds them, and where to edit it."""

    products: list[Product]
    item_ids: dict[str, list[str]]  # several, where its options choose
    key: str
    page: str


def check_products(thiio: ThiioFindings, ultracart: UltraCartFindings) -> list[Check]:
    """Check every product that Thiio sells against UltraCart's items."""
    if isinstance(thiio.products, UltraThiioError):
        until, see = "Thiio's products can be read", "See the line Thiio connection."
        return [unknown(name, until, see) for name in (ITEM_IDS, ITEMS, ONCE)]
    products = [product for product in thiio.products if product.is_active and product.is_sold]
    if not products:
        remedy = f"See that products are active and sold in {thiio.product_page}."
        return [
            warning(ITEM_IDS, "Thiio lists no product that is active and sold.", remedy),
            *(unknown(name, "Thiio sells a product", f"See the line {ITEM_IDS}.") for name in (ITEMS, ONCE)),
        ]
    rules = {each.id: read_rules(each.metadata, thiio.item_keys) for each in products}
    item_ids = {id: [rule.item_id for rule in named] for id, named in rules.items() if named}
    sold = SoldProducts(products, item_ids, thiio.item_keys.item_id, thiio.product_page)
    return [check_item_ids(sold), check_items(sold, ultracart), check_items_once(sold)]


def check_item_ids(sold: SoldProducts) -> Check:
    """Check that every product carries an item ID: an order with one that does not is held."""
    without = [named(each.id, each.name) for each in sold.products if each.id not in sold.item_ids]
    if without:
        remedy = (
            f"Add the key {sold.key} with UltraCart's item ID to these products in {sold.page}. If Thiio "
            "keeps it under another key, set ULTRATHIIO_THIIO__ITEM_ID_KEY."
        )
        return failed(ITEM_IDS, f"{len(without)} without {sold.key}: {first_few(without)}.", remedy)
    return ok(ITEM_IDS, f"All {len(sold.products)} products that are sold carry {sold.key}.")


def check_items(sold: SoldProducts, ultracart: UltraCartFindings) -> Check:
    """Check that the items exist and are active; letter case does not count, as in the push."""
    if isinstance(ultracart.items, UltraThiioError):
        return unknown(ITEMS, "UltraCart's items can be read", "See the line Permission: items.")
    if not sold.item_ids:
        return unknown(ITEMS, "a product carries an item ID", f"See the line {ITEM_IDS}.")
    states = {
        item.merchant_item_id.casefold(): "inactive" if item.inactive else "active"
        for item in ultracart.items
    }
    wrong = [
        f"{named(each.id, each.name)}: {item_id} is {state}"
        for each in sold.products
        for item_id in sold.item_ids.get(each.id, ())
        if (state := states.get(item_id.casefold(), "unknown")) != "active"
    ]
    if wrong:
        remedy = (
            f"Correct {sold.key} of these products in {sold.page}, or make or activate the items in "
            "UltraCart's item list."
        )
        return failed(ITEMS, f"{len(wrong)} without a good item: {first_few(wrong)}.", remedy)
    return ok(ITEMS, f"The items of all {len(sold.item_ids)} products exist in UltraCart and are active.")


def check_items_once(sold: SoldProducts) -> Check:
    """Check that no two products name one item: what UltraCart sells of it is booked on the first of them."""
    if not sold.item_ids:
        return unknown(ONCE, "a product carries an item ID", f"See the line {ITEM_IDS}.")
    namers: dict[str, dict[str, Product]] = defaultdict(dict)
    spelt: dict[str, str] = {}
    for each in sold.products:
        for item_id in sold.item_ids.get(each.id, ()):
            namers[item_id.casefold()][each.id] = each
            spelt.setdefault(item_id.casefold(), item_id)
    shared = [
        f"{spelt[key]} by {' and '.join(named(each.id, each.name) for each in several.values())}"
        for key, several in namers.items()
        if len(several) > 1
    ]
    if shared:
        remedy = f"Leave {sold.key} on one of them in {sold.page}."
        return warning(ONCE, f"Named more than once: {first_few(shared)}.", remedy)
    return ok(ONCE, "No item is named by two products.")
