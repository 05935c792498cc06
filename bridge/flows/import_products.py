"""``bridge run import-products``: scan Magento's changed products and import them in batches (DESIGN 5, RULES 5.1).

Twice over the same products: configurables first, so that their children are known as such, then all others. One page,
the batches that it fills and the cursor, with what waits for a full batch, are one transaction. So a run that stops goes
on where it was; the next run goes on where the last one ended.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from bridge.errors import PermanentError
from bridge.flows import product_source
from bridge.flows.context import FlowContext
from bridge.flows.filling import Waiting, fill
from bridge.flows.product_batch import VARIANT_BINDING
from bridge.flows.product_variants import note_children
from bridge.flows.product_writing import digest
from bridge.flows.scanning import PAGE_SIZE, begin_of, frontier_of, reached
from bridge.flows.wants import want
from bridge.ledger import Run, Want
from bridge.magento import ScanCursor
from bridge.magento.search import magento_time
from bridge.translate.catalog_records import MagentoProduct
from bridge.translate.product_plan import CONFIGURABLE

#: Products of one batch, children of its configurables counted: few calls for each, and done within a minute.
BATCH = 200
#: By how much the clocks of Magento and the ledger may differ.
CLOCKS_DIFFER = timedelta(hours=1)
_FAMILIES, _SINGLES = "configurables", "others"
#: What of the run's cursor waits for a full batch.
_KINDS = ("families", "alone")


def run(ctx: FlowContext) -> Mapping[str, Any]:
    """Read one page of changed products and want their batches; the job runs again until it is through."""
    scan = ctx.ledger.runs.of_planner(ctx.job)
    if scan is None:
        raise PermanentError("This run is gone from the ledger. Start a new one: bridge run import-products.")
    state = dict(scan.cursor or {"pass": _FAMILIES, "begin": _begin(ctx, scan).isoformat(), "scan": None})
    after = state["scan"]
    page = product_source.catalog_of(ctx).scan_products(
        updated_from=datetime.fromisoformat(state["begin"]),
        after=None if after is None else ScanCursor.from_dict(after),
        page_size=PAGE_SIZE,
    )
    is_first = state["pass"] == _FAMILIES
    found = _families(ctx, page.products) if is_first else _others(ctx, page.products, scan, state["begin"])
    wants = batches(ctx, state, found, is_last=page.is_last)
    if not is_first:
        wants += [
            want("import-product", instance=ctx.instance.name, entity=str(product_id))
            for product_id in page.refused
        ]
    frontier = None if is_first else frontier_of(ctx, scan, page.cursor)
    onward: dict[str, Any] | None = {**state, "scan": page.cursor.as_dict()}
    if page.is_last:
        onward = {**state, "pass": _SINGLES, "scan": None} if is_first else None
    # Each product is seen twice and counted once.
    seen = 0 if is_first else len(page.products) + len(page.refused)
    ctx.ledger.runs.page(ctx.job, scan.id, cursor=onward, wants=wants, seen=seen)
    return {"products": len(page.products), "pass": state["pass"], "frontier": frontier}


def batches(
    ctx: FlowContext,
    state: dict[str, Any],
    found: Mapping[str, Iterable[MagentoProduct]],
    *,
    is_last: bool,
) -> list[Want]:
    """Return the batches that ``found`` fills, and keep in ``state`` what waits for the next page.

    ``found`` has configurables as ``families`` and those that are imported on their own as ``alone``.
    """
    wants: list[Want] = []
    for kind in _KINDS:
        new = [
            Waiting(product_id=one.product_id, sku=one.sku, weight=max(1, len(one.child_ids)))
            for one in found.get(kind, ())
        ]
        waiting = [Waiting.from_list(values) for values in state.get(kind, ())]
        full, rest = fill(waiting, new, most=BATCH, is_last=is_last)
        wants += [_batch(ctx, batch) for batch in full]
        state[kind] = [one.as_list() for one in rest]
    return wants


def _families(ctx: FlowContext, products: Sequence[MagentoProduct]) -> dict[str, Sequence[MagentoProduct]]:
    parents = [one for one in products if one.type_id == CONFIGURABLE]
    note_children(ctx, parents)
    return {"families": parents}


def _others(
    ctx: FlowContext, products: Sequence[MagentoProduct], scan: Run, begin: str
) -> dict[str, Sequence[MagentoProduct]]:
    """Return what is no configurable: those that stand alone, and the families of changed children."""
    singles = [one for one in products if one.type_id != CONFIGURABLE]
    ids = [one.product_id for one in singles]
    children = ctx.ledger.bindings.get_many(ctx.instance.name, VARIANT_BINDING, ids)
    alone = [one for one in singles if str(one.product_id) not in children]
    # One that changed while the run is under way may have been read before by the batch of its configurable.
    fresh = magento_time(scan.created_at - CLOCKS_DIFFER)
    parents: dict[int, bool] = {}
    for one in singles:
        label = children[str(one.product_id)].magento_label if str(one.product_id) in children else None
        if label is not None and label.isdecimal():
            parents[int(label)] = parents.get(int(label), False) or one.updated_at >= fresh
    known = product_source.catalog_of(ctx).products_by_id(sorted(parents)) if parents else {}
    planned = magento_time(datetime.fromisoformat(begin))
    families = [one for id_, one in known.items() if parents[id_] or one.updated_at < planned]
    return {"families": families, "alone": alone}


def _batch(ctx: FlowContext, batch: Sequence[Waiting]) -> Want:
    ids = [one.product_id for one in batch]
    label = f"{len(ids)} products, {batch[0].sku} to {batch[-1].sku}" if len(ids) > 1 else batch[0].sku
    return want(
        "import-product-batch",
        instance=ctx.instance.name,
        entity=digest(ids),
        label=label,
        data={"ids": ids},
    )


def _begin(ctx: FlowContext, scan: Run) -> datetime:
    known = None if "updated_from" in scan.args else reached(ctx)
    return begin_of(scan.args) if known is None else ScanCursor.from_dict(known).since
