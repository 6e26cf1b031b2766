"""Our tables, of which `deployments/DATA.md` is made. Each names the room that writes it; all may read, and
`erasure` makes columns empty.

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

SCHEMA_VERSION = "0007"
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
    return Column("id", Id, primary_key=True, autoincrement=True, doc="Counts up")


# ---- inbox (room: inbox)

inbox_events = Table(
    "inbox_events",
    metadata,
    _key(),
    Column("source", String(16), nullable=False, doc="Who told: `ultracart` or `thiio`"),
    Column("name", String(80), nullable=False, doc="The sender's name of it: `order_create`, …"),
    Column("entity", String(16), nullable=False, doc="What it is about: `customer`, `order`, `other`"),
    Column("entity_id", String(120), doc="The sender's id of that"),
    Column(
        "digest",
        String(64),
        nullable=False,
        doc="sha256 of name and canonical object: the same event comes in once",
    ),
    Column("found_by", String(16), nullable=False, doc="How we learnt of it (`tasks.inbox.events.FoundBy`)"),
    Column("state", String(16), nullable=False, doc="Where it stands (`tasks.inbox.events.EventState`)"),
    Column("reason", Text, doc="Why it was skipped, is dead, or waits again"),
    Column("attempts", Integer, nullable=False, default=0, doc="Tries so far, counted when it is claimed"),
    Column("deliveries", Integer, nullable=False, default=1, doc="How often the same event came"),
    Column(
        "replays",
        Integer,
        nullable=False,
        default=0,
        server_default="0",
        doc="How often a person put it back",
    ),
    Column("due_at", UtcDateTime, nullable=False, doc="Not before this it is claimed"),
    Column("lease_owner", String(120), doc="The worker that has it"),
    Column("lease_token", String(32), doc="Fences a worker whose lease ran out"),
    Column("lease_until", UtcDateTime, doc="Until when the worker has it"),
    Column("received_at", UtcDateTime, nullable=False, doc="When it came first"),
    Column("last_received_at", UtcDateTime, nullable=False, doc="When it came last"),
    Column("closed_at", UtcDateTime, doc="When it was done, skipped, or given up"),
    UniqueConstraint("source", "digest"),
    Index("ix_inbox_events_state_due_at", "state", "due_at"),
    Index("ix_inbox_events_entity_entity_id", "entity", "entity_id"),
    info={"doc": "An event that came by webhook, or that we found ourselves, and what became of it."},
)

inbox_payloads = Table(
    "inbox_payloads",
    metadata,
    Column(
        "event_id", Id, ForeignKey("inbox_events.id", ondelete="CASCADE"), primary_key=True, doc="The event"
    ),
    Column("body", Text, nullable=False, doc="The object of the event as JSON, redacted"),
    info={"doc": "What an event brought, apart from its row: closing an event rewrites the row."},
)

# ---- notifications (room: notifications)

notifications = Table(
    "notifications",
    metadata,
    _key(),
    Column("direction", String(8), nullable=False, doc="`in`: they called us; `out`: we called them"),
    Column("system", String(16), nullable=False, doc="`ultracart` or `thiio`"),
    Column("operation", String(160), nullable=False, doc="`order_create`, `POST /channel_partner/import`, …"),
    Column("entity", String(16), doc="`customer`, `order`, `other`"),
    Column("entity_id", String(120), doc="The system's id of it"),
    Column(
        "status",
        String(16),
        nullable=False,
        doc="How it ended (`tasks.notifications.log.NotificationStatus`)",
    ),
    Column("http_status", Integer, doc="Status of the answer"),
    Column("request_id", String(120), doc="The system's own id of the request"),
    Column("duration_ms", Integer, doc="Milliseconds until the answer"),
    Column("sent", Text, doc="What was sent, redacted"),
    Column("received", Text, doc="What was received, redacted"),
    Column("reason", Text, doc="Why it did not succeed"),
    Column("event_id", Id, doc="The inbox event it belongs to"),
    Column("run_id", String(40), doc="The Prefect flow run it belongs to"),
    Column("created_at", UtcDateTime, nullable=False, doc="When it ended"),
    Index("ix_notifications_created_at", "created_at"),
    Index("ix_notifications_status_created_at", "status", "created_at"),
    Index("ix_notifications_entity_entity_id", "entity", "entity_id"),
    Index("ix_notifications_event_id", "event_id"),
    info={"doc": "One exchange with either system."},
)

# ---- records (room: records)

customers = Table(
    "customers",
    metadata,
    Column("side", String(16), primary_key=True, doc="Whose record: `ultracart` or `thiio`"),
    Column("id", String(64), primary_key=True, doc="That side's id"),
    Column("as_of", UtcDateTime, nullable=False, doc="The record's own last date: what this is a picture of"),
    Column("parts", Json, nullable=False, doc="Which parts were seen, and as of when"),
    Column("created_at", UtcDateTime, doc="When the customer was made there"),
    Column("email", String(200), doc="E-mail address as it was told"),
    Column("email_key", String(200), doc="The same trimmed and case-folded: what is compared"),
    Column("first_name", String(100), doc="First name"),
    Column("last_name", String(100), doc="Last name"),
    Column("phone", String(40), doc="Telephone number, E.164 where it is valid"),
    Column("line1", String(200), doc="Street and number"),
    Column("line2", String(200), doc="Apartment, floor"),
    Column("city", String(100), doc="City"),
    Column("state", String(64), doc="State or province, as a code where it is known"),
    Column("postal_code", String(32), doc="Postal code"),
    Column("country", String(2), doc="ISO 3166 code of two letters"),
    Column("is_deleted", Boolean, nullable=False, default=False, doc="Deleted there"),
    Column("digest", BigInteger, nullable=False, doc="Hash of the compared fields, the same on both sides"),
    Column("stored_at", UtcDateTime, nullable=False, doc="When this row was written"),
    Index("ix_customers_side_email_key", "side", "email_key"),
    Index("ix_customers_side_phone", "side", "phone"),
    Index("ix_customers_side_as_of", "side", "as_of"),
    Index("ix_customers_side_created_at", "side", "created_at"),
    info={"doc": "Our copy of a customer of one side."},
)

VERDICT_COLUMNS = (
    "digest", "is_deleted", "is_test", "other_side_id", "partner_order_id", "rejected_at", "refunded_at",
    "shipped_at",
)  # fmt: skip

orders = Table(
    "orders",
    metadata,
    Column("side", String(16), primary_key=True, doc="Whose record: `ultracart` or `thiio`"),
    Column("id", String(64), primary_key=True, doc="That side's id"),
    Column("as_of", UtcDateTime, nullable=False, doc="The record's own last date: what this is a picture of"),
    Column("parts", Json, nullable=False, doc="Which parts were seen, and as of when"),
    Column("placed_at", UtcDateTime, doc="When the customer ordered"),
    Column("status", String(16), doc="The status in our words (`tasks.records.models.OrderStatus`)"),
    Column("stage", String(64), doc="The side's own word for it"),
    Column("customer_id", String(64), doc="That side's id of the customer"),
    Column("email", String(200), doc="E-mail address as it was told"),
    Column("email_key", String(200), doc="The same trimmed and case-folded: what is compared"),
    Column("first_name", String(100), doc="First name of the bill"),
    Column("last_name", String(100), doc="Last name of the bill"),
    Column("phone", String(40), doc="Telephone number of the bill, E.164 where it is valid"),
    Column("line1", String(200), doc="Street and number of the bill"),
    Column("line2", String(200), doc="Apartment, floor of the bill"),
    Column("city", String(100), doc="City of the bill"),
    Column("state", String(64), doc="State or province, of the bill, as a code where it is known"),
    Column("postal_code", String(32), doc="Postal code of the bill"),
    Column("country", String(2), doc="ISO 3166 code of the bill, two letters"),
    Column("currency", String(3), doc="ISO 4217 code"),
    Column("subtotal_cents", BigInteger, doc="Sum of the lines before discount"),
    Column("discount_cents", BigInteger, doc="Discount on the subtotal, positive"),
    Column("shipping_cents", BigInteger, doc="Shipping and handling"),
    Column("tax_cents", BigInteger, doc="Tax"),
    Column("total_cents", BigInteger, doc="What the customer pays"),
    Column("refunded_cents", BigInteger, doc="All refunds so far, positive"),
    Column("payment_method", String(64), doc="UltraCart's name of the way to pay"),
    Column("payment_status", String(32), doc="UltraCart's word for the state of the payment"),
    Column("gateway_code", String(64), doc="UltraCart's code of the gateway that charged"),
    Column("is_test", Boolean, doc="A test order"),
    Column("tracking_numbers", Json, doc="Of all shipments"),
    Column("shipping_method", String(120), doc="UltraCart's name of the way to ship"),
    Column("rejected_at", UtcDateTime, doc="When it was rejected or cancelled"),
    Column("refunded_at", UtcDateTime, doc="When money was given back last"),
    Column("shipped_at", UtcDateTime, doc="First shipment"),
    Column("original_order_id", String(64), doc="On a rebill: the order it repeats"),
    Column("partner_order_id", String(64), doc="On UltraCart's side: our id of an order that we pushed"),
    Column("other_side_id", String(64), doc="On Thiio's side: the UltraCart order that it names"),
    Column("is_deleted", Boolean, nullable=False, default=False, doc="Deleted there"),
    Column("digest", BigInteger, nullable=False, doc="Hash of the compared fields, the same on both sides"),
    Column("stored_at", UtcDateTime, nullable=False, doc="When this row was written"),
    # All that a comparison reads of an order: no row is read of pairs that agree.
    Index("ix_orders_verdict_by_date", "side", "placed_at", "as_of", "id", *VERDICT_COLUMNS),
    Index("ix_orders_verdict_by_id", "side", "id", "placed_at", "as_of", *VERDICT_COLUMNS),
    Index("ix_orders_side_as_of", "side", "as_of"),
    Index("ix_orders_side_email_key", "side", "email_key"),
    Index("ix_orders_side_partner_order_id", "side", "partner_order_id"),
    Index("ix_orders_side_other_side_id", "side", "other_side_id"),
    info={"doc": "Our copy of an order of one side."},
)

order_lines = Table(
    "order_lines",
    metadata,
    Column("side", String(16), primary_key=True, doc="Whose order"),
    Column("order_id", String(64), primary_key=True, doc="That side's id of it"),
    Column("position", Integer, primary_key=True, doc="Place in the order, from 1"),
    Column("item_id", String(64), doc="UltraCart's item id on both sides; NULL: a product without mapping"),
    Column("product_id", String(64), doc="Thiio's own product"),
    Column("description", Text, doc="What was sold, for people"),
    Column("quantity", String(32), nullable=False, doc="Decimal text: UltraCart allows fractions"),
    Column("unit_price_cents", BigInteger, doc="Price of one"),
    Column("total_cents", BigInteger, doc="Price of the line"),
    Column(
        "is_component", Boolean, nullable=False, default=False, doc="Part of a kit, whose own line counts"
    ),
    info={"doc": "A line of such an order, in UltraCart's terms."},
)

links = Table(
    "links",
    metadata,
    Column("entity", String(16), primary_key=True, doc="`customer` or `order`"),
    Column("ultracart_id", String(64), primary_key=True, doc="UltraCart's id"),
    Column("thiio_id", String(64), nullable=False, doc="Thiio's id"),
    Column("rule", String(32), nullable=False, doc="The rule that matched them"),
    Column("linked_at", UtcDateTime, nullable=False, doc="When"),
    UniqueConstraint("entity", "thiio_id"),
    info={"doc": "Which UltraCart record belongs to which Thiio record, one to one."},
)

watermarks = Table(
    "watermarks",
    metadata,
    Column("name", String(80), primary_key=True, doc="Flow and side"),
    Column("reached_at", UtcDateTime, nullable=False, doc="Everything before this was seen"),
    Column("moved_at", UtcDateTime, nullable=False, doc="When it moved last"),
    info={"doc": "How far a flow has come in time."},
)

# ---- mapping sources (room: records; read from Thiio and UltraCart)

products = Table(
    "products",
    metadata,
    Column("side", String(16), primary_key=True, doc="Whose: `ultracart` or `thiio`"),
    Column("id", String(64), primary_key=True, doc="Thiio's product id, UltraCart's item id"),
    Column("name", Text, doc="Name for people"),
    Column("is_active", Boolean, nullable=False, default=True, doc="Can be sold at all"),
    Column("is_sold", Boolean, nullable=False, default=True, doc="Is sold by itself, not only within a kit"),
    Column("stored_at", UtcDateTime, nullable=False, doc="When this row was written"),
    info={"doc": "Our copy of a product of Thiio or an item of UltraCart."},
)

product_metadata = Table(
    "product_metadata",
    metadata,
    Column("product_id", String(64), primary_key=True, doc="The product"),
    Column("key", String(120), primary_key=True, doc="`ultracart_item_id`, …"),
    Column("value", Text, nullable=False, doc="The item's id, …"),
    info={"doc": "What Thiio's product says of itself: there stands its UltraCart item."},
)

gateways = Table(
    "gateways",
    metadata,
    Column("side", String(16), primary_key=True, doc="Whose: `ultracart` or `thiio`"),
    Column("id", String(64), primary_key=True, doc="Thiio's gateway id, UltraCart's gateway code"),
    Column("name", Text, doc="Name for people"),
    Column("gateway_code", String(64), doc="Thiio: the code that was pasted; UltraCart: its code"),
    Column("is_active", Boolean, nullable=False, default=True, doc="In use"),
    Column("payment_methods_store", Boolean, doc="Thiio: whether that setting is on"),
    Column("stored_at", UtcDateTime, nullable=False, doc="When this row was written"),
    info={"doc": "Our copy of a payment gateway of either side."},
)

# ---- push (room: push)

pushes = Table(
    "pushes",
    metadata,
    Column("thiio_order_id", String(64), primary_key=True, doc="Thiio's order"),
    Column("partner_order_id", String(64), nullable=False, unique=True, doc="Our id of it at UltraCart"),
    Column("state", String(16), nullable=False, doc="Where it stands (`tasks.push.outbox.PushState`)"),
    Column("reason", Text, doc="Why it is held, refused or in doubt"),
    Column("remedy", Text, doc="What a person does about it"),
    Column("body", Text, doc="Exactly what is sent"),
    Column("attempts", Integer, nullable=False, default=0, doc="Sendings, counted before each"),
    Column("lookups", Integer, nullable=False, default=0, doc="Empty look-ups since the last sending"),
    Column("next_lookup_at", UtcDateTime, doc="No look-up before this, where it is in doubt"),
    Column(
        "fingerprint", Text, doc="Hashes of the order that the body was made of (`tasks.push.fingerprint`)"
    ),
    Column("ultracart_order_id", String(64), doc="What it became"),
    Column("total_cents", BigInteger, doc="The order's total"),
    Column("currency", String(3), doc="ISO 4217 code"),
    Column("planned_at", UtcDateTime, nullable=False, doc="When it was planned first"),
    Column("released_at", UtcDateTime, doc="When a person let it go in spite of its age"),
    Column("sent_at", UtcDateTime, doc="When it was sent last"),
    Column("closed_at", UtcDateTime, doc="When it was confirmed or refused"),
    Column("changed_at", UtcDateTime, nullable=False, doc="Last change of this row"),
    Index("ix_pushes_state", "state"),
    info={"doc": "A phone order on its way to UltraCart: the outbox."},
)

# ---- reconcile (room: reconcile)

reconcile_runs = Table(
    "reconcile_runs",
    metadata,
    _key(),
    Column("entity", String(16), nullable=False, doc="`customer` or `order`"),
    Column("start_at", UtcDateTime, nullable=False, doc="First moment of the window"),
    Column("end_at", UtcDateTime, nullable=False, doc="First moment after it"),
    Column("config_hash", String(16), nullable=False, doc="Hash of compared fields, tolerances and rules"),
    Column("ultracart_count", Integer, doc="UltraCart's records in the window"),
    Column("thiio_count", Integer, doc="Thiio's"),
    Column("paired_count", Integer, doc="Pairs"),
    Column("equal_count", Integer, doc="Pairs that agree"),
    Column("mismatch_count", Integer, doc="Mismatches found"),
    Column("settling_count", Integer, doc="Records too young to be judged"),
    Column("started_at", UtcDateTime, nullable=False, doc="When it began"),
    Column("ended_at", UtcDateTime, doc="When it ended; NULL: it is at work, or was killed"),
    Column("run_id", String(40), doc="The Prefect flow run"),
    info={"doc": "One comparison of a window, and what it counted."},
)

mismatches = Table(
    "mismatches",
    metadata,
    _key(),
    Column("entity", String(16), nullable=False, doc="`customer` or `order`"),
    Column("kind", String(24), nullable=False, doc="Which sort (`tasks.reconcile.mismatch.MismatchKind`)"),
    Column(
        "field", String(40), nullable=False, default="", doc="The field that differs; empty for other kinds"
    ),
    Column("ultracart_id", String(64), nullable=False, default="", doc="UltraCart's record; empty: none"),
    Column("thiio_id", String(64), nullable=False, default="", doc="Thiio's record; empty: none"),
    Column("ultracart_value", Text, doc="What UltraCart says"),
    Column("thiio_value", Text, doc="What Thiio says"),
    Column("amount_cents", BigInteger, doc="Money in disagreement: UltraCart's less Thiio's"),
    Column("placed_at", UtcDateTime, doc="When the order was placed, or the customer created"),
    Column("cause", Text, doc="The likely cause"),
    Column("remedy", Text, doc="The next step"),
    Column("state", String(16), nullable=False, doc="`open`, `resolved`, `ignored`"),
    Column("reason", Text, doc="How it was resolved, or why a person ignores it"),
    Column("ignored_until", UtcDateTime, doc="Open again after this; NULL: until a person takes it back"),
    Column("repair", Text, doc="What the last repair did about it"),
    Column("repaired_at", UtcDateTime, doc="When"),
    Column("config_hash", String(16), nullable=False, doc="Hash of the rules by which it was seen last"),
    Column("first_seen_at", UtcDateTime, nullable=False, doc="Open since"),
    Column("last_seen_at", UtcDateTime, nullable=False, doc="Seen last"),
    Column("times_seen", Integer, nullable=False, default=1, doc="Runs that saw it"),
    Column("closed_at", UtcDateTime, doc="When it was resolved or set aside"),
    UniqueConstraint("entity", "kind", "field", "ultracart_id", "thiio_id"),
    Index("ix_mismatches_state_kind", "state", "kind"),
    info={"doc": "One thing on which the two sides disagree, as long as it lives and after."},
)

windows = Table(
    "windows",
    metadata,
    Column("job", String(120), primary_key=True, doc="The backfill it belongs to"),
    Column("start_at", UtcDateTime, primary_key=True, doc="First moment"),
    Column("end_at", UtcDateTime, primary_key=True, doc="First moment after it"),
    Column("state", String(16), nullable=False, doc="`planned` or `done`"),
    Column("row_count", Integer, doc="Records that were read"),
    Column("done_at", UtcDateTime, doc="When it was done"),
    info={"doc": "A window of a backfill, done once."},
)

# ---- ultracart (room: ultracart)

call_budgets = Table(
    "call_budgets",
    metadata,
    Column("key_hash", String(16), primary_key=True, doc="Of the API key, which is not kept"),
    Column("hour_level", Float, nullable=False, doc="Calls that the hourly limit still counts"),
    Column("day_level", Float, nullable=False, doc="The same for the daily limit"),
    Column("counted_at", UtcDateTime, nullable=False, doc="When both levels were right"),
    Column("holder", String(32), doc="Token of the call in flight"),
    Column("held_until", UtcDateTime, doc="Until when it may take"),
    Column("blocked_until", UtcDateTime, doc="UltraCart said to wait until then"),
    info={"doc": "What is left of UltraCart's limits, and whose turn it is."},
)

# ---- every room (module tasks.database.lease)

leases = Table(
    "leases",
    metadata,
    Column("name", String(80), primary_key=True, doc="The work"),
    Column("owner", String(120), nullable=False, doc="Who does it"),
    Column("token", String(32), nullable=False, doc="Fences a run whose lease ran out"),
    Column("until", UtcDateTime, nullable=False, doc="Until when"),
    info={"doc": "Work that one run at a time may do."},
)
