"""Which UltraCart item a Thiio product is, and which UltraCart gateway a Thiio gateway is."""

from __future__ import annotations

from collections.abc import Mapping as Dict
from dataclasses import dataclass

from sqlalchemy import Connection

from tasks.push.problem import Problem
from tasks.records.catalogue import read_gateways, read_products
from tasks.records.models import Gateway, OrderLine, Product, Side

AGAIN = "The order goes out by itself with the next run."


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping:
    """Both catalogues as they were read last; `item_id_key` is the metadata key that holds the item ID."""

    item_id_key: str
    products: Dict[str, Product]
    items: Dict[str, Product]
    gateways: Dict[str, Gateway]
    gateway_codes: frozenset[str]

    def item_id(self, line: OrderLine) -> str | Problem:
        """Give the UltraCart item ID of a line, spelt as UltraCart does."""
        product = self.products.get(line.product_id or "")
        if product is None:
            name = line.description or f"line {line.position}"
            return Problem(
                f"{name} is of no Thiio product that is known.",
                f"Choose a product for this line in Thiio. {AGAIN}",
            )
        named = f"Product {product.id} ({product.name or 'without name'})"
        wanted = product.metadata.get(self.item_id_key, "").strip()
        if not wanted:
            return Problem(
                f"{named} has no UltraCart item ID.",
                f"Add the metadata key {self.item_id_key} with the item ID to product {product.id} in Thiio. "
                f"{AGAIN}",
            )
        item = self.items.get(wanted.casefold())
        if item is None:
            return Problem(
                f"{named} names the item {wanted}, which UltraCart does not have.",
                f"Correct the metadata key {self.item_id_key} of product {product.id} in Thiio. {AGAIN}",
            )
        if not item.is_active:
            return Problem(
                f"{named} names the item {item.id}, which is inactive in UltraCart.",
                f"Activate the item in UltraCart, or name another one on product {product.id}. {AGAIN}",
            )
        return item.id

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


def read_mapping(connection: Connection, item_id_key: str) -> Mapping:
    """Read both catalogues from our tables, where pull-records and push-orders put them."""
    items = read_products(connection, Side.ULTRACART)
    codes = read_gateways(connection, Side.ULTRACART).values()
    return Mapping(
        item_id_key=item_id_key,
        products=read_products(connection, Side.THIIO),
        # An agent's spelling is compared without regard to case; UltraCart's own is what is sent.
        items={id.casefold(): item for id, item in items.items()},
        gateways=read_gateways(connection, Side.THIIO),
        gateway_codes=frozenset(gateway.gateway_code for gateway in codes if gateway.gateway_code),
    )
