"""Stock: what each Magento order holds back, what is to be exported and was, and safety stocks of their own.

Quantities are texts: neither database has an exact number that the other one keeps alike.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision: str | None = "0004"
branch_labels: str | None = None
depends_on: str | None = None

_TIME = sa.DateTime(timezone=True)


def _text(name: str, *, default: str | None = None, is_key: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, primary_key=is_key, nullable=False, server_default=default)


def _maybe(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=True)


def _count(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False, server_default="0")


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean, nullable=False, server_default=sa.false())


def upgrade() -> None:
    """Make the tables; older processes know nothing of them and go on."""
    op.create_table(
        "stock_lines",
        _text("instance", is_key=True),
        sa.Column("order_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("item_id", sa.BigInteger, primary_key=True, autoincrement=False),
        _text("order_label"),
        sa.Column("store_id", sa.BigInteger, nullable=True),
        # As bindings name Magento's products.
        _maybe("product_id"),
        _text("sku"),
        *(_text(name) for name in ("ordered", "canceled", "shipped", "refunded", "open", "shipped_before")),
        _maybe("shipped_from"),
        _text("version"),
        _flag("is_settled"),
        sa.Column("updated_at", _TIME, nullable=False),
    )
    op.execute(
        "CREATE INDEX stock_lines_open ON stock_lines (instance, product_id) WHERE NOT is_settled"
    )
    op.create_table(
        "stock_figures",
        _text("instance", is_key=True),
        _text("source", is_key=True),
        _text("magento_id", is_key=True),
        # As a job's wanted and claimed: what was marked while it was read stays dirty.
        _count("marked"),
        _count("exported"),
        sa.Column("marked_at", _TIME, nullable=False),
        _maybe("problem"),
        _maybe("target"),
        _maybe("seen"),
        sa.Column("seen_at", _TIME, nullable=True),
        _maybe("written"),
        sa.Column("written_at", _TIME, nullable=True),
        _flag("was_on"),
    )
    op.execute(
        "CREATE INDEX stock_figures_dirty ON stock_figures (instance, source, marked_at, magento_id)"
        " WHERE marked > exported"
    )
    op.create_table(
        "stock_safety",
        _text("instance", is_key=True),
        _text("scope", is_key=True),
        _text("key", is_key=True),
        _text("quantity"),
        _text("updated_by"),
        sa.Column("updated_at", _TIME, nullable=False),
    )


def downgrade() -> None:
    """Forget them."""
    for table in ("stock_safety", "stock_figures", "stock_lines"):
        op.drop_table(table)
