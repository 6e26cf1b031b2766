"""Join two snapshots of one record: each part comes from the newer snapshot that holds it."""

from __future__ import annotations

from collections.abc import Mapping
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


def merge(
    stored: Record, stamps: Stamps, incoming: Record, *, keep_on_tie: bool = False
) -> tuple[Record, Stamps]:
    """Take each part of `incoming` that is not older than what is stored; the result has both's parts.

    Snapshots of different dates give the same result in any order. Between two of the same date the later
    arrival wins, as fits what was read just now; with `keep_on_tie` what is stored stays. A refund never
    shrinks: its amount is cumulative at the source.
    """
    parts = _fields_of(incoming)
    taken = [name for name in incoming.parts if _is_taken(stamps.get(name), incoming.as_of, keep_on_tie)]
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


def contradicted_parts(stored: Record, stamps: Stamps, incoming: Record) -> frozenset[str]:
    """Name the parts that two snapshots of the same date tell differently: which is newer cannot be known.

    UltraCart's dates are whole seconds, and an edit of an order has none at all.
    """
    parts = _fields_of(incoming)
    return frozenset(
        name
        for name in incoming.parts
        if stamps.get(name) == incoming.as_of
        and any(getattr(stored, field) != getattr(incoming, field) for field in parts[name])
    )


def _is_taken(stamp: datetime | None, as_of: datetime, keep_on_tie: bool) -> bool:
    return stamp is None or stamp < as_of or (stamp == as_of and not keep_on_tie)


def _fields_of(record: Customer | Order) -> Mapping[str, tuple[str, ...]]:
    return CUSTOMER_PARTS if isinstance(record, Customer) else ORDER_PARTS
