"""When a person is asked before orders go out, what the person is shown, and what a yes covers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from tasks.records.money import show_money, to_major

Planned = Sequence[Mapping[str, Any]]
CENTS = 100
SHOWN_ORDERS = 200


def choose(planned: Planned, limit: int) -> Planned:
    """Give the orders that a run sends: those planned, oldest first, at most `limit`."""
    return [order for order in planned if order["outcome"] == "planned"][:limit]


def why_ask(chosen: Planned, *, above_orders: int | None, above_total: int | None) -> str | None:
    """Say why a person is asked before these orders go out, or None.

    `above_total` is in whole units of the store's currency.
    """
    if above_orders is not None and len(chosen) > above_orders:
        return f"{len(chosen)} orders are more than {above_orders}"
    if above_total is not None and total_cents(chosen) > above_total * CENTS:
        return f"their total of {show_money(total_cents(chosen), _currency(chosen))} is above {above_total}"
    return None


def total_cents(orders: Planned) -> int:
    """Add the totals, in cents of the store's currency; an order in another one is held, never planned."""
    return sum(order["total_cents"] or 0 for order in orders)


def describe_question(chosen: Planned, why: str, minutes: int) -> str:
    """Write what the person is asked, in Markdown, without personal data."""
    total = show_money(total_cents(chosen), _currency(chosen))
    return (
        f"## Send {len(chosen)} orders to UltraCart, {total} in all?\n\n"
        f"You are asked because {why}. Without an answer within {minutes} minutes nothing is sent. After a "
        "yes the orders are planned again, so that nothing stale goes out; one whose total has changed waits "
        "for another run.\n\n" + _table(chosen)
    )


def still_approved(approved: Planned, planned: Planned) -> list[str]:
    """Give the ids of the orders that a yes covers: planned now as then, for the same total."""
    totals = {order["thiio_order_id"]: (order["total_cents"], order["currency"]) for order in approved}
    return [
        order["thiio_order_id"]
        for order in planned
        if order["outcome"] == "planned"
        and totals.get(order["thiio_order_id"]) == (order["total_cents"], order["currency"])
    ]


def _table(orders: Planned) -> str:
    rows = [
        f"| {order['thiio_order_id']} | {_placed(order['placed_at'])} "
        f"| {to_major(order['total_cents'] or 0)} | {order['currency'] or '–'} |"
        for order in orders[:SHOWN_ORDERS]
    ]
    head = ["| Thiio order | placed (UTC) | total | currency |", "| --- | --- | ---: | --- |"]
    more = len(orders) - SHOWN_ORDERS
    return "\n".join([*head, *rows]) + (f"\n\n… and {more} more." if more > 0 else "")


def _placed(at: datetime | None) -> str:
    return "–" if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M}"


def _currency(orders: Planned) -> str | None:
    return next((order["currency"] for order in orders if order["currency"]), None)
