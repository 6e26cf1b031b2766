"""Find customers by phone: the rule that pairs them where no e-mail address does.

Revision: 0005, after 0004
"""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the index."""
    op.create_index("ix_customers_side_phone", "customers", ["side", "phone"])
