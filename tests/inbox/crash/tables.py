"""The rows that two runs of one stream must agree on: without the stamps and ids that each run gives.

Left out as well: which of its customers Thiio shows an order under. An order that comes before its customer
has none, in a run without kills too, so it depends on the order of arrival.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from sqlalchemy import Connection, Table, select

from tasks.database import tables
from tasks.thiio.sandbox.server import ThiioSandbox
from tests.inbox.crash.site import Site

Rows = dict[tuple[Any, ...], list[dict[str, Any]]]
"""Key → the rows that have it."""

RECORDS = (tables.customers, tables.orders, tables.order_lines)
STAMPS = {"id", "stored_at", "linked_at", "created_at", "updated_at", "ultracart_synced_at"}


def read_records(site: Site) -> dict[str, Rows]:
    """Read the records of our mirror."""
    with site.engine.connect() as connection:
        return {
            table.name: _by_key(_read(connection, table), *(column.name for column in table.primary_key))
            for table in RECORDS
        }


def read_links(site: Site) -> dict[str, Rows]:
    """Read the links, each with UltraCart's id that its record of Thiio names."""
    theirs = site.thiio.tables
    with site.engine.connect() as connection, site.thiio.engine.connect() as at_thiio:
        customers = select(theirs.customers.c.id, theirs.customers.c.ultracart_id)
        orders = select(theirs.orders.c.id, theirs.orders.c.external_order_id)
        named = {
            "customer": dict(at_thiio.execute(customers).all()),
            "order": dict(at_thiio.execute(orders).all()),
        }
        links = _read(connection, tables.links)
    for link in links:
        link["thiio_id"] = named[link["entity"]].get(int(link["thiio_id"]))
    return {"links": _by_key(links, "entity", "ultracart_id")}


def read_thiio(thiio: ThiioSandbox) -> dict[str, Rows]:
    """Read Thiio's customers, orders and lines, by UltraCart's ids."""
    theirs = thiio.tables
    with thiio.engine.connect() as connection:
        customers = _read_all(connection, theirs.customers)
        orders = {row["id"]: row for row in _read_all(connection, theirs.orders)}
        lines = _read_all(connection, theirs.order_lines)
    for order in orders.values():
        del order["customer_id"]
    for line in lines:
        line["order_id"] = orders[line["order_id"]]["external_order_id"]
    return {
        "customers": _by_key(_unstamped(customers), "ultracart_id"),
        "orders": _by_key(_unstamped([*orders.values()]), "external_order_id"),
        "lines": _by_key(_unstamped(lines), "order_id", "position"),
    }


def _read(connection: Connection, table: Table) -> list[dict[str, Any]]:
    stamps = STAMPS - {column.name for column in table.primary_key}
    return [
        {name: value for name, value in row.items() if name not in stamps}
        for row in _read_all(connection, table)
    ]


def _read_all(connection: Connection, table: Table) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.execute(select(table)).mappings()]


def _unstamped(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if name not in STAMPS} for row in rows]


def _by_key(rows: list[dict[str, Any]], *key: str) -> Rows:
    found: Rows = defaultdict(list)
    for row in rows:
        found[tuple(row[name] for name in key)].append(row)
    return dict(found)
