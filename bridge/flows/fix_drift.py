"""What products are like in every source right now: for ``bridge run fix-drift``, before and after its exports."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bridge.flows.context import FlowContext
from bridge.flows.drift_compare import compare
from bridge.flows.export_stock import BATCH, CLASSIC_BATCH, checked_routes
from bridge.ledger import SeenDrift


def drift_now(ctx: FlowContext, magento_ids: Sequence[str]) -> Iterator[tuple[str, SeenDrift]]:
    """Compare bound products in each source the bridge fills, and return those that differ with the source.

    Raises:
        SettingsWrong: sources share a warehouse without a rule.
    """
    most = CLASSIC_BATCH if ctx.settings.stock_api_mode == "classic" else BATCH
    for source in ctx.ledger.stock.routes(ctx.instance.name).sources:
        routes = checked_routes(ctx, source)
        for start in range(0, len(magento_ids), most):
            page = magento_ids[start : start + most]
            known = ctx.ledger.drift.figures(ctx.instance.name, source, page)
            for line in compare(ctx, routes, source, list(known.values())).lines:
                yield source, line
