"""Compares what Magento has of bound products in a source with what it should have. Writes nothing into either system."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from bridge.flows import stock_source
from bridge.flows.context import FlowContext
from bridge.flows.drift_history import Told, left_at, tell
from bridge.flows.stock_figures import WorkedOut, relabel, work_out
from bridge.ledger import DriftCounts, SeenDrift, StockFigure
from bridge.stock_routes import Routes
from bridge.translate.drift import Limits, Part, parts, severity
from bridge.translate.money import ZERO, plain
from bridge.translate.stock import MagentoRow


@dataclass(frozen=True, kw_only=True)
class _Row:
    """A product that is exported, and what Magento has of it."""

    one: WorkedOut
    has: MagentoRow | None
    #: Whether Magento has no product of this SKU any more.
    is_gone: bool = False

    @property
    def found(self) -> Decimal | None:
        return None if self.has is None else self.has.quantity

    @property
    def target(self) -> Decimal:
        return ZERO if self.one.figure is None else self.one.figure.quantity


@dataclass(kw_only=True)
class Compared:
    """What a page of products came to."""

    lines: list[SeenDrift] = field(default_factory=list)
    ok: int = 0
    skipped: int = 0

    def counts(self) -> DriftCounts:
        """Return the page's figures."""
        by_severity = [line.severity for line in self.lines]
        bound = [line.difference for line in self.lines if line.target is not None]
        return DriftCounts(
            checked=self.ok + self.skipped + len(self.lines),
            ok=self.ok,
            skipped=self.skipped,
            warning=by_severity.count("warning"),
            critical=by_severity.count("critical"),
            not_found=by_severity.count("not_found"),
            not_in_odoo=by_severity.count("not_in_odoo"),
            too_many=sum((one for one in bound if one > 0), ZERO),
            too_few=-sum((one for one in bound if one < 0), ZERO),
        )


def compare(ctx: FlowContext, routes: Routes, source: str, known: Sequence[StockFigure]) -> Compared:
    """Compare products with what Magento has, with one read of Odoo and one of Magento; only what differs has a line."""
    compared = Compared()
    limits = Limits(warning=ctx.settings.drift_warning, critical=ctx.settings.drift_critical)
    rows = _rows(ctx, routes, source, known, compared)
    drifting = [row for row in rows if _severity(row, limits) != "ok"]
    moved = _moved_on(ctx, source, drifting)
    if moved:
        # An export went on meanwhile: what it left is compared, not what was before it.
        again = _rows(ctx, routes, source, moved, compared)
        ids = {one.magento_id for one in moved}
        rows = [*(row for row in rows if row.one.known.magento_id not in ids), *again]
        drifting = [row for row in rows if _severity(row, limits) != "ok"]
    compared.ok += len(rows) - len(drifting)
    told = tell(ctx, source, [(row.one, row.found) for row in drifting if not row.is_gone])
    compared.lines += [_line(ctx, row, limits, told.get(row.one.known.magento_id)) for row in drifting]
    return compared


def added(before: DriftCounts, more: DriftCounts) -> DriftCounts:
    """Return the figures of both together."""
    return DriftCounts(**{name: value + getattr(more, name) for name, value in vars(before).items()})


def _severity(row: _Row, limits: Limits) -> str:
    return severity(row.found, row.target, limits)


def _rows(
    ctx: FlowContext,
    routes: Routes,
    source: str,
    known: Sequence[StockFigure],
    compared: Compared,
) -> list[_Row]:
    """Return the products that are exported with what Magento has; the others are told to ``compared``."""
    worked = work_out(ctx, routes, source, known)
    ready = [one for one in worked if one.figure is not None]
    unclear = [one for one in worked if one.trouble is not None]
    has = stock_source.read_rows(ctx, source, [one.sku for one in (*ready, *unclear)])
    rows = [_Row(one=one, has=has[one.sku]) for one in ready if one.sku in has]
    missing, skipped = _looked_up(ctx, source, [one for one in ready if one.sku not in has])
    compared.skipped += len(worked) - len(ready) - len(unclear) + skipped
    compared.lines += [_unclear_line(one, has.get(one.sku)) for one in unclear]
    return [*rows, *missing]


