"""``odoo.stock.changed`` and every change of an order: one source's dirty figures are exported together (RULES 3).

Doubts first; then a batch of dirty figures, Odoo read once, Magento read once, what differs written once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bridge.errors import BridgeError, DoubtfulEffect, InvalidRecord, SettingsWrong
from bridge.flows import stock_bulk, stock_source
from bridge.flows.context import FlowContext
from bridge.flows.stock_figures import StockUnclear, WorkedOut, relabel, work_out
from bridge.flows.stock_layout import warnings
from bridge.flows.stock_writing import Row, settle, write_rows
from bridge.flows.wants import want
from bridge.ledger import Exported, Want
from bridge.ledger import StockFigure as Known
from bridge.stock_routes import Routes
from bridge.translate.stock import MagentoRow, push

#: Figures of one export; Magento gets slow beyond two thousand rows (magento/inventory#2306).
BATCH = 500
#: Products that the classic endpoint is asked for, and told of, one by one in one export.
CLASSIC_BATCH = 40
#: SKUs that a result names.
_NAMED = 20


@dataclass(kw_only=True)
class Outcome:
    """What became of the figures of an export."""

    source: str
    #: What is noted at its end; what was written is noted at once.
    done: list[Exported] = field(default_factory=list)
    own_jobs: list[Want] = field(default_factory=list)
    troubles: dict[str, BridgeError] = field(default_factory=dict)
    written: int = 0
    unchanged: int = 0
    skipped: int = 0
    kept_off: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def as_result(self, *, left: bool) -> dict[str, Any]:
        """Return the outcome as a job keeps it."""
        shown: dict[str, Any] = {
            name: getattr(self, name) for name in ("written", "unchanged", "skipped") if getattr(self, name)
        }
        if self.troubles:
            shown["jobs_of_their_own"] = sorted(self.troubles)[:_NAMED]
        if self.kept_off:
            shown["kept_off_by_hand"] = self.kept_off[:_NAMED]
        if self.warnings:
            shown["warnings"] = self.warnings
        return shown | ({"left": True} if left else {})


def run(ctx: FlowContext) -> Mapping[str, Any]:
    """Export up to a batch of the dirty figures of the source that the job is about; it runs again until none is left.

    Raises:
        DoubtfulEffect: an earlier write may still be under way.
        StockBulkWaits: Magento's queue does not work off what it took.
        StockSourceUnknown: Magento has no such source.
        SettingsWrong: the bridge does not fill this source any more, or sources share a warehouse without a rule.
    """
    ctx.reread_after_block()
    source, instance = ctx.job.entity, ctx.instance.name
    routes = checked_routes(ctx, source)
    settled = stock_bulk.settle(ctx, source)
    settle(ctx, source)
    most = CLASSIC_BATCH if ctx.settings.stock_api_mode == "classic" else BATCH
    batch = ctx.ledger.stock.dirty(instance, source, limit=most)
    outcome = Outcome(source=source, written=settled.written, warnings=warnings(ctx, source) if batch else [])
    alone = [row for row in batch if row.problem is not None]
    for row in alone:
        # It spoiled a batch before: its own job tries it again.
        _hand_over(ctx, outcome, row, row.sku or row.magento_id, reason=str(row.problem))
    by_bulk = ctx.settings.stock_bulk and ctx.settings.stock_api_mode == "msi" and not settled.is_direct
    try:
        export(ctx, routes, [row for row in batch if row.problem is None], outcome, by_bulk=by_bulk)
    except DoubtfulEffect:
        # What needed no write, or waits for a person, is known all the same.
        ctx.ledger.stock.exported(instance, source, outcome.done, wants=outcome.own_jobs)
        raise
    ctx.ledger.stock.exported(instance, source, outcome.done, wants=outcome.own_jobs)
    left = len(batch) == most
    if left:
        ctx.ledger.jobs.want([want("export-stock", instance=instance, entity=source)])
    return outcome.as_result(left=left)


def run_item(ctx: FlowContext) -> Mapping[str, Any]:
    """Export the one figure that the job is about, ``SOURCE:PRODUCT``.

    Raises:
        StockUnclear: why it cannot be exported.
    """
    ctx.reread_after_block()
    source, _, magento_id = ctx.job.entity.rpartition(":")
    routes = checked_routes(ctx, source)
    stock_bulk.settle(ctx, source)
    settle(ctx, source)
    known = ctx.ledger.stock.get(ctx.instance.name, source, [magento_id])
    if magento_id not in known:
        return {"skipped": 1}
    ctx.label = known[magento_id].sku
    outcome = Outcome(source=source)
    export(ctx, routes, [known[magento_id]], outcome)
    for error in outcome.troubles.values():
        # Its figure keeps the problem: it is this job's matter until it is mended.
        raise error
    ctx.ledger.stock.exported(ctx.instance.name, source, outcome.done)
    return outcome.as_result(left=False)


def export(
    ctx: FlowContext, routes: Routes, rows: Sequence[Known], outcome: Outcome, *, by_bulk: bool = False
) -> None:
    """Work the figures out, compare them with what Magento has, and write what differs, or hand it to Magento's queue."""
    ready: list[WorkedOut] = []
    for one in work_out(ctx, routes, outcome.source, rows):
        if one.trouble is not None:
            _trouble(ctx, outcome, one, one.trouble)
        elif one.figure is None:
            outcome.skipped += 1
            outcome.done.append(Exported(magento_id=one.known.magento_id, marked=one.known.marked))
        else:
            ready.append(one)
    has = stock_source.read_rows(ctx, outcome.source, [one.sku for one in ready])
    # Alone it is looked up in any case: what spoiled a batch may be its SKU.
    doubted = {one.known.magento_id for one in ready if one.known.problem} | _twins(ready)
    if ctx.settings.stock_api_mode == "classic":
        # There what has no quantity of its own has a stock item too, and so has what was made anew under the SKU.
        doubted = {one.known.magento_id for one in ready}
    ready, has = _known_to_magento(ctx, outcome, ready, has, doubted)
    changed = [row for one in ready if (row := _compared(one, has.get(one.sku), outcome)) is not None]
    by_id = {one.known.magento_id: one for one in ready}

    def written(batch: Sequence[Row]) -> None:
        outcome.written += len(batch)
        ctx.ledger.stock.exported(ctx.instance.name, outcome.source, [row.exported for row in batch])

    def refused(row: Row, error: BridgeError) -> None:
        one = by_id[row.known.magento_id]
        _trouble(ctx, outcome, one, _refusal(one.sku, outcome.source, error))

    if changed and by_bulk:
        stock_bulk.hand_over(ctx, outcome.source, changed)
    if changed:
        write_rows(ctx, outcome.source, changed, written=written, refused=refused)


