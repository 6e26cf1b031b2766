"""Our tables. Each names the one room that writes it; every room may read, and `erasure` makes columns empty.

Money columns end in `_cents`: integer minor units of `currency`. Times are aware UTC. Ids of remote systems
are text: they are opaque, and one side's ids may have leading zeros.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from tasks.database.column_types import Id, Json, UtcDateTime

SCHEMA_VERSION = "0004"
"""The Alembic revision these tables are at; a test compares it with migrations/."""

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _key() -> Column[Any]:
    return Column("id", Id, primary_key=True, autoincrement=True)


# ---- inbox (room: inbox)

inbox_events = Table(
    "inbox_events",
    metadata,
    _key(),
    Column("source", String(16), nullable=False),  # ultracart, thiio
    Column("name", String(80), nullable=False),  # order_create, …
    Column("entity", String(16), nullable=False),  # customer, order, other
    Column("entity_id", String(120)),
    Column("digest", String(64), nullable=False),  # sha256 of name + canonical object
    Column("found_by", String(16), nullable=False),  # tasks.inbox.events.FoundBy
    Column("state", String(16), nullable=False),  # tasks.inbox.events.EventState
    Column("reason", Text),  # why skipped, dead or waiting again
    Column("attempts", Integer, nullable=False, default=0),  # counted when claimed
    Column("deliveries", Integer, nullable=False, default=1),  # how often the same event came
    Column("replays", Integer, nullable=False, default=0, server_default="0"),  # by a person
    Column("due_at", UtcDateTime, nullable=False),
    Column("lease_owner", String(120)),
    Column("lease_token", String(32)),  # fences a worker whose lease ran out
    Column("lease_until", UtcDateTime),
    Column("received_at", UtcDateTime, nullable=False),
    Column("last_received_at", UtcDateTime, nullable=False),
    Column("closed_at", UtcDateTime),
    UniqueConstraint("source", "digest"),
    Index("ix_inbox_events_state_due_at", "state", "due_at"),
    Index("ix_inbox_events_entity_entity_id", "entity", "entity_id"),
)

inbox_payloads = Table(
    # Apart from inbox_events: closing an event rewrites its row, and would rewrite a payload in it too.
    "inbox_payloads",
    metadata,
    Column("event_id", Id, ForeignKey("inbox_events.id", ondelete="CASCADE"), primary_key=True),
    Column("body", Text, nullable=False),  # the object of the event as JSON, redacted
)

# ---- notifications (room: notifications)

notifications = Table(
    "notifications",
    metadata,
    _key(),
    Column("direction", String(8), nullable=False),  # in, out
    Column("system", String(16), nullable=False),  # ultracart, thiio
    Column("operation", String(160), nullable=False),  # order_create, POST /channel_partner/import
    Column("entity", String(16)),
    Column("entity_id", String(120)),
    Column("status", String(16), nullable=False),  # tasks.notifications.log.NotificationStatus
    Column("http_status", Integer),
    Column("request_id", String(120)),
    Column("duration_ms", Integer),
    Column("sent", Text),  # redacted
    Column("received", Text),  # redacted
    Column("reason", Text),
    Column("event_id", Id),
    Column("run_id", String(40)),
    Column("created_at", UtcDateTime, nullable=False),
    Index("ix_notifications_created_at", "created_at"),
    Index("ix_notifications_status_created_at", "status", "created_at"),
    Index("ix_notifications_entity_entity_id", "entity", "entity_id"),
    Index("ix_notifications_event_id", "event_id"),
)

# ---- records (room: records)

customers = Table(
    "customers",
    metadata,
    Column("side", String(16), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("as_of", UtcDateTime, nullable=False),  # the object's own last date
    Column("parts", Json, nullable=False),  # which part was seen, as of when
    Column("created_at", UtcDateTime),
    Column("email", String(200)),
    Column("email_key", String(200)),  # trimmed, case-folded
    Column("first_name", String(100)),
    Column("last_name", String(100)),
    Column("phone", String(40)),  # E.164 where valid
    Column("line1", String(200)),
    Column("line2", String(200)),
    Column("city", String(100)),
    Column("state", String(64)),
    Column("postal_code", String(32)),
    Column("country", String(2)),
    Column("is_deleted", Boolean, nullable=False, default=False),
    Column("digest", BigInteger, nullable=False),
    Column("stored_at", UtcDateTime, nullable=False),
    Index("ix_customers_side_email_key", "side", "email_key"),
    Index("ix_customers_side_as_of", "side", "as_of"),
)

orders = Table(
    "orders",
    metadata,
    Column("side", String(16), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("as_of", UtcDateTime, nullable=False),
    Column("parts", Json, nullable=False),
    Column("placed_at", UtcDateTime),
    Column("status", String(16)),  # tasks.records.models.OrderStatus
    Column("stage", String(64)),  # the remote system's own word
    Column("customer_id", String(64)),
    Column("email", String(200)),
    Column("email_key", String(200)),
    Column("first_name", String(100)),
    Column("last_name", String(100)),
    Column("phone", String(40)),
    Column("line1", String(200)),
    Column("line2", String(200)),
    Column("city", String(100)),
    Column("state", String(64)),
    Column("postal_code", String(32)),
    Column("country", String(2)),
    Column("currency", String(3)),
    Column("subtotal_cents", BigInteger),
    Column("discount_cents", BigInteger),
    Column("shipping_cents", BigInteger),
    Column("tax_cents", BigInteger),
    Column("total_cents", BigInteger),
    Column("refunded_cents", BigInteger),  # cumulative
    Column("payment_method", String(64)),
    Column("payment_status", String(32)),
    Column("gateway_code", String(64)),
    Column("is_test", Boolean),
    Column("tracking_numbers", Json),
    Column("shipping_method", String(120)),
    Column("rejected_at", UtcDateTime),
    Column("refunded_at", UtcDateTime),
    Column("shipped_at", UtcDateTime),
    Column("original_order_id", String(64)),  # set on a rebill
    Column("partner_order_id", String(64)),  # ultracart: our id of a pushed order
    Column("other_side_id", String(64)),  # thiio: the UltraCart order id it names
    Column("is_deleted", Boolean, nullable=False, default=False),
    Column("digest", BigInteger, nullable=False),
    Column("stored_at", UtcDateTime, nullable=False),
    Index("ix_orders_side_placed_at", "side", "placed_at"),
    Index("ix_orders_side_as_of", "side", "as_of"),
    Index("ix_orders_side_email_key", "side", "email_key"),
    Index("ix_orders_partner_order_id", "partner_order_id"),
    Index("ix_orders_other_side_id", "other_side_id"),
)

order_lines = Table(
    "order_lines",
    metadata,
    Column("side", String(16), primary_key=True),
    Column("order_id", String(64), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("item_id", String(64)),  # UltraCart's item id on both sides; null: product without mapping
    Column("product_id", String(64)),  # Thiio's own
    Column("description", Text),
    Column("quantity", String(32), nullable=False),  # decimal text: UltraCart allows fractions
    Column("unit_price_cents", BigInteger),
    Column("total_cents", BigInteger),
    Column("is_component", Boolean, nullable=False, default=False),  # part of a kit: not counted
)

links = Table(
    "links",
    metadata,
    Column("entity", String(16), primary_key=True),
    Column("ultracart_id", String(64), primary_key=True),
    Column("thiio_id", String(64), nullable=False),
    Column("rule", String(32), nullable=False),  # which rule matched them
    Column("linked_at", UtcDateTime, nullable=False),
    UniqueConstraint("entity", "thiio_id"),
)

watermarks = Table(
    "watermarks",
    metadata,
    Column("name", String(80), primary_key=True),
    Column("reached_at", UtcDateTime, nullable=False),
    Column("moved_at", UtcDateTime, nullable=False),
)

# ---- mapping sources (room: records; read from Thiio and UltraCart)

products = Table(
    "products",
    metadata,
    Column("side", String(16), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("name", Text),
    Column("is_active", Boolean, nullable=False, default=True),
    Column("is_sold", Boolean, nullable=False, default=True),
    Column("stored_at", UtcDateTime, nullable=False),
)

product_metadata = Table(
    "product_metadata",
    metadata,
    Column("product_id", String(64), primary_key=True),
    Column("key", String(120), primary_key=True),
    Column("value", Text, nullable=False),
)

gateways = Table(
    "gateways",
    metadata,
    Column("side", String(16), primary_key=True),
    Column("id", String(64), primary_key=True),  # thiio: gateway id; ultracart: gateway code
    Column("name", Text),
    Column("gateway_code", String(64)),  # thiio: what an agent pasted; ultracart: its code
    Column("is_active", Boolean, nullable=False, default=True),
    Column("payment_methods_store", Boolean),  # thiio only
    Column("stored_at", UtcDateTime, nullable=False),
)

# ---- push (room: push)

pushes = Table(
    "pushes",
    metadata,
    Column("thiio_order_id", String(64), primary_key=True),
    Column("partner_order_id", String(64), nullable=False, unique=True),
    Column("state", String(16), nullable=False),  # tasks.push.outbox.PushState
    Column("reason", Text),
    Column("remedy", Text),
    Column("body", Text),  # exactly what is sent
    Column("attempts", Integer, nullable=False, default=0),  # counted before sending
    Column("lookups", Integer, nullable=False, default=0),  # empty look-ups since the last sending
    Column("next_lookup_at", UtcDateTime),  # no look-up before this, where it is in doubt
    Column("fingerprint", Text),  # of the Thiio order that the body was made of: tasks.push.fingerprint
    Column("ultracart_order_id", String(64)),
    Column("total_cents", BigInteger),
    Column("currency", String(3)),
    Column("planned_at", UtcDateTime, nullable=False),
    Column("released_at", UtcDateTime),  # a person lets it go in spite of its age
    Column("sent_at", UtcDateTime),
    Column("closed_at", UtcDateTime),
    Column("changed_at", UtcDateTime, nullable=False),
    Index("ix_pushes_state", "state"),
)

# ---- reconcile (room: reconcile)

reconcile_runs = Table(
    "reconcile_runs",
    metadata,
    _key(),
    Column("entity", String(16), nullable=False),
    Column("start_at", UtcDateTime, nullable=False),
    Column("end_at", UtcDateTime, nullable=False),
    Column("config_hash", String(16), nullable=False),
    Column("ultracart_count", Integer),
    Column("thiio_count", Integer),
    Column("paired_count", Integer),
    Column("equal_count", Integer),
    Column("mismatch_count", Integer),
    Column("settling_count", Integer),  # too young to be judged
    Column("started_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("run_id", String(40)),
)

mismatches = Table(
    "mismatches",
    metadata,
    _key(),
    Column("entity", String(16), nullable=False),
    Column("kind", String(24), nullable=False),  # tasks.reconcile.compare.MismatchKind
    Column("field", String(40), nullable=False, default=""),
    Column("ultracart_id", String(64), nullable=False, default=""),
    Column("thiio_id", String(64), nullable=False, default=""),
    Column("ultracart_value", Text),
    Column("thiio_value", Text),
    Column("amount_cents", BigInteger),  # money in disagreement, where the field is money
    Column("placed_at", UtcDateTime),  # of the order, or when the customer was created: for windows
    Column("cause", Text),
    Column("remedy", Text),
    Column("state", String(16), nullable=False),  # open, resolved, ignored
    Column("reason", Text),  # how it was resolved, or why a person ignores it
    Column("config_hash", String(16), nullable=False),
    Column("first_seen_at", UtcDateTime, nullable=False),
    Column("last_seen_at", UtcDateTime, nullable=False),
    Column("times_seen", Integer, nullable=False, default=1),
    Column("closed_at", UtcDateTime),
    UniqueConstraint("entity", "kind", "field", "ultracart_id", "thiio_id"),
    Index("ix_mismatches_state_kind", "state", "kind"),
)

windows = Table(
    "windows",
    metadata,
    Column("job", String(120), primary_key=True),  # e.g. backfill:orders
    Column("start_at", UtcDateTime, primary_key=True),
    Column("end_at", UtcDateTime, primary_key=True),
    Column("state", String(16), nullable=False),  # planned, done
    Column("row_count", Integer),
    Column("done_at", UtcDateTime),
)

# ---- ultracart (room: ultracart)

call_budgets = Table(
    "call_budgets",
    metadata,
    Column("key_hash", String(16), primary_key=True),  # of the API key, which is not kept
    Column("hour_level", Float, nullable=False),  # calls that the hourly limit still counts
    Column("day_level", Float, nullable=False),  # the same for the daily limit
    Column("counted_at", UtcDateTime, nullable=False),  # when both levels were right
    Column("holder", String(32)),  # token of the call in flight
    Column("held_until", UtcDateTime),
    Column("blocked_until", UtcDateTime),  # UltraCart said to wait
)

# ---- every room (module tasks.database.lease)

leases = Table(
    "leases",
    metadata,
    Column("name", String(80), primary_key=True),
    Column("owner", String(120), nullable=False),
    Column("token", String(32), nullable=False),
    Column("until", UtcDateTime, nullable=False),
)
