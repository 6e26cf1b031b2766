"""Remember until when a person ignores a mismatch, and what a repair did about it.

Revision: 0006, after 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; what was ignored before this stays so until a person takes it back."""
    op.add_column("mismatches", sa.Column("ignored_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column("mismatches", sa.Column("repair", sa.Text(), nullable=True))
    op.add_column("mismatches", sa.Column("repaired_at", sa.DateTime(timezone=True), nullable=True))
