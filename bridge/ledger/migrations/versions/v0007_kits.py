"""The parts of kits, as Odoo last told of them: a change of a part is one of its kits.

Quantities are texts: neither database has an exact number that the other one keeps alike.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision: str | None = "0006"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Make the table; older processes know nothing of it and go on."""
    op.create_table(
        "stock_parts",
        sa.Column("instance", sa.Text, primary_key=True, nullable=False),
        # Products of Odoo, both of them.
        sa.Column("kit_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("part_id", sa.BigInteger, primary_key=True, autoincrement=False),
        # Of the part in one kit.
        sa.Column("quantity", sa.Text, nullable=False),
    )
    op.execute("CREATE INDEX stock_parts_part ON stock_parts (instance, part_id)")


def downgrade() -> None:
    """Forget it."""
    op.drop_table("stock_parts")
