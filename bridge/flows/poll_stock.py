"""A net below the events of stock: what changed in Odoo's quants and moves is marked (RULES 5.2).

A change of stock moves nothing on products, so the records of stock themselves are asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from bridge.flows.context import FlowContext
from bridge.flows.wants import wake_stock
from bridge.odoo.values import odoo_datetime

#: What is asked. Reserving a unit writes moves and their lines, not always quants.
MODELS = ("stock.quant", "stock.move", "stock.move.line")
#: By how much clocks may differ, and how long a transaction may have been open when the last poll looked.
OVERLAP = timedelta(minutes=5)
_PAGE = 1000
#: Beyond so many pages of one model everything is marked instead.
_MOST_PAGES = 50


def run(ctx: FlowContext) -> Mapping[str, Any]:
    """Mark the products of which records of stock were written since the last poll."""
    now = ctx.ledger.now()
    if not ctx.reference.may_use_stock:
        return {"skipped": "Odoo's Inventory is not there, or the bridge's user may not use it."}
    since = _last(ctx) or now
    odoo_ids: set[int] = set()
    for model in MODELS:
        found = _changed(ctx, model, since - OVERLAP)
        if found is None:
            marked = ctx.ledger.stock.mark_all(ctx.instance.name, wake=wake_stock(ctx.instance.name))
            return {"marked": marked, "all": True, "frontier": now.isoformat()}
        odoo_ids |= found
    ids = [
        one for bound in ctx.ledger.stock.products_of(ctx.instance.name, odoo_ids).values() for one in bound
    ]
    ctx.ledger.stock.mark(ctx.instance.name, ids, wake=wake_stock(ctx.instance.name))
    return {"marked": len(ids), "frontier": now.isoformat()}


def _last(ctx: FlowContext) -> datetime | None:
    earlier = ctx.ledger.jobs.list(
        instance=ctx.instance.name, kind=ctx.job.kind, states=("done",), before=ctx.job.id, limit=1
    )
    frontier = (earlier[0].result or {}).get("frontier") if earlier else None
    return None if frontier is None else datetime.fromisoformat(frontier)


def _changed(ctx: FlowContext, model: str, since: datetime) -> set[int] | None:
    """Return the products of which records of ``model`` were written since then, None where there are too many."""
    found: set[int] = set()
    last = 0
    for _ in range(_MOST_PAGES):
        domain = [["write_date", ">=", odoo_datetime(since)], ["id", ">", last]]
        rows = ctx.odoo.search_read(model, domain, ["product_id"], limit=_PAGE, order="id")
        found |= {int(row["product_id"][0]) for row in rows if row["product_id"]}
        if len(rows) < _PAGE:
            return found
        last = int(rows[-1]["id"])
    return None
