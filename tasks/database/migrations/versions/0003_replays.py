"""Mark replayed events, and find notifications by status.

Revision: 0003, after 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add a column and an index; an event that was replayed before this counted as found by its replay."""
    op.add_column("inbox_events", sa.Column("replays", sa.Integer(), nullable=False, server_default="0"))
    op.execute("UPDATE inbox_events SET replays = 1, found_by = 'webhook' WHERE found_by = 'replay'")
    op.create_index("ix_notifications_status_created_at", "notifications", ["status", "created_at"])
