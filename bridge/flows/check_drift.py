"""``bridge run drift``: for every bound product and source what Magento should have against what it has (RULES 3.6).

First the bound products by SKU, source by source: a page is one read of Odoo and one of Magento's source items. Then
Magento's source items, page by page: those of SKUs that nothing is bound to, and of sources that no warehouse fills.
Only what differs has a line. Writes into neither system; ``fix-drift`` lets the export mend what is found.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from bridge.errors import PermanentError
from bridge.flows import stock_source
from bridge.flows.context import FlowContext
from bridge.flows.drift_compare import added, compare
from bridge.flows.export_stock import BATCH, CLASSIC_BATCH, checked_routes
from bridge.ledger import DriftCounts, Run, SeenDrift
from bridge.magento.catalog import without_stock
from bridge.magento.inventory import SourceItem, sweep_source_items
from bridge.translate.money import ZERO, plain

#: Rows of each source that nothing of Odoo stands for and that have a line; all are counted.
MOST_UNBOUND = 1000
_BOUND, _ITEMS = "bound", "items"


def run(ctx: FlowContext) -> Mapping[str, Any]:
    """Compare one page; the job runs again until it is through.

    Raises:
        SettingsWrong: sources share a warehouse without a rule.
        MappingWrong: the warehouse of a source is gone.
    """
    check = ctx.ledger.runs.of_planner(ctx.job)
    if check is None:
        raise PermanentError("This run is gone from the ledger. Start a new one: bridge run drift.")
    ctx.reread_after_block()
    state: dict[str, Any] = dict(check.cursor or _first(ctx))
    if state["step"] == _BOUND:
        seen, after = _compare_bound(ctx, check, state)
    else:
        seen, after = _sweep_items(ctx, check, state)
    onward = {**state, "after": after} if after is not None else _next(ctx, state)
    if onward is None:
        ctx.ledger.drift.end(check.id)
    ctx.ledger.runs.page(ctx.job, check.id, cursor=onward, wants=(), seen=seen)
    return {"run": check.id, **_together(state["counts"])}


def _first(ctx: FlowContext) -> dict[str, Any]:
    sources = ctx.ledger.stock.routes(ctx.instance.name).sources
    return {"step": _BOUND, "source": sources[0], "after": None, "counts": {}}


def _next(ctx: FlowContext, state: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the next source, or the next step, or None after the last of both."""
    filled = list(ctx.ledger.stock.routes(ctx.instance.name).sources)
    swept = [] if ctx.settings.stock_api_mode == "classic" else [*filled, *_unfilled(ctx, filled)]
    steps = [*((_BOUND, one) for one in filled), *((_ITEMS, one) for one in swept)]
    at = (state["step"], state["source"])
    following = steps[steps.index(at) + 1 :] if at in steps else []
    if not following:
        return None
    step, source = following[0]
    return {**state, "step": step, "source": source, "after": None}


def _unfilled(ctx: FlowContext, filled: Sequence[str]) -> list[str]:
    """Return the sources that something is sold from and that no warehouse fills, unless a person said so."""
    layout = stock_source.source_layout(ctx)
    if layout is None:
        return []
    ignored = {
        row.value
        for row in ctx.ledger.mappings.list(ctx.instance.name, kind="source", state="ignored", limit=1000)
    }
    return [
        one.source_code
        for one in layout.sources
        if one.source_code not in {*filled, *ignored} and one.is_enabled and layout.stocks_of(one.source_code)
    ]


def _compare_bound(ctx: FlowContext, check: Run, state: dict[str, Any]) -> tuple[int, Any]:
    source, instance = state["source"], ctx.instance.name
    routes = checked_routes(ctx, source)
    most = CLASSIC_BATCH if ctx.settings.stock_api_mode == "classic" else BATCH
    after = None if state["after"] is None else (state["after"][0], state["after"][1])
    known, onward = ctx.ledger.drift.bound(instance, source, after=after, limit=most)
    compared = compare(ctx, routes, source, known)
    counts = _count(state, source, compared.counts())
    ctx.ledger.drift.note(
        instance,
        check.id,
        source,
        compared.lines,
        counts=counts,
        looked_at=[one.magento_id for one in known],
    )
    return len(known), None if onward is None else list(onward)


def _sweep_items(ctx: FlowContext, check: Run, state: dict[str, Any]) -> tuple[int, Any]:
    """Look at one page of a source's rows: those that nothing of Odoo stands for."""
    source, instance = state["source"], ctx.instance.name
    is_filled = source in ctx.ledger.stock.routes(instance).sources
    page = sweep_source_items(ctx.magento, source, after=state["after"], page_size=BATCH)
    bound = ctx.ledger.drift.bound_skus(instance, [item.sku for item in page.items]) if is_filled else set()
    unbound = [item for item in page.items if item.sku.casefold() not in bound]
    if not is_filled:
        # Magento makes empty rows by itself.
        unbound = [item for item in unbound if item.quantity]
    # What has no quantity of its own has no place in the comparison: Magento makes a row for it like for any other.
    parents = without_stock(ctx.magento, [item.sku for item in unbound])
    unbound = [item for item in unbound if item.sku not in parents]
    known = _counts_of(state, source).not_in_odoo
    lines = [_unbound_line(item, is_filled=is_filled) for item in unbound[: max(0, MOST_UNBOUND - known)]]
    counts = _count(state, source, DriftCounts(not_in_odoo=len(unbound)))
    ctx.ledger.drift.note(instance, check.id, source, lines, counts=counts)
    return 0, page.after


def _unbound_line(item: SourceItem, *, is_filled: bool) -> SeenDrift:
    problem = (
        "No product of Odoo is bound to this SKU."
        if is_filled
        else f"No warehouse of Odoo fills the source {item.source_code}."
    )
    return SeenDrift(
        sku=item.sku,
        magento_id="",
        severity="not_in_odoo",
        target=None,
        found=item.quantity,
        difference=item.quantity,
        details={
            "causes": [{"cause": "mapping_missing", "units": plain(item.quantity)}],
            "notes": {},
            "status": item.status,
            "problem": problem,
        },
    )


def _counts_of(state: Mapping[str, Any], source: str) -> DriftCounts:
    kept: Mapping[str, Any] = state["counts"].get(source, {})
    values: dict[str, Any] = {
        name: Decimal(value) if isinstance(value, str) else value for name, value in kept.items()
    }
    return DriftCounts(**values)


def _count(state: dict[str, Any], source: str, more: DriftCounts) -> DriftCounts:
    """Add to the figures of a source, and return them; they move on with the run's cursor."""
    counts = added(_counts_of(state, source), more)
    texts = {
        name: plain(value) if isinstance(value, Decimal) else value for name, value in asdict(counts).items()
    }
    state["counts"] = {**state["counts"], source: texts}
    return counts


def _together(counts: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the figures of all sources together, those that are not zero."""
    total: dict[str, Any] = {}
    for of_source in counts.values():
        for name, value in of_source.items():
            total[name] = total.get(name, ZERO if isinstance(value, str) else 0) + (
                Decimal(value) if isinstance(value, str) else value
            )
    return {
        name: plain(value) if isinstance(value, Decimal) else value for name, value in total.items() if value
    }
