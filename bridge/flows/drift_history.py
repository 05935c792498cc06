"""What the ledger, and Magento's own word on what is for sale, tell of figures that differ: where the drift comes from."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from bridge.errors import BridgeError
from bridge.flows import stock_source
from bridge.flows.context import FlowContext
from bridge.flows.stock_figures import WorkedOut
from bridge.idempotency import external_key
from bridge.ledger import Job, JobId, StockFigure
from bridge.magento.inventory import IN_STOCK, source_items
from bridge.magento.stocks import Layout, Stock, salable_quantity, stock_item
from bridge.translate.drift import History
from bridge.translate.money import ZERO

#: Products of a page whose reservations are measured: three calls each.
MOST_MEASURED = 20
_FAILED = ("failed", "blocked", "cancelled")


@dataclass(frozen=True, kw_only=True)
class Told:
    """What is known of one figure that differs."""

    history: History
    #: The job that waits, or failed.
    job_id: JobId | None = None
    #: Magento's own threshold, where it was looked at.
    threshold: Decimal | None = None


@dataclass(frozen=True, kw_only=True)
class _Measured:
    stale: Decimal | None
    threshold: Decimal


def left_at(known: StockFigure) -> tuple[Decimal, datetime] | None:
    """Return what Magento had when the last export of a figure ended, and when that was; None: it was never exported.

    What was written, or what was found as it should be after the last write.
    """
    written = None if known.written is None else known.written_at
    seen = None if known.seen is None else known.seen_at
    if known.written is not None and written is not None and (seen is None or written >= seen):
        return known.written, written
    if known.seen is not None and seen is not None:
        return known.seen, seen
    return None


def tell(
    ctx: FlowContext, source: str, drifting: Sequence[tuple[WorkedOut, Decimal | None]]
) -> dict[str, Told]:
    """Return what is known of figures that differ, with what Magento has of each, by Magento's product."""
    if not drifting:
        return {}
    instance = ctx.instance.name
    shipped = ctx.ledger.drift.shipped(instance, [one.known.magento_id for one, _ in drifting])
    safety = ctx.ledger.drift.safety_changes(instance)
    export = _job(ctx, "export-stock", source)
    measured = _measure(ctx, source, drifting)
    found: dict[str, Told] = {}
    for one, _ in drifting:
        known = one.known
        last = left_at(known)
        job = export if known.is_dirty else None
        if known.problem is not None:
            job = _job(ctx, "export-stock-item", f"{source}:{known.magento_id}")
        waits = known.is_dirty or known.problem is not None
        now = measured.get(known.magento_id)
        found[known.magento_id] = Told(
            history=History(
                left_at=None if last is None else last[0],
                job=_becomes(job) if waits else None,
                shipped=ZERO if last is None else _since(shipped.get(known.magento_id, ()), last[1]),
                has_new_safety=last is not None and _has_new_safety(one, source, safety, last[1]),
                stale=None if now is None else now.stale,
            ),
            job_id=job.id if waits and job is not None else None,
            threshold=None if now is None else now.threshold,
        )
    return found


def _job(ctx: FlowContext, kind: str, entity: str) -> Job | None:
    key = external_key(ctx.instance.name, kind, entity)
    return next(iter(ctx.ledger.jobs.list(external_key=key, limit=1)), None)


def _becomes(job: Job | None) -> Literal["waiting", "failed"]:
    return "failed" if job is not None and job.state in _FAILED else "waiting"


def _since(lines: Collection[tuple[datetime, Decimal]], moment: datetime) -> Decimal:
    return sum((units for at, units in lines if at >= moment), ZERO)


def _has_new_safety(
    one: WorkedOut, source: str, changed: Mapping[tuple[str, str], datetime], moment: datetime
) -> bool:
    """Return whether the safety stock that holds for a figure was set after ``moment``."""
    if one.figure is None:
        return False
    where = one.figure.rules.safety_from
    key = {"product": one.known.sku or "", "source": source, "instance": ""}.get(where)
    times = [at for (scope, name), at in changed.items() if scope == where and key in (None, name)]
    return any(at > moment for at in times)


def _measure(
    ctx: FlowContext, source: str, drifting: Sequence[tuple[WorkedOut, Decimal | None]]
) -> dict[str, _Measured]:
    """Return the reservations that the ledger has too many of: where Magento fell without the bridge, and orders are open."""
    layout = stock_source.source_layout(ctx)
    stocks = [] if layout is None else layout.stocks_of(source)
    if layout is None or len(stocks) != 1 or ctx.settings.stock_reservations == "off":
        # What is for sale of a source that several stocks share says nothing about one of them.
        return {}
    found: dict[str, _Measured] = {}
    for one, has in drifting:
        last = left_at(one.known)
        fell = last is not None and has is not None and has < last[0]
        is_open = one.figure is not None and any(line.open > 0 for line in one.figure.lines)
        if fell and is_open and len(found) < MOST_MEASURED:
            try:
                found[one.known.magento_id] = _reservations(ctx, layout, stocks[0], one)
            except BridgeError:
                # Only a part of the explanation: the check itself goes on.
                continue
    return found


def _reservations(ctx: FlowContext, layout: Layout, stock: Stock, one: WorkedOut) -> _Measured:
    codes = [code for code in stock.source_codes if (known := layout.source(code)) and known.is_enabled]
    rows = source_items(ctx.magento, [one.sku], codes).values()
    total = sum((row.quantity for row in rows if row.status == IN_STOCK), ZERO)
    threshold = stock_item(ctx.magento, one.sku).min_quantity
    salable = salable_quantity(ctx.magento, one.sku, stock.stock_id)
    if salable <= 0:
        # Below zero it is shown with back-orders only (RULES 3.3): nothing can be told from a zero.
        return _Measured(stale=None, threshold=threshold)
    lines = ctx.ledger.stock_lines.open(ctx.instance.name, [one.known.magento_id])
    reserved = sum((line.open for line in lines if _sells_from(ctx, layout, stock, line.store_id)), ZERO)
    return _Measured(stale=reserved - (total - threshold - salable), threshold=threshold)


def _sells_from(ctx: FlowContext, layout: Layout, stock: Stock, store_id: int | None) -> bool:
    if len(layout.stocks) == 1:
        return True
    stores = ctx.ledger.stores.known(ctx.instance.name)
    sold_from = stock_source.stock_of_store(stores, layout, store_id)
    return sold_from is None or sold_from == stock.stock_id
