"""What a push run planned, and what waits and why, in Markdown for the people who watch it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from tasks.push.masking import mask_body
from tasks.records.money import show_money

SHOWN_BODIES = 20
SHOWN_ROWS = 200
HEADINGS = {
    "planned": "will be sent",
    "held": "held",
    "not_due": "not due",
    "sending": "being sent, or left so by a run that was killed",
    "in_doubt": "in doubt",
    "rejected": "rejected by UltraCart",
    "confirmed": "in UltraCart already",
}
WAITING = {
    "in_doubt": "in doubt: it may be in UltraCart; looked up, not sent",
    "sending": "being sent, or left so by a run that was killed",
    "rejected": "rejected: UltraCart said no",
    "held": "held: something is missing",
    "planned": "planned: the next run sends it",
    "confirmed": "in UltraCart, and changed in Thiio since",
}
"""The states in which a push waits, the worst first."""
MASKED = (
    "Names, addresses, e-mail and phone are masked here, since Prefect keeps this page; everything else is "
    "as it is sent. The exact body of an order is shown by `ultrathiio order` with its ID once it is planned."
)


def count_outcomes(planned: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Count the orders by what is to become of them."""
    return dict(Counter(order["outcome"] for order in planned))


def planned_ids(planned: Sequence[Mapping[str, Any]]) -> list[str]:
    """Give the Thiio ids of the orders that will be sent, oldest first."""
    return [order["thiio_order_id"] for order in planned if order["outcome"] == "planned"]


def describe_plan(planned: Sequence[Mapping[str, Any]], *, dry_run: bool) -> str:
    """Write the plan as Markdown: a table a kind of outcome; on a dry run the masked bodies too."""
    intro = "Dry run: nothing was written, nothing is sent." if dry_run else "What is planned is sent now."
    parts = [f"# Push to UltraCart\n\n{len(planned)} unsynced orders in Thiio. {intro}\n"]
    for outcome, heading in HEADINGS.items():
        if orders := [order for order in planned if order["outcome"] == outcome]:
            parts.append(f"## {len(orders)} {heading}\n\n{describe_orders(orders)}\n")
    if dry_run:
        parts += _bodies([order for order in planned if order["body"]])
    return "\n".join(parts)


def describe_orders(orders: Sequence[Mapping[str, Any]]) -> str:
    """Write some orders of a plan as a Markdown table."""
    rows = [
        f"| {order['thiio_order_id']} | {show_money(order['total_cents'], order['currency'])} "
        f"| {_cell(order['reason'])} | {_cell(order['remedy'])} |"
        for order in orders[:SHOWN_ROWS]
    ]
    table = "\n".join(["| Thiio order | total | why | what to do |", "| --- | ---: | --- | --- |", *rows])
    more = len(orders) - SHOWN_ROWS
    return f"{table}\n\n… and {more} more." if more > 0 else table


def describe_waiting(waiting: Sequence[Mapping[str, Any]], now: datetime) -> str:
    """Write the outbox as it stands after a run: every push that waits, why, since when, what happens next.

    `waiting` are rows of `outbox.read_waiting`; `now` is aware UTC.
    """
    parts = [f"# What waits for UltraCart\n\nAs of {now:%Y-%m-%d %H:%M} UTC.\n"]
    for state, heading in WAITING.items():
        if rows := [row for row in waiting if row["state"] == state]:
            lines = [
                f"| {row['thiio_order_id']} | {show_money(row['total_cents'], row['currency'])} "
                f"| {row['changed_at']:%Y-%m-%d %H:%M} | {_cell(row['reason'] or '')} | {_next(row)} |"
                for row in rows[:SHOWN_ROWS]
            ]
            head = "| Thiio order | total | last changed (UTC) | why | what happens next |"
            more = f"\n\n… and {len(rows) - SHOWN_ROWS} more." if len(rows) > SHOWN_ROWS else ""
            table = "\n".join([head, "| --- | ---: | --- | --- | --- |", *lines])
            parts.append(f"## {len(rows)} {heading}\n\n{table}{more}\n")
    if len(parts) == 1:
        parts.append("Nothing waits.\n")
    return "\n".join(parts) + "\nThe whole story of one order: `ultrathiio order` with its ID.\n"


def _next(row: Mapping[str, Any]) -> str:
    looked_up = f" Next look-up from {row['next_lookup_at']:%H:%M} UTC on." if row["next_lookup_at"] else ""
    return _cell(row["remedy"] or "") + looked_up


def _bodies(orders: Sequence[Mapping[str, Any]]) -> list[str]:
    shown = [f"## Bodies\n\n{MASKED}\n"] if orders else []
    shown += [
        f"### Body of Thiio order {order['thiio_order_id']}\n\n```json\n{mask_body(order['body'])}\n```\n"
        for order in orders[:SHOWN_BODIES]
    ]
    if len(orders) > SHOWN_BODIES:
        shown.append(f"… and {len(orders) - SHOWN_BODIES} more bodies.")
    return shown


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
