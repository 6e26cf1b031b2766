"""Copy what UltraCart holds into our mirror and catalogue."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from sqlalchemy import Engine, select

from tasks.database import tables
from tasks.errors import CredentialsRefused, InvalidRecord, RecordsFailed, RemoteRefused
from tasks.records.catalogue import save_gateways, save_products
from tasks.records.mirror import save_customers, save_orders
from tasks.records.models import Gateway, Side, Window
from tasks.ultracart.client import UltraCartClient
from tasks.ultracart.translate import to_customer, to_gateway, to_order, to_product

logger = logging.getLogger(__name__)

Wire = TypeVar("Wire")
Record = TypeVar("Record")


def pull_customers(client: UltraCartClient, engine: Engine, window: Window, region: str) -> dict[str, int]:
    """Store the customers that changed in a window, a transaction a page.

    Raises `RecordsFailed` at the end, when all other customers are stored.
    """
    failures: list[str] = []
    count = 0
    for page in client.iter_customers(window):
        customers = list(_translate(page, lambda customer: to_customer(customer, region), failures))
        with engine.begin() as connection:
            count += len(save_customers(connection, customers).records)
    return _account("ultracart_customers", count, failures)


def pull_orders(client: UltraCartClient, engine: Engine, window: Window, region: str) -> dict[str, int]:
    """Store the orders that were placed or changed in a window, a transaction a page.

    What "changed" can mean is told at `UltraCartClient.iter_changed_orders`. Raises `RecordsFailed` at the
    end, when all other orders are stored.
    """
    failures: list[str] = []
    count = 0
    for page in client.iter_changed_orders(window):
        orders = list(_translate(page, lambda order: to_order(order, region), failures))
        with engine.begin() as connection:
            count += len(save_orders(connection, orders).records)
    return _account("ultracart_orders", count, failures)


def pull_catalogue(client: UltraCartClient, engine: Engine) -> dict[str, int]:
    """Replace our list of UltraCart's items and gateways by what it holds now."""
    products = [to_product(item) for page in client.iter_items() for item in page]
    gateways = _list_gateways(client, engine)
    with engine.begin() as connection:
        save_products(connection, Side.ULTRACART, products)
        save_gateways(connection, Side.ULTRACART, gateways)
    return {"ultracart_items": len(products), "ultracart_gateways": len(gateways)}


def _list_gateways(client: UltraCartClient, engine: Engine) -> list[Gateway]:
    """Give the gateways; a key that may not list them gives those that stored orders were charged by.

    Which permission the list needs is not published; the items were readable, so the key itself is good.
    """
    try:
        return [to_gateway(gateway) for gateway in client.list_gateways()]
    except (CredentialsRefused, RemoteRefused) as error:
        logger.warning("%s Gateway codes are taken from stored orders instead.", error)
    orders = tables.orders
    seen = select(orders.c.gateway_code).where(
        orders.c.side == Side.ULTRACART, orders.c.gateway_code.is_not(None)
    )
    with engine.connect() as connection:
        codes = connection.scalars(seen.distinct().order_by(orders.c.gateway_code)).all()
    return [Gateway(side=Side.ULTRACART, id=code, gateway_code=code) for code in codes]


def _translate(
    page: Iterable[Wire], translate: Callable[[Wire], Record], failures: list[str]
) -> Iterator[Record]:
    for each in page:
        try:
            yield translate(each)
        except InvalidRecord as error:
            failures.append(str(error))


def _account(what: str, count: int, failures: list[str]) -> dict[str, int]:
    logger.info("pull %s: %d stored, %d failed", what, count, len(failures))
    if failures:
        raise RecordsFailed(f"pull {what}", failures)
    return {what: count}