def _compared(one: WorkedOut, has: MagentoRow | None, outcome: Outcome) -> Row | None:
    """Return what is to be written, None where Magento has it already (RULES 3.5)."""
    figure = one.figure
    if figure is None:
        return None
    wanted = push(one.sku, figure.quantity, has=has, was_on=one.known.was_on)
    if wanted.is_kept_off:
        outcome.kept_off.append(one.sku)
    row = Row(
        known=one.known,
        push=wanted,
        target=figure.quantity,
        seen=None if has is None else has.quantity,
    )
    if wanted.is_change:
        return row
    outcome.unchanged += 1
    outcome.done.append(replace(row.exported, written=None, is_on=False))
    return None


def _twins(ready: Sequence[WorkedOut]) -> set[str]:
    """Return the products that are known under a SKU that another one has: of these one was renamed, or is gone.

    Of the same SKU twice in a call Magento takes the last, whichever that is (FACTS 6).
    """
    counts = Counter(one.sku.casefold() for one in ready)
    return {one.known.magento_id for one in ready if counts[one.sku.casefold()] > 1}


def _known_to_magento(
    ctx: FlowContext,
    outcome: Outcome,
    ready: Sequence[WorkedOut],
    has: Mapping[str, MagentoRow],
    doubted: Collection[str],
) -> tuple[list[WorkedOut], dict[str, MagentoRow]]:
    """Look those up that have no row yet, or are doubted: Magento would store a row for any SKU (FACTS 6)."""
    unsure = [one for one in ready if one.sku not in has or one.known.magento_id in doubted]
    known, found = [one for one in ready if one.sku in has and one.known.magento_id not in doubted], dict(has)
    if not unsure:
        return known, found
    catalog = stock_source.read_catalog(ctx, [one.known.magento_id for one in unsure])
    renamed: list[WorkedOut] = []
    for one in unsure:
        sku, type_id = catalog.get(one.known.magento_id, (None, ""))
        if sku is None:
            error = StockUnclear(
                f"Magento has no product with the SKU {one.sku} any more.",
                system="magento",
                reason="unknown_sku",
                sku=one.sku,
            )
            _trouble(ctx, outcome, one, error)
        elif type_id not in stock_source.STOCKED_TYPES:
            outcome.skipped += 1
            outcome.done.append(Exported(magento_id=one.known.magento_id, marked=one.known.marked))
        elif sku.casefold() != one.sku.casefold():
            renamed.append(replace(one, sku=sku))
        else:
            known.append(one)
    if renamed:
        # A SKU that was changed in Magento: the product is the same.
        relabel(ctx, renamed)
        found |= stock_source.read_rows(ctx, outcome.source, [one.sku for one in renamed])
    return [*known, *renamed], found


