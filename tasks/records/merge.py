"""Join two snapshots of one record: each part comes from the newer snapshot that holds it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

from tasks.records.models import CUSTOMER_PARTS, ORDER_PARTS, Customer, Order

Record = TypeVar("Record", Customer, Order)
Stamps = dict[str, datetime]
"""Which part was seen, as of when."""


def stamps_of(record: Customer | Order) -> Stamps:
    """Date every part that a fresh snapshot holds."""
    return dict.fromkeys(record.parts, record.as_of)


def merge(stored: Record, stamps: Stamps, incoming: Record) -> tuple[Record, Stamps]:
    """Take each part of `incoming` that is not older than what is stored; the result has both's parts.

    Snapshots of different dates give the same result in any order. Between two of the same date the later
    arrival wins, except that a refund never shrinks: its amount is cumulative at the source.
    """
    parts = CUSTOMER_PARTS if isinstance(incoming, Customer) else ORDER_PARTS
    taken = [name for name in incoming.parts if name not in stamps or stamps[name] <= incoming.as_of]
    changes: dict[str, Any] = {field: getattr(incoming, field) for part in taken for field in parts[part]}
    if changes.get("refunded_cents") is not None and isinstance(stored, Order):
        changes["refunded_cents"] = max(changes["refunded_cents"], stored.refunded_cents or 0)
    merged = replace(
        stored,
        **changes,
        as_of=max(stored.as_of, incoming.as_of),
        parts=stored.parts | incoming.parts,
    )
    return merged, {**stamps, **dict.fromkeys(taken, incoming.as_of)}
