"""Conflicts: edits on the side that is not the master of a field, with the values of both sides."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision: str | None = "0003"
branch_labels: str | None = None
depends_on: str | None = None

_TIME = sa.DateTime(timezone=True)
_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_STANDING = sa.text("state = 'open' AND overwritten_at IS NULL")


def upgrade() -> None:
    """Make the table; older processes know nothing of it and go on."""
    op.create_table(
        "conflicts",
        sa.Column("id", _ID, sa.Identity(), primary_key=True),
        sa.Column("instance", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("magento_id", sa.Text, nullable=False),
        sa.Column("label", sa.Text, nullable=True),
        sa.Column("field", sa.Text, nullable=False),
        sa.Column("master", sa.Text, nullable=False),
        sa.Column("magento_value", sa.Text, nullable=False),
        sa.Column("odoo_value", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("used", sa.Text, nullable=True),
        sa.Column("first_seen_at", _TIME, nullable=False),
        sa.Column("last_seen_at", _TIME, nullable=False),
        # The master changed the field since: the edit is kept here and nowhere else.
        sa.Column("overwritten_at", _TIME, nullable=True),
        sa.Column("ended_at", _TIME, nullable=True),
    )
    # One standing edit a field; each that was overwritten is a row of its own.
    op.create_index(
        "conflicts_standing",
        "conflicts",
        ["instance", "kind", "magento_id", "field"],
        unique=True,
        sqlite_where=_STANDING,
        postgresql_where=_STANDING,
    )
    op.create_index("conflicts_by_instance", "conflicts", ["instance", "state", "id"])


def downgrade() -> None:
    """Forget the conflicts."""
    op.drop_table("conflicts")
