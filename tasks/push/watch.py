"""Pushed orders that were changed in Thiio afterwards: told, never sent a second time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Engine

from tasks.push import outbox
from tasks.push.fingerprint import changed_parts
from tasks.push.outbox import Push, PushState
from tasks.records.models import Order
from tasks.records.money import show_money
from tasks.thiio.connection import ThiioConnection

ORDERS_AT_ONCE = 500


def watch_pushed(engine: Engine, thiio: ThiioConnection, *, now: datetime, days: int) -> list[str]:
    """Compare the orders pushed in the last `days` with what was sent; returns a sentence a new change.

    The difference stands on the push until it is gone. Money, lines, names and addresses count; status and
    dates live on by themselves.
    """
    with engine.begin() as connection:
        since = now - timedelta(days=days)
        pushed = outbox.find_pushes(connection, (PushState.CONFIRMED,), closed_since=since)
    told = []
    for chunk in _chunks([push for push in pushed if push.fingerprint]):
        orders = {order.id: order for order in thiio.find_orders([push.thiio_order_id for push in chunk])}
        for push in chunk:
            order = orders.get(push.thiio_order_id)
            if order is None:  # deleted in Thiio: reconcile-orders finds it missing
                continue
            reason = describe_change(push, order)
            if reason != push.reason:
                with engine.begin() as connection:
                    outbox.note_change(connection, push, reason, _remedy(push) if reason else None, now=now)
                told += [f"Thiio order {push.thiio_order_id}: {reason}"] if reason else []
    return told


def describe_change(push: Push, order: Order) -> str | None:
    """Say how a Thiio order differs from what was sent, or None; names no customer."""
    parts = changed_parts(push.fingerprint or "{}", order)
    if not parts:
        return None
    total = ""
    if "total" in parts:
        before = show_money(push.total_cents, push.currency)
        total = f" (total {before} before, {show_money(order.total_cents, order.currency)} now)"
    return f"It was changed in Thiio after it was pushed: {', '.join(parts)}{total}."


def _remedy(push: Push) -> str:
    return (
        "It is not sent again. Make the change by hand in UltraCart order "
        f"{push.ultracart_order_id}, or take it back in Thiio."
    )


def _chunks(pushes: Sequence[Push]) -> Iterator[Sequence[Push]]:
    return (pushes[at : at + ORDERS_AT_ONCE] for at in range(0, len(pushes), ORDERS_AT_ONCE))
