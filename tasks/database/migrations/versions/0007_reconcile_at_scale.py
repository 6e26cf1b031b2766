"""Let reconciliation look up a named counterpart within its side, and compare without reading whole rows.

Revision: 0007, after 0006
"""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


VERDICT = [
    "digest", "is_deleted", "is_test", "other_side_id", "partner_order_id", "rejected_at", "refunded_at",
    "shipped_at",
]  # fmt: skip
"""What a comparison reads of every order: with it in an index, no row is read."""


def upgrade() -> None:
    """Put the side first: SQLite else takes an index of dates and goes through a side for each order."""
    for name in ("partner_order_id", "other_side_id", "side_placed_at"):
        op.drop_index(f"ix_orders_{name}", "orders")
    op.create_index("ix_orders_side_partner_order_id", "orders", ["side", "partner_order_id"])
    op.create_index("ix_orders_side_other_side_id", "orders", ["side", "other_side_id"])
    op.create_index("ix_orders_verdict_by_date", "orders", ["side", "placed_at", "as_of", "id", *VERDICT])
    op.create_index("ix_orders_verdict_by_id", "orders", ["side", "id", "placed_at", "as_of", *VERDICT])
    op.create_index("ix_customers_side_created_at", "customers", ["side", "created_at"])
