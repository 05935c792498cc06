"""First load of stock: the quantities of Magento's sources become counts in Odoo. ``bridge run import-stock``.

First a preview, which writes nothing and keeps for each product what Odoo had when a person looked at it. Then the counts,
one batch for each of the preview's: a product is counted only where Odoo still has what the preview saw. Each preview
is carried out once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bridge.errors import InvalidRecord, OperatorError, PermanentError, SettingsWrong
from bridge.flows.context import FlowContext
from bridge.flows.order_products import PRODUCT_BINDING
from bridge.flows.product_writing import digest
from bridge.flows.stock_counting import Planned, plan_counts, write_counts
from bridge.flows.wants import want
from bridge.ledger import Job, JobId, Run, Want

#: Products of one batch.
PAGE_SIZE = 100
KIND, BATCH_KIND = "import-stock", "import-stock-batch"


class StockNotPreviewed(OperatorError):
    """Counts are only made of what a person could look at before."""

    code = "stock_not_previewed"


def run(ctx: FlowContext) -> Mapping[str, Any]:
    """Want the batches of one page; the job runs again until it is through.

    Raises:
        SettingsWrong: ``import_stock`` is off.
        StockNotPreviewed: no preview has ended since the last time.
    """
    scan = ctx.ledger.runs.of_planner(ctx.job)
    if scan is None:
        raise PermanentError("This run is gone from the ledger. Start a new one: bridge run import-stock.")
    ctx.reread_after_block()
    if scan.args.get("preview"):
        return _plan_preview(ctx, scan)
    _insist_on_setting(ctx)
    return _plan_counts(ctx, scan)


def run_batch(ctx: FlowContext) -> Mapping[str, Any]:
    """Preview the products that the job names, or count those of the preview that it names."""
    ctx.reread_after_block()
    preview_id, ids = ctx.job.data.get("preview_job"), ctx.job.data.get("ids")
    if not isinstance(ids, list):
        raise InvalidRecord(
            "This batch of counts names no products. Start a new run: bridge run import-stock."
        )
    if preview_id is None:
        return plan_counts(ctx, ids).as_result()
    _insist_on_setting(ctx)
    preview = ctx.ledger.jobs.get(JobId(preview_id))
    if preview is None or preview.result is None:
        raise StockNotPreviewed("The preview of these counts is gone. Make a new one.")
    wanted = set(ids)
    planned = [one for one in Planned.read_all(preview.result) if one.magento_id in wanted]
    return write_counts(ctx, planned, name=ctx.job.entity).as_result()


def _plan_preview(ctx: FlowContext, scan: Run) -> Mapping[str, Any]:
    after = None
    if scan.args.get("skus"):
        found = ctx.ledger.stock.ids_of_skus(ctx.instance.name, scan.args["skus"])
        ids = [one for some in found.values() for one in some]
    else:
        known = str((scan.cursor or {}).get("after") or "")
        page = ctx.ledger.bindings.list(ctx.instance.name, kind=PRODUCT_BINDING, after=known, limit=PAGE_SIZE)
        ids = [one.magento_id for one in page]
        after = page[-1].magento_id if len(page) == PAGE_SIZE else None
    batches = [ids[start : start + PAGE_SIZE] for start in range(0, len(ids), PAGE_SIZE)]
    wants = [_batch(ctx, digest([batch, scan.id]), {"ids": batch}, len(batch)) for batch in batches]
    cursor = None if after is None else {"after": after}
    ctx.ledger.runs.page(ctx.job, scan.id, cursor=cursor, wants=wants, seen=len(ids))
    return {"products": len(ids)}


def _plan_counts(ctx: FlowContext, scan: Run) -> Mapping[str, Any]:
    preview = _last_preview(ctx)
    skus = {str(one).casefold() for one in scan.args.get("skus") or ()}
    wants: list[Want] = []
    seen = 0
    for job in _batches_of(ctx, preview):
        planned = [
            one for one in Planned.read_all(job.result or {}) if not skus or one.sku.casefold() in skus
        ]
        if planned:
            seen += len(planned)
            ids = sorted(one.magento_id for one in planned)
            # By its name a batch is known: the same products of the same preview are never counted twice.
            wants.append(
                _batch(ctx, f"{job.id}-{digest(ids)}", {"ids": ids, "preview_job": job.id}, len(ids))
            )
    ctx.ledger.runs.page(ctx.job, scan.id, cursor=None, wants=wants, seen=seen)
    return {"products": seen}


def _batch(ctx: FlowContext, entity: str, data: Mapping[str, Any], count: int) -> Want:
    return want(BATCH_KIND, instance=ctx.instance.name, entity=entity, label=f"{count} products", data=data)


def _last_preview(ctx: FlowContext) -> Run:
    for one in ctx.ledger.runs.list(instance=ctx.instance.name, kind=KIND):
        if not one.args.get("preview"):
            continue
        progress = ctx.ledger.runs.progress(one.id)
        if progress.run.state == "done":
            return progress.run
    raise StockNotPreviewed("The counts have not been previewed.")


def _batches_of(ctx: FlowContext, preview: Run) -> Iterator[Job]:
    before: JobId | None = None
    while True:
        page: Sequence[Job] = ctx.ledger.jobs.list(
            kind=BATCH_KIND, run_id=preview.id, states=("done",), before=before
        )
        yield from page
        if not page:
            return
        before = page[-1].id


def _insist_on_setting(ctx: FlowContext) -> None:
    if not ctx.settings.import_stock:
        raise SettingsWrong(
            "import_stock is off: Magento's quantities are not brought to Odoo.", reason="import_stock"
        )