def _looked_up(ctx: FlowContext, source: str, missing: Sequence[WorkedOut]) -> tuple[list[_Row], int]:
    """Return products without a row as Magento's catalog has them now, and how many of them have none by their kind."""
    if not missing:
        return [], 0
    catalog = stock_source.read_catalog(ctx, [one.known.magento_id for one in missing])
    rows: list[_Row] = []
    renamed: list[WorkedOut] = []
    skipped = 0
    for one in missing:
        sku, type_id = catalog.get(one.known.magento_id, (None, ""))
        if sku is None:
            rows.append(_Row(one=one, has=None, is_gone=True))
        elif type_id not in stock_source.STOCKED_TYPES:
            skipped += 1
        elif sku.casefold() == one.sku.casefold():
            rows.append(_Row(one=one, has=None))
        else:
            renamed.append(replace(one, sku=sku))
    if renamed:
        if not ctx.is_preview:
            relabel(ctx, renamed)
        has = stock_source.read_rows(ctx, source, [one.sku for one in renamed])
        rows += [_Row(one=one, has=has.get(one.sku)) for one in renamed]
    return rows, skipped


def _moved_on(ctx: FlowContext, source: str, drifting: Sequence[_Row]) -> list[StockFigure]:
    """Return the figures that were exported since they were read, as they are known now."""
    if not drifting:
        return []
    before = {row.one.known.magento_id: row.one.known for row in drifting}
    now = ctx.ledger.drift.figures(ctx.instance.name, source, before)
    return [one for magento_id, one in now.items() if left_at(one) != left_at(before[magento_id])]


def _line(ctx: FlowContext, row: _Row, limits: Limits, told: Told | None) -> SeenDrift:
    figure, found = row.one.figure, row.found
    difference = (ZERO if found is None else found) - row.target
    causes: Sequence[Part] = ()
    if figure is not None and told is not None:
        causes = parts(found, figure, told.history)
    elif difference:
        causes = [Part(cause="mapping_missing", units=difference)]
    details: dict[str, Any] = {
        "causes": [_cause(part, told) for part in causes],
        "notes": _notes(ctx, row, told),
        "status": None if row.has is None else row.has.status,
    }
    if row.is_gone:
        details["problem"] = f"Magento has no product with the SKU {row.one.sku} any more."
    if figure is not None:
        details["terms"] = {name: value for name, value in figure.as_data().items() if name != "lines"}
    return SeenDrift(
        sku=row.one.sku,
        magento_id=row.one.known.magento_id,
        severity=_severity(row, limits),
        target=row.target,
        found=found,
        difference=difference,
        details=details,
    )


def _cause(part: Part, told: Told | None) -> dict[str, Any]:
    shown: dict[str, Any] = {"cause": part.cause, "units": plain(part.units)}
    is_of_job = part.cause in {"job_waiting", "job_failed"}
    return shown | ({"job": told.job_id} if told is not None and told.job_id and is_of_job else {})


def _notes(ctx: FlowContext, row: _Row, told: Told | None) -> dict[str, Any]:
    """Return what else keeps units from being sold, beside the difference (RULES 3.6)."""
    figure = row.one.figure
    notes: dict[str, Any] = {}
    if figure is not None and figure.lost_to_safety:
        notes["safety_stock"] = plain(figure.lost_to_safety)
    if told is not None and told.threshold:
        # Magento takes its own threshold off as well.
        notes["threshold"] = plain(told.threshold)
    layout = stock_source.source_layout(ctx)
    if figure is not None and layout is not None and len(figure.rules.stock_ids) > 1:
        shared = [one.name for one in layout.stocks if one.stock_id in figure.rules.stock_ids]
        notes["shared_source"] = shared
    return notes


def _unclear_line(one: WorkedOut, has: MagentoRow | None) -> SeenDrift:
    """Return the line of a product of which nothing tells what Magento should have."""
    found = None if has is None else has.quantity
    reason = None if one.trouble is None else one.trouble.details.get("reason")
    part = Part(cause="unknown" if reason == "quantity" else "mapping_missing", units=found or ZERO)
    details: Mapping[str, Any] = {
        "causes": [{"cause": part.cause, "units": plain(part.units)}],
        "notes": {},
        "status": None if has is None else has.status,
        "problem": None if one.trouble is None else one.trouble.message,
    }
    return SeenDrift(
        sku=one.sku,
        magento_id=one.known.magento_id,
        severity="not_in_odoo",
        target=None,
        found=found,
        difference=found or ZERO,
        details=details,
    )