def _trouble(ctx: FlowContext, outcome: Outcome, one: WorkedOut, error: StockUnclear) -> None:
    outcome.troubles[one.sku] = error
    reason = str(error.details.get("reason"))
    _hand_over(ctx, outcome, one.known, one.sku, reason=reason)


def _hand_over(ctx: FlowContext, outcome: Outcome, known: Known, sku: str, *, reason: str) -> None:
    """Leave a figure to a job of its own, which says what is wrong and waits for a person."""
    outcome.done.append(Exported(magento_id=known.magento_id, marked=known.marked, problem=reason))
    outcome.own_jobs.append(
        want(
            "export-stock-item",
            instance=ctx.instance.name,
            entity=f"{outcome.source}:{known.magento_id}",
            label=sku,
        )
    )


def _refusal(sku: str, source: str, error: BridgeError) -> StockUnclear:
    return StockUnclear(
        f"Magento does not accept the stock of {sku} in the source {source}: {error.message}",
        system="magento",
        reason="slash" if error.details.get("reason") == "slash" else "refused",
        sku=sku,
        source=source,
        answer=str(error.details.get("answer") or ""),
    )


def checked_routes(ctx: FlowContext, source: str) -> Routes:
    """Return the routes, which must fill ``source`` and share no warehouse without a rule.

    Raises:
        SettingsWrong: they do not.
    """
    try:
        routes = ctx.ledger.stock.routes(ctx.instance.name)
    except ValueError as error:
        raise InvalidRecord(f"The setting stock_routes cannot be read: {error}.") from error
    if source not in routes.by_source:
        filled = ", ".join(routes.sources)
        raise SettingsWrong(
            f"The bridge does not fill the source {source} (any more); it fills {filled}.",
            reason="stock_source",
            source=source,
        )
    unclear = [
        share.warehouse_id
        for share in routes.by_source[source]
        if share.is_whole and _is_shared_without_rule(routes, share.warehouse_id)
    ]
    if unclear:
        raise SettingsWrong(
            f"Several sources are mapped to the Odoo warehouse {unclear[0]}, and nothing says how they share it.",
            reason="stock_shared_warehouse",
            source=source,
            warehouse=unclear[0],
        )
    return routes


def _is_shared_without_rule(routes: Routes, warehouse_id: int) -> bool:
    shares = [
        one for shares in routes.by_source.values() for one in shares if one.warehouse_id == warehouse_id
    ]
    return sum(one.is_whole for one in shares) > 1
