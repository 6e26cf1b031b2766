"""A ledger of which every figure is known: pairs of orders, links and mismatches with times of their own."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, insert

from tasks.database import tables
from tasks.records.mirror import save_orders
from tests.reconcile.two_sides import NOW, make_pair

DAY = timedelta(days=1)


def plant_pair(connection: Connection, number: int, *, linked: datetime = NOW - DAY, **changes: Any) -> None:
    """Put DEMO-<number> on both sides and link it."""
    ultracart, thiio = make_pair(number, **changes)
    save_orders(connection, [ultracart, thiio])
    link = {"entity": "order", "ultracart_id": ultracart.id, "thiio_id": thiio.id, "rule": "named"}
    connection.execute(insert(tables.links).values(link | {"linked_at": linked}))


def plant_mismatch(connection: Connection, number: int, field: str = "total_cents", **values: Any) -> None:
    """Note an open mismatch of a pair; a resolved one has `closed_at`."""
    row = {
        "entity": "order", "kind": "field_differs", "field": field, "ultracart_id": f"DEMO-{number}",
        "thiio_id": str(80000 + number), "ultracart_value": "here", "thiio_value": "there", "cause": "why",
        "remedy": "what to do", "config_hash": "0", "times_seen": 1, "first_seen_at": NOW - DAY / 2,
        "last_seen_at": NOW, "state": "resolved" if values.get("closed_at") else "open",
    }  # fmt: skip
    connection.execute(insert(tables.mismatches).values(row | values))
