"""Magento's websites, store groups and store views, and the settings that some of them have of their own."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision: str | None = "0002"
branch_labels: str | None = None
depends_on: str | None = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the table; older processes know nothing of it and go on."""
    op.create_table(
        "stores",
        sa.Column("instance", sa.Text, primary_key=True),
        sa.Column("scope", sa.Text, primary_key=True),
        # Magento's id is the identity: names and codes change.
        sa.Column("magento_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("parent_id", sa.BigInteger, nullable=True),
        sa.Column("config", sa.Text, nullable=False),
        sa.Column("overrides", sa.Text, nullable=False, server_default="{}"),
        sa.Column("first_seen_at", _TIME, nullable=False),
        sa.Column("changed_at", _TIME, nullable=False),
        sa.Column("closed_at", _TIME, nullable=True),
    )


def downgrade() -> None:
    """Forget the stores and their settings."""
    op.drop_table("stores")
