"""Watches what each Magento order holds back, imported or not: reservations cannot be read over REST (RULES 3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from bridge.errors import AccessMissing, RecordMissing, ServiceRejected, SettingsWrong
from bridge.flows.context import FlowContext
from bridge.flows.wants import wake_stock
from bridge.ledger import StockLine
from bridge.magento.search import Filter, magento_time
from bridge.translate.money import ZERO
from bridge.translate.stock_lines import (
    LineEvent,
    LineState,
    advance,
    is_ambiguous,
    line_events,
    line_states,
    whole,
)

#: Kind of the bindings of orders to ``sale.order``.
ORDER_BINDING = "order"
_SHIPMENTS = (
    "items[entity_id,created_at,extension_attributes[source_code],items[order_item_id,qty]],total_count"
)
_MEMOS = "items[entity_id,created_at,items[order_item_id,qty]],total_count"
#: Documents of one order that are read; more of them are read as if they had come in their usual order.
_MOST_DOCUMENTS = 100


@dataclass(frozen=True, kw_only=True)
class _Documents:
    """The shipments and credit memos of an order, by line."""

    events: Mapping[int, list[LineEvent]] = field(default_factory=dict)
    shipped_from: str | None = None

    def of(self, line: LineState) -> list[LineEvent] | None:
        """Return a line's events in time order, None where they do not tell what its counters do."""
        events = self.events.get(line.item_id, [])
        counted = {kind: sum((one.quantity for one in events if one.kind == kind), ZERO) for kind in _KINDS}
        return events if counted == {"ship": line.shipped, "refund": line.refunded} else None


_KINDS = ("ship", "refund")


def watch(ctx: FlowContext, raw: Mapping[str, Any]) -> None:
    """Keep the order's lines as they are now, and mark the products whose figures they change."""
    if ctx.is_preview:
        return
    order_id, version = int(raw["entity_id"]), str(raw.get("updated_at") or "")
    known = ctx.ledger.stock_lines.of_order(ctx.instance.name, order_id)
    if any(version < line.version for line in known.values()):
        return
    before = {item_id: _state(line) for item_id, line in known.items()}
    now = [line for line in line_states(raw) if _is_news(before.get(line.item_id), line)]
    if not now:
        return
    opening = _opening(ctx)
    documents = _Documents()
    if any(_needs_documents(ctx, raw, before.get(line.item_id), line, opening) for line in now):
        documents = _read_documents(ctx, order_id)
    lines = [
        _line(
            raw,
            advance(
                before.get(line.item_id),
                replace(
                    line, shipped_before=_before(raw, before.get(line.item_id), line, opening, documents)
                ),
                events=documents.of(line) if documents.events else None,
            ),
            shipped_from=documents.shipped_from,
        )
        for line in now
    ]
    # Nothing is marked while nothing is exported: who begins to export begins with everything.
    is_exported = ctx.instance.settings.export_stock
    ctx.ledger.stock_lines.put(
        ctx.instance.name,
        lines,
        marks=[line.product_id for line in lines if line.product_id and is_exported],
        wake=wake_stock(ctx.instance.name),
    )


def _is_news(before: LineState | None, now: LineState) -> bool:
    return before is None or replace(before, open=now.open, shipped_before=now.shipped_before) != now


def _needs_documents(
    ctx: FlowContext,
    raw: Mapping[str, Any],
    before: LineState | None,
    now: LineState,
    opening: str | None,
) -> bool:
    """Return whether only the documents tell: when units were shipped, or from where."""
    if is_ambiguous(before, now):
        return True
    if now.shipped == (before.shipped if before else ZERO):
        return False
    return (before is None and _spans(raw, opening)) or _only_magento_knows_the_source(ctx, raw)


def _only_magento_knows_the_source(ctx: FlowContext, raw: Mapping[str, Any]) -> bool:
    """Return whether an order is not in Odoo, and its goods may have left any of several sources."""
    if len(ctx.ledger.stock.routes(ctx.instance.name).sources) < 2:
        return False
    return ctx.ledger.bindings.get(ctx.instance.name, ORDER_BINDING, str(raw["entity_id"])) is None


def _spans(raw: Mapping[str, Any], opening: str | None) -> bool:
    """Return whether units may have been shipped before the stock opening as well as after it."""
    placed, changed = str(raw.get("created_at") or ""), str(raw.get("updated_at") or "")
    return opening is not None and placed < opening <= changed


def _before(
    raw: Mapping[str, Any],
    before: LineState | None,
    now: LineState,
    opening: str | None,
    documents: _Documents,
) -> Decimal:
    """Return the units that were shipped before the stock opening: Odoo's count knows them (RULES 1.8)."""
    if before is not None:
        return before.shipped_before
    if opening is None or str(raw.get("created_at") or "") >= opening:
        return ZERO
    if not _spans(raw, opening):
        return now.shipped
    events = documents.of(now)
    if events is None:
        # Nothing tells: what was shipped of an old order is taken to be long gone.
        return now.shipped
    return sum((one.quantity for one in events if one.kind == "ship" and one.at < opening), ZERO)


def _opening(ctx: FlowContext) -> str | None:
    """Return when Odoo's counted stock became the truth, as Magento writes times: the setting, else the import date."""
    settings = ctx.settings
    moment = settings.stock_opening_date
    if moment is None and settings.import_from_date is not None:
        moment = datetime.combine(settings.import_from_date, time())
    if moment is None:
        return None
    zone = ZoneInfo(settings.store_timezone)
    return magento_time((moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC))


def _read_documents(ctx: FlowContext, order_id: int) -> _Documents:
    """Return an order's documents; none where they may not be read: then the usual order of events is taken."""
    filters = [Filter("order_id", order_id)]
    found = []
    for path, fields in (("/shipments", _SHIPMENTS), ("/creditmemos", _MEMOS)):
        try:
            page = ctx.magento.page(
                path, filters, sort=("entity_id",), page_size=_MOST_DOCUMENTS, fields=fields
            )
        except (AccessMissing, RecordMissing, ServiceRejected, SettingsWrong):
            return _Documents()
        found.append(page.rows)
    shipments, memos = found
    codes = [(one.get("extension_attributes") or {}).get("source_code") for one in shipments]
    return _Documents(
        events=line_events(shipments, memos),
        shipped_from=next((str(code) for code in reversed(codes) if code), None),
    )


def _state(line: StockLine) -> LineState:
    return LineState(
        item_id=line.item_id,
        product_id=int(line.product_id) if line.product_id else None,
        sku=line.sku,
        ordered=line.ordered,
        canceled=line.canceled,
        shipped=line.shipped,
        refunded=line.refunded,
        open=line.open,
        shipped_before=line.shipped_before,
    )


def _line(raw: Mapping[str, Any], state: LineState, *, shipped_from: str | None) -> StockLine:
    return StockLine(
        order_id=int(raw["entity_id"]),
        item_id=state.item_id,
        order_label=str(raw.get("increment_id") or raw["entity_id"]),
        store_id=whole(raw, "store_id"),
        product_id=None if state.product_id is None else str(state.product_id),
        sku=state.sku,
        ordered=state.ordered,
        canceled=state.canceled,
        shipped=state.shipped,
        refunded=state.refunded,
        open=state.open,
        shipped_before=state.shipped_before,
        shipped_from=shipped_from,
        version=str(raw.get("updated_at") or ""),
        # Nothing is held back of it and nothing was taken out: whatever Odoo does, it counts nothing.
        is_settled=state.open == 0 and state.shipped_since == 0,
    )
