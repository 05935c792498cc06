"""A net below the events of stock: what changed in Odoo's quants and moves is marked (RULES 5.2).

A change of stock moves nothing on products, so the records of stock themselves are asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from bridge.flows.context import FlowContext
from bridge.flows.kits import keep_kits
from bridge.flows.wants import wake_stock
from bridge.odoo.stock import CHANGING_MODELS, ChangeCursor, scan_changes

#: By how much clocks may differ, and how long a transaction may have been open when the last poll looked.
OVERLAP = timedelta(minutes=5)
#: Beyond so many pages of one model everything is marked instead.
_MOST_PAGES = 50


def run(ctx: FlowContext) -> Mapping[str, Any]:
    """Mark the products of which records of stock were written since the last poll."""
    instance, now = ctx.instance.name, ctx.ledger.now()
    if not ctx.reference.may_use_stock:
        return {"skipped": "Odoo's Inventory is not there, or the bridge's user may not use it."}
    since = (_last(ctx) or now) - OVERLAP
    odoo_ids: set[int] = set()
    for model in CHANGING_MODELS:
        found = _changed(ctx, model, since)
        if found is None:
            marked = ctx.ledger.stock.mark_all(instance, wake=wake_stock(instance))
            return {"marked": marked, "all": True, "frontier": now.isoformat()}
        odoo_ids |= found
    # Bills change without any stock moving: kits that changed are marked by this.
    keep_kits(ctx)
    odoo_ids |= ctx.ledger.kits.with_parts(instance, odoo_ids).keys()
    bound = ctx.ledger.stock.products_of(instance, odoo_ids)
    ids = [one for some in bound.values() for one in some]
    ctx.ledger.stock.mark(instance, ids, wake=wake_stock(instance))
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
    cursor = ChangeCursor(since=since)
    for _ in range(_MOST_PAGES):
        page = scan_changes(ctx.odoo, model, cursor)
        found |= page.product_ids
        if page.is_last:
            return found
        cursor = page.cursor
    return None
