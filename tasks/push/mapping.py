"""Which UltraCart item a Thiio product is, and which UltraCart gateway a Thiio gateway is."""

from __future__ import annotations

from collections.abc import Mapping as Dict
from dataclasses import dataclass, field

from sqlalchemy import Connection

from tasks.push.limits import MAX_ITEM_ID
from tasks.push.problem import Problem
from tasks.records.catalogue import read_gateways, read_products
from tasks.records.item_rules import (
    ItemKeys,
    ItemRule,
    NoItem,
    Options,
    choose_rule,
    read_options,
    read_rules,
    show_options,
)
from tasks.records.models import Gateway, PhoneLine, Product, Side

AGAIN = "The order goes out by itself with the next run."


@dataclass(frozen=True, slots=True)
class MappedItem:
    """An UltraCart item, spelt as UltraCart does: one of the product is `pieces` of it."""

    item_id: str
    pieces: int = 1
    options: Options = ()
    """What the agent chose and the item does not say by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping:
    """Both catalogues as they were read last, and the keys of a product's metadata that name its item."""

    keys: ItemKeys = field(default_factory=ItemKeys)
    products: Dict[str, Product]
    items: Dict[str, Product]
    gateways: Dict[str, Gateway]
    gateway_codes: frozenset[str]
    sends_options: bool = True

    def item(self, line: PhoneLine) -> MappedItem | Problem:
        """Give the item of a line."""
        product = self.products.get(line.product_id or "")
        if product is None:
            name = line.description or f"line {line.position}"
            return Problem(
                f"{name} is of no Thiio product that is known.",
                f"Choose a product for this line in Thiio. {AGAIN}",
            )
        options = read_options(line.options)
        rules = read_rules(product.metadata, self.keys)
        if options is None and (self.sends_options or any(rule.options for rule in rules)):
            return Problem(
                f"The options {line.options!r} of {_named(product)} cannot be read.",
                "Write them as Size: L, Colour: Red, or into the order's note if they are none. " + AGAIN,
            )
        rule = choose_rule(product.metadata, options or (), self.keys)
        if isinstance(rule, NoItem):
            return self._no_item(product, rule, options or ())
        item = self.find_item(product, rule)
        if isinstance(item, Problem):
            return item
        left = rule.leave(options or ()) if self.sends_options else ()
        return MappedItem(item.id, rule.pieces or 1, left)

    def find_item(self, product: Product, rule: ItemRule) -> Product | Problem:
        """Give UltraCart's item that a rule of a product names."""
        named, key = _named(product, rule.options), self.key_of(rule)
        if rule.pieces is None:
            return self._no_item(product, NoItem.BAD_QUANTITY, rule.options)
        item = self.items.get(rule.item_id.casefold())
        if item is None:
            return Problem(
                f"{named} names the item {rule.item_id}, which UltraCart does not have.",
                f"Correct the metadata key {key} of product {product.id} in Thiio. {AGAIN}",
            )
        if not item.is_active:
            return Problem(
                f"{named} names the item {item.id}, which is inactive in UltraCart.",
                f"Activate the item in UltraCart, or name another one on product {product.id}. {AGAIN}",
            )
        if len(item.id) > MAX_ITEM_ID:
            return Problem(
                f"{named} names the item {item.id} of {len(item.id)} characters; an import takes "
                f"{MAX_ITEM_ID}.",
                f"Give the item a shorter ID in UltraCart, then in the metadata of product {product.id}. "
                f"{AGAIN}",
            )
        return item

    def key_of(self, rule: ItemRule) -> str:
        """Give the metadata key that a rule stands under, as we would write it."""
        return f"{self.keys.item_id} [{show_options(rule.options)}]" if rule.options else self.keys.item_id

    def _no_item(self, product: Product, why: NoItem, options: Options) -> Problem:
        named, id, key = _named(product, options), product.id, self.keys.item_id
        match why:
            case NoItem.NOT_MAPPED:
                return Problem(
                    f"{named} has no UltraCart item ID.",
                    f"Add the metadata key {key} with the item ID to product {id} in Thiio. {AGAIN}",
                )
            case NoItem.NO_SUCH_VARIANT:
                known = "; ".join(map(self.key_of, read_rules(product.metadata, self.keys)))
                return Problem(
                    f"{named} has no UltraCart item ID: it has {known}.",
                    f"Choose such options in the order, or add the metadata key {key} to product {id} in "
                    f"Thiio. {AGAIN}",
                )
            case NoItem.SEVERAL_VARIANTS:
                return Problem(
                    f"{named} fits several item IDs of the product equally well.",
                    f"Add a metadata key with all these options, {key} [{show_options(options)}], to product "
                    f"{id} in Thiio. {AGAIN}",
                )
            case NoItem.BAD_QUANTITY:
                return Problem(
                    f"{named} has a quantity that is no whole number above 0.",
                    f"Correct the metadata key {self.keys.quantity} of product {id} in Thiio: how many of "
                    f"the item one of it is. {AGAIN}",
                )

    def gateway_code(self, gateway_id: str | None) -> str | Problem:
        """Give the UltraCart code of the gateway that charged an order."""
        gateway = self.gateways.get(gateway_id or "")
        if gateway is None:
            named = "no gateway" if gateway_id is None else f"gateway {gateway_id}, which is unknown"
            return Problem(
                f"The order names {named}.", f"Choose the gateway of the payment in Thiio. {AGAIN}"
            )
        named = f"Gateway {gateway.id} ({gateway.name or 'without name'})"
        remedy = f"Paste UltraCart's code of it into the settings of gateway {gateway.id} in Thiio. {AGAIN}"
        if not gateway.gateway_code:
            return Problem(f"{named} has no UltraCart gateway code.", remedy)
        if gateway.gateway_code not in self.gateway_codes:
            codes = ", ".join(sorted(self.gateway_codes)) or "none"
            return Problem(
                f"{named} carries the code {gateway.gateway_code}, which UltraCart does not have "
                f"(it has {codes}).",
                remedy,
            )
        return gateway.gateway_code


def read_mapping(connection: Connection, keys: ItemKeys, *, sends_options: bool = True) -> Mapping:
    """Read both catalogues from our tables, where pull-records and push-orders put them."""
    items = read_products(connection, Side.ULTRACART)
    codes = read_gateways(connection, Side.ULTRACART).values()
    return Mapping(
        keys=keys,
        products=read_products(connection, Side.THIIO),
        # An agent's spelling is compared without regard to case; UltraCart's own is what is sent.
        items={id.casefold(): item for id, item in items.items()},
        gateways=read_gateways(connection, Side.THIIO),
        gateway_codes=frozenset(gateway.gateway_code for gateway in codes if gateway.gateway_code),
        sends_options=sends_options,
    )


def _named(product: Product, options: Options = ()) -> str:
    chosen = f" [{show_options(options)}]" if options else ""
    return f"Product {product.id} ({product.name or 'without name'}){chosen}"
