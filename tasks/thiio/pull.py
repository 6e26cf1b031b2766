"""Copy what changed in Thiio into our mirror."""

from __future__ import annotations

from sqlalchemy import Engine

from tasks.records.catalogue import save_gateways, save_products
from tasks.records.mirror import save_customers, save_orders
from tasks.records.models import Side, Window
from tasks.thiio.connection import ThiioConnection


def pull_customers(thiio: ThiioConnection, engine: Engine, window: Window) -> int:
    """Store the customers that were created or changed in a window, and return how many."""
    count = 0
    for page in thiio.iter_customers(window):
        with engine.begin() as connection:
            save_customers(connection, page)
        count += len(page)
    return count


def pull_orders(thiio: ThiioConnection, engine: Engine, window: Window) -> int:
    """Store the orders that were placed, created or changed in a window, and return how many."""
    count = 0
    for page in thiio.iter_orders(window):
        with engine.begin() as connection:
            save_orders(connection, page)
        count += len(page)
    return count


def pull_catalogue(thiio: ThiioConnection, engine: Engine) -> dict[str, int]:
    """Replace Thiio's products and gateways, and return how many of each."""
    products, gateways = thiio.list_products(), thiio.list_gateways()
    with engine.begin() as connection:
        save_products(connection, Side.THIIO, products)
        save_gateways(connection, Side.THIIO, gateways)
    return {"thiio_products": len(products), "thiio_gateways": len(gateways)}
