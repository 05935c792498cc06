"""``bridge run export-products``: scan Odoo's changed products and export them in batches (RULES 5.1, Odoo FACTS 4).

Templates first, then variants that changed by themselves. One page, its batch and the cursor are one transaction; the
next run goes on where the last one ended, less an hour: ``write_date`` is the start of a transaction, not its commit.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from bridge.errors import PermanentError
from bridge.flows.context import FlowContext
from bridge.flows.product_writing import GOODS, TEMPLATES, digest
from bridge.flows.scanning import EPOCH, PAGE_SIZE, begin_of, reached
from bridge.flows.wants import want
from bridge.ledger import Want
from bridge.odoo.changes import ChangeCursor, read_changes

#: The longest transaction of Odoo, and how far its clock and the ledger's may differ.
OVERLAP = timedelta(hours=1)


def run(ctx: FlowContext) -> Mapping[str, Any]:
    """Read one page of changed products and want their batch; the job runs again until it is through.

    Raises:
        PermanentError: the run is gone.
    """
    scan = ctx.ledger.runs.of_planner(ctx.job)
    if scan is None:
        raise PermanentError("This run is gone from the ledger. Start a new one: bridge run export-products.")
    state = scan.cursor or {"model": TEMPLATES.model, "begin": _begin(ctx, scan.args).isoformat()}
    model, begin = state["model"], datetime.fromisoformat(state["begin"])
    cursor = ChangeCursor.from_dict(state["cursor"]) if "cursor" in state else ChangeCursor(since=begin)
    fields = () if model == TEMPLATES.model else ("product_tmpl_id",)
    page = read_changes(ctx.odoo, model, cursor, fields, page_size=PAGE_SIZE)
    templates = list(
        dict.fromkeys(int(row["product_tmpl_id"][0] if fields else row["id"]) for row in page.rows)
    )
    seen = max(state.get("seen", state["begin"]), page.cursor.since.isoformat())
    onward: dict[str, Any] | None = {**state, "cursor": page.cursor.as_dict(), "seen": seen}
    if page.is_last:
        # From the beginning all templates are read, and all variants with them.
        is_through = model == GOODS.model or begin <= EPOCH
        onward = None if is_through else {"model": GOODS.model, "begin": state["begin"], "seen": seen}
    wants = [_batch(ctx, templates)] if templates else []
    ctx.ledger.runs.page(ctx.job, scan.id, cursor=onward, wants=wants, seen=len(templates))
    frontier = None if onward else _frontier(ctx, scan.args, begin, datetime.fromisoformat(seen))
    return {"products": len(templates), "model": model, "frontier": frontier}


def _begin(ctx: FlowContext, args: Mapping[str, Any]) -> datetime:
    known = None if "updated_from" in args else reached(ctx)
    return begin_of(args) if known is None else datetime.fromisoformat(known["since"])


def _batch(ctx: FlowContext, templates: list[int]) -> Want:
    return want(
        "export-product-batch",
        instance=ctx.instance.name,
        entity=digest(templates),
        label=f"{len(templates)} products of Odoo",
        data={"templates": templates},
    )


def _frontier(
    ctx: FlowContext, args: Mapping[str, Any], begin: datetime, seen: datetime
) -> Mapping[str, Any]:
    """Return where the next run goes on; one from a later day leaves no gap behind."""
    earlier = reached(ctx)
    if "updated_from" in args and earlier is not None and begin > datetime.fromisoformat(earlier["since"]):
        return earlier
    return {"since": max(begin, min(seen, ctx.ledger.now() - OVERLAP)).isoformat()}
