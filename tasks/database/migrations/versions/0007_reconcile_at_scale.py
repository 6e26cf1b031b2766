"""Let reconciliation look up a named counterpart within its side, and compare without reading whole rows.

Revision: 0007, after 0006
"""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Put the side first: SQLite else takes an index of dates and goes through a side for each order."""
    op.drop_index("ix_orders_partner_order_id", "orders")
    op.drop_index("ix_orders_other_side_id", "orders")
    op.create_index("ix_orders_side_partner_order_id", "orders", ["side", "partner_order_id"])
    op.create_index("ix_orders_side_other_side_id", "orders", ["side", "other_side_id"])
    op.create_index("ix_customers_side_created_at", "customers", ["side", "created_at"])
