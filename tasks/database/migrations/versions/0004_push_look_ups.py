"""Remember when a push in doubt is looked up next, of what its body was made, and who let it go.

Revision: 0004, after 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; a push in doubt without a time is looked up by the next run."""
    op.add_column("pushes", sa.Column("next_lookup_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("pushes", sa.Column("fingerprint", sa.Text(), nullable=True))
    op.add_column("pushes", sa.Column("released_at", sa.DateTime(timezone=True), nullable=True))
