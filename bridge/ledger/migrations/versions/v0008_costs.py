"""Indexes by which a page of products reads its own rows only, however many there are."""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision: str | None = "0007"
branch_labels: str | None = None
depends_on: str | None = None

_INDEXES = {
    # Magento's ids are text; of as many digits as the number has, they compare as numbers do.
    "bindings_number": "bindings (instance, kind, (length(magento_id)), magento_id)",
    # What was shipped of a product, its settled lines included.
    "stock_lines_product": "stock_lines (instance, product_id)",
    # What a check found before of a page of products that it looks at again.
    "drift_lines_product": "drift_lines (run_id, source, magento_id)",
}


def upgrade() -> None:
    """Make the indexes; older processes go on."""
    for name, columns in _INDEXES.items():
        op.execute(f"CREATE INDEX {name} ON {columns}")


def downgrade() -> None:
    """Drop them."""
    for name in _INDEXES:
        op.execute(f"DROP INDEX {name}")
