"""The terms of one run: what counts as a mismatch. Frozen when the run starts, and known by their hash."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import Connection, func, select

from tasks.database import tables
from tasks.reconcile.fields import FIELDS, ComparedField, Tolerances
from tasks.reconcile.pairing import RULES, Rule
from tasks.records.models import Entity, Window
from tasks.settings import Settings, ThiioConnection

PULLS = ("pull-records:ultracart", "pull-records:thiio")
"""The watermarks that tell how far each side was read."""
NOT_JUDGED_BY = frozenset(
    {
        "overlap_minutes", "first_window_days", "partitions", "task_runner", "dask_address",
        "ultracart_owned_fields", "thiio_owned_fields",
    }
)  # fmt: skip
"""Settings that say where to look, how, and what to repair: not what counts as a mismatch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a run goes by; times are aware UTC."""

    now: datetime
    settled_until: datetime  # a record whose own last date is later is not judged yet
    rejected_since: datetime  # UltraCart has deleted orders that were rejected earlier
    pushable_since: datetime  # push-orders answers for phone orders placed later
    tolerances: Tolerances
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
        tolerances=Tolerances(
            cents=reconcile.total_tolerance_cents,
            time=timedelta(minutes=reconcile.date_tolerance_minutes),
        ),
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


def hash_config(
    settings: Settings,
    fields: Mapping[Entity, Sequence[ComparedField]] = FIELDS,
    rules: Mapping[Entity, Sequence[Rule]] = RULES,
) -> str:
    """Hash compared fields, tolerances and rules: two runs of one hash judged alike. 16 hex digits."""
    config = [
        [[entity, asdict(field)] for entity, compared in fields.items() for field in compared],
        [[entity, asdict(rule)] for entity, ladder in rules.items() for rule in ladder],
        settings.reconcile.model_dump(mode="json", exclude=set(NOT_JUDGED_BY)),
        settings.push.partner_order_prefix,
        settings.push.max_age_days,
        settings.thiio.connection,
    ]
    packed = msgspec.json.encode(config, order="deterministic")
    return hashlib.sha256(packed).hexdigest()[:16]
