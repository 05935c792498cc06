"""Drift: the lines of each check that are not ok, and its figures for each source, which are kept.

Quantities are texts: neither database has an exact number that the other one keeps alike.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision: str | None = "0005"
branch_labels: str | None = None
depends_on: str | None = None

_TIME = sa.DateTime(timezone=True)
_COUNTS = ("checked", "ok", "warning", "critical", "not_found", "not_in_odoo", "skipped")


def _text(name: str, *, is_key: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, primary_key=is_key, nullable=False)


def _maybe(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=True)


def _run() -> sa.Column[int]:
    return sa.Column("run_id", sa.BigInteger, primary_key=True, autoincrement=False)


def upgrade() -> None:
    """Make the tables; older processes know nothing of them and go on."""
    op.create_table(
        "drift_lines",
        _run(),
        _text("source", is_key=True),
        _text("sku", is_key=True),
        # Empty where nothing is bound to the SKU.
        _text("magento_id", is_key=True),
        _text("severity"),
        _maybe("target"),
        _maybe("found"),
        _text("difference"),
        _text("details"),
        sa.Column("checked_at", _TIME, nullable=False),
    )
    op.create_table(
        "drift_summaries",
        _run(),
        _text("source", is_key=True),
        _text("instance"),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in _COUNTS),
        _text("too_many"),
        _text("too_few"),
        sa.Column("started_at", _TIME, nullable=False),
        sa.Column("ended_at", _TIME, nullable=True),
    )
    op.execute("CREATE INDEX drift_summaries_instance ON drift_summaries (instance, run_id)")
    # Bound products page by page in the order of their SKUs, and by SKU in any case.
    op.execute(
        "CREATE INDEX bindings_label ON bindings (instance, kind, (lower(coalesce(magento_label, ''))), magento_id)"
    )


def downgrade() -> None:
    """Forget them."""
    op.execute("DROP INDEX bindings_label")
    for table in ("drift_summaries", "drift_lines"):
        op.drop_table(table)
