"""``bridge explain stock SKU``: what Magento should have of a product in each source, term by term, and what it has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bridge.errors import BridgeError, OperatorError
from bridge.flows import stock_source
from bridge.flows.context import FlowContext
from bridge.flows.stock_figures import work_out
from bridge.flows.stock_layout import warnings
from bridge.ledger import StockFigure
from bridge.magento.stocks import salable_quantity
from bridge.stock_routes import Routes
from bridge.translate.money import plain
from bridge.translate.stock import MagentoRow


class StockNotBound(OperatorError):
    """No product of Magento with this SKU is bound to one of Odoo."""

    code = "stock_not_bound"


def bound_ids(ctx: FlowContext, sku: str) -> list[str]:
    """Return Magento's products that are bound under a SKU.

    Raises:
        StockNotBound: there is none.
    """
    found = ctx.ledger.stock.ids_of_skus(ctx.instance.name, [sku]).get(sku, [])
    if not found:
        raise StockNotBound(f"The bridge knows no product with the SKU {sku}.", sku=sku)
    return found


def explain_stock(ctx: FlowContext, sku: str) -> Mapping[str, Any]:
    """Return the formula with its terms for each source, beside what Magento has and what the bridge did. Writes nothing.

    Raises:
        StockNotBound: no product is bound under this SKU.
    """
    routes = ctx.ledger.stock.routes(ctx.instance.name)
    ids = bound_ids(ctx, sku)
    return {
        "sku": sku,
        "instance": ctx.instance.name,
        "sources": [
            _of_source(ctx, routes, source, magento_id) for magento_id in ids for source in routes.sources
        ],
        "salable": _salable(ctx, routes, sku),
    }


def _of_source(ctx: FlowContext, routes: Routes, source: str, magento_id: str) -> dict[str, Any]:
    known = ctx.ledger.stock.get(ctx.instance.name, source, [magento_id]).get(magento_id)
    row = known or ctx.ledger.stock.unmarked(ctx.instance.name, source, magento_id)
    (found,) = work_out(ctx, routes, source, [row])
    has = stock_source.read_rows(ctx, source, [found.sku]).get(found.sku)
    shown: dict[str, Any] = {
        "source": source,
        "warehouses": list(routes.warehouses(source)),
        "problem": None if found.trouble is None else found.trouble.message,
        "is_exported": found.figure is not None,
        **({} if found.figure is None else found.figure.as_data()),
        "magento": _has(has),
        "warnings": warnings(ctx, source),
    }
    return shown | (_history(known) if known is not None else {"waits_since": None, "written": None})


def _has(row: MagentoRow | None) -> dict[str, Any] | None:
    return None if row is None else {"quantity": plain(row.quantity), "status": row.status}


def _history(known: StockFigure) -> dict[str, Any]:
    return {
        "waits_since": known.marked_at if known.is_dirty else None,
        "own_job": known.problem,
        "written": None if known.written is None else plain(known.written),
        "written_at": known.written_at,
    }


def _salable(ctx: FlowContext, routes: Routes, sku: str) -> list[dict[str, Any]]:
    """Return what each stock of the sources has for sale by Magento's own word; None where it does not say."""
    layout = stock_source.source_layout(ctx)
    if layout is None:
        return []
    stocks = {one.stock_id: one for source in routes.sources for one in layout.stocks_of(source)}
    found = []
    for stock in stocks.values():
        try:
            salable: str | None = plain(salable_quantity(ctx.magento, sku, stock.stock_id))
        except BridgeError:
            salable = None
        found.append({"stock": stock.name, "stock_id": stock.stock_id, "salable": salable})
    return found
