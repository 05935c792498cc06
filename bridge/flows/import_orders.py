"""``bridge run import-orders``: scan the orders that changed in Magento and want the import of each (RULES 5.1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bridge.flows.context import FlowContext
from bridge.flows.scanning import scan
from bridge.flows.wants import want
from bridge.ledger import Want


def run(ctx: FlowContext) -> Mapping[str, Any]:
    """Read one page of changed orders and want their imports; the job runs again until it is through."""

    def to_want(row: Mapping[str, Any]) -> Want:
        return want(
            "import-order",
            instance=ctx.instance.name,
            entity=str(row["entity_id"]),
            version=str(row["updated_at"]),
            label=str(row["increment_id"]),
        )

    return scan(ctx, ctx.magento.scan_orders, to_want, counted="orders")
