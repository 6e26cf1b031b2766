"""What a push run planned and did, in Markdown for the people who watch it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from tasks.records.money import show_money

SHOWN_BODIES = 20
HEADINGS = {
    "planned": "will be sent",
    "held": "held",
    "not_due": "not due",
    "sending": "being sent, or left so by a run that was killed",
    "in_doubt": "in doubt",
    "rejected": "rejected by UltraCart",
    "confirmed": "in UltraCart already",
}


def count_outcomes(planned: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Count the orders by what is to become of them."""
    return dict(Counter(order["outcome"] for order in planned))


def planned_ids(planned: Sequence[Mapping[str, Any]]) -> list[str]:
    """Give the Thiio ids of the orders that will be sent, oldest first."""
    return [order["thiio_order_id"] for order in planned if order["outcome"] == "planned"]


def describe_plan(planned: Sequence[Mapping[str, Any]], *, dry_run: bool) -> str:
    """Write the plan as Markdown: a table a kind of outcome; on a dry run the exact bodies too."""
    intro = "Dry run: nothing was written, nothing is sent." if dry_run else "What is planned is sent now."
    parts = [f"# Push to UltraCart\n\n{len(planned)} unsynced orders in Thiio. {intro}\n"]
    for outcome, heading in HEADINGS.items():
        if orders := [order for order in planned if order["outcome"] == outcome]:
            parts.append(f"## {len(orders)} {heading}\n\n{_table(orders)}\n")
    if dry_run:
        parts += _bodies([order for order in planned if order["body"]])
    return "\n".join(parts)


def _table(orders: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        f"| {order['thiio_order_id']} | {show_money(order['total_cents'], order['currency'])} "
        f"| {_cell(order['reason'])} | {_cell(order['remedy'])} |"
        for order in orders
    ]
    return "\n".join(["| Thiio order | total | why | what to do |", "| --- | ---: | --- | --- |", *rows])


def _bodies(orders: Sequence[Mapping[str, Any]]) -> list[str]:
    shown = [
        f"### Body of Thiio order {order['thiio_order_id']}\n\n```json\n{order['body']}\n```\n"
        for order in orders[:SHOWN_BODIES]
    ]
    if len(orders) > SHOWN_BODIES:
        shown.append(f"… and {len(orders) - SHOWN_BODIES} more bodies.")
    return shown


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
