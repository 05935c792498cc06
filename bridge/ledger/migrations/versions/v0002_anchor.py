"""Instances note for which store and Odoo database their installation id was fixed in Odoo."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision: str | None = "0001"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Add the note; instances that have none look in Odoo before their next write."""
    op.add_column("instances", sa.Column("anchored_for", sa.Text, nullable=True))


def downgrade() -> None:
    """Forget the notes."""
    op.drop_column("instances", "anchored_for")
