"""What an event of prices asks for: one export for however many events there are. The clock's export stays as the net.

A pricelist that changed may be about every product, so all are compared. After changes of products those are compared that
changed in Odoo within the last hour: events say so right after the change, and ``write_date`` is the start of a
transaction. What moves no date (``price_source``) is found by the clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from bridge.errors import StaleRead
from bridge.flows.context import FlowContext
from bridge.flows.export_prices import PAGE_SIZE, not_master, want_batch
from bridge.flows.export_product import LATER_SECONDS
from bridge.flows.export_products import OVERLAP
from bridge.flows.freshness import stale_reads
from bridge.flows.product_writing import GOODS, TEMPLATES
from bridge.flows.wants import ALL_PRICES, PLACES
from bridge.odoo.changes import ChangeCursor, read_changes

_RUN = "export-prices"
#: Templates that changed; where there are more, all products are compared.
_MOST = 1000
#: Arguments of runs that are not the first export of all.
_TRIALS = frozenset({"dry_run", "skus"})
_RUNS_LOOKED_AT = 50


def run(ctx: FlowContext) -> Mapping[str, Any]:
    """Start the export that events asked for: of all prices, or of the products that changed.

    Raises:
        StaleRead: the event may have come before the change was stored; it is looked once more.
    """
    if ctx.settings.master("price") != "odoo":
        return {"outcome": not_master(ctx.instance.name)}
    runs = ctx.ledger.runs.list(instance=ctx.instance.name, kind=_RUN, limit=_RUNS_LOOKED_AT)
    if all(one.args.keys() & _TRIALS for one in runs):
        return {
            "outcome": "Nobody has exported all prices yet; the first time is a person's: bridge run export-prices"
        }
    templates = None if ctx.job.entity == ALL_PRICES else _changed(ctx)
    result = _start(ctx) if templates is None else _want(ctx, templates)
    if ctx.job.data.get("unversioned") and not stale_reads(ctx):
        raise StaleRead(
            "The event may have come before the change was stored, so prices are compared once more.",
            waits_for="version",
            retry_after=LATER_SECONDS,
            system="odoo",
        )
    return result


def _start(ctx: FlowContext) -> Mapping[str, Any]:
    place = PLACES[_RUN]
    started = ctx.ledger.runs.start(
        ctx.instance.name,
        _RUN,
        {},
        queue=place.queue,
        priority=place.priority,
        systems=place.systems,
        lock_key=None if place.lock is None else place.lock(""),
    )
    return {"run_id": started.id}


def _changed(ctx: FlowContext) -> set[int] | None:
    """Return the templates that changed within the last hour, themselves or by a variant; None: too many."""
    found: set[int] = set()
    for model, fields in ((TEMPLATES.model, ()), (GOODS.model, ("product_tmpl_id",))):
        cursor = ChangeCursor(since=ctx.ledger.now() - OVERLAP - timedelta(minutes=1))
        is_last = False
        while not is_last:
            page = read_changes(ctx.odoo, model, cursor, fields, page_size=PAGE_SIZE)
            found |= {int(row["product_tmpl_id"][0] if fields else row["id"]) for row in page.rows}
            if len(found) > _MOST:
                return None
            cursor, is_last = page.cursor, page.is_last
    return found


def _want(ctx: FlowContext, templates: set[int]) -> Mapping[str, Any]:
    domain = [["product_tmpl_id", "in", sorted(templates)]]
    variants = ctx.odoo.search(GOODS.model, domain, context={"active_test": False}) if templates else []
    bound = ctx.ledger.bindings.by_odoo_many(ctx.instance.name, GOODS.kind, variants)
    ids = sorted(int(one.magento_id) for one in bound if one.magento_id.isdecimal())
    batches = [ids[start : start + PAGE_SIZE] for start in range(0, len(ids), PAGE_SIZE)]
    if batches:
        ctx.ledger.jobs.want([want_batch(ctx.instance.name, batch, {}) for batch in batches])
    return {"products": len(ids)}
