"""The terms of one run: what counts as a mismatch. Frozen when the run starts, and known by their hash."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import Connection, func, select

from tasks.database import tables
from tasks.reconcile.fields import FIELDS
from tasks.reconcile.pairing import RULES
from tasks.records.models import Window
from tasks.settings import Settings, ThiioConnection

PULLS = ("pull-records:ultracart", "pull-records:thiio")
"""The watermarks that tell how far each side was read."""
NO_VERDICT = {"overlap_minutes", "first_window_days", "partitions", "task_runner", "dask_address"}
"""Settings that say which records are judged and where, not how."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a run goes by; times are aware UTC."""

    now: datetime
    settled_until: datetime  # a record whose own last date is later is not judged yet
    rejected_since: datetime  # UltraCart has deleted orders that were rejected earlier
    pushable_since: datetime  # push-orders answers for phone orders placed later
    tolerance_cents: int
    partner_order_prefix: str
    thiio_names_ultracart: bool  # Thiio's orders can name the UltraCart order
    config_hash: str


def make_terms(connection: Connection, settings: Settings, window: Window, now: datetime) -> Terms:
    """Fix the terms of a run over `window` that starts `now`."""
    reconcile = settings.reconcile
    # Whoever names a window answers for both sides having been read up to its end.
    read_until = min(now, max(window.end, read_up_to(connection, now)))
    return Terms(
        now=now,
        settled_until=read_until - timedelta(minutes=reconcile.settle_minutes),
        rejected_since=now - timedelta(days=reconcile.rejected_retention_days),
        pushable_since=now - timedelta(days=settings.push.max_age_days),
        tolerance_cents=reconcile.total_tolerance_cents,
        partner_order_prefix=settings.push.partner_order_prefix,
        thiio_names_ultracart=settings.thiio.connection is ThiioConnection.DATABASE,
        config_hash=hash_config(settings),
    )


def read_up_to(connection: Connection, now: datetime) -> datetime:
    """Give the time up to which both sides were pulled; `now` if no pull has left a watermark.

    What one side did later cannot be missed on the other yet: nobody has looked.
    """
    table = tables.watermarks
    reached = connection.scalar(select(func.min(table.c.reached_at)).where(table.c.name.in_(PULLS)))
    return min(now, reached) if reached else now


def hash_config(settings: Settings) -> str:
    """Hash compared fields, tolerances and rules: two runs of one hash judged alike. 16 hex digits."""
    config = [
        [[entity, *field] for entity, fields in FIELDS.items() for field in map(msgspec.to_builtins, fields)],
        [[entity, rule.name] for entity, rules in RULES.items() for rule in rules],
        settings.reconcile.model_dump(mode="json", exclude=NO_VERDICT),
        settings.push.partner_order_prefix,
        settings.push.max_age_days,
        settings.thiio.connection,
    ]
    packed = msgspec.json.encode(config, order="deterministic")
    return hashlib.sha256(packed).hexdigest()[:16]
