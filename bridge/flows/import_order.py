"""``magento.order.saved``: one Magento order becomes one sales order, with every cent accounted for (RULES 1)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from bridge.errors import StaleEvent, StaleRead, TotalDiffers
from bridge.flows import order_writing as writing
from bridge.flows.context import FlowContext
from bridge.flows.order_book import gather, rules
from bridge.flows.order_partners import find_or_make
from bridge.flows.update_order import ORDER, update
from bridge.idempotency import fingerprint
from bridge.ledger import Binding
from bridge.odoo import Totals
from bridge.translate import (
    MagentoOrder,
    OrderBook,
    OrderPlan,
    explain,
    judge,
    needs,
    parse_order,
    preview_lines,
    translate_order,
)
from bridge.translate.order_snapshot import snapshot

#: Kind of the bindings of quotes to the order they became first.
QUOTE = "quote"
#: Waits before an order that is older than its event is read again; after the last it is taken as it is.
STALE_WAITS_SECONDS = (2.0, 5.0, 15.0)
#: Flags of an order whose goods must not leave yet.
HOLDING = frozenset({"held", "payment_review", "twin", "total_surprise"})


def run(ctx: FlowContext) -> Mapping[str, Any]:
    """Import the order whose entity id is the job's entity, or bring its sales order up to date."""
    raw = ctx.magento.order(int(ctx.job.entity))
    _insist_on_version(ctx, raw)
    order = parse_order(raw)
    binding = ctx.ledger.bindings.get(ctx.instance.name, ORDER, ctx.job.entity)
    if binding is not None and binding.fingerprint is not None:
        return update(ctx, raw, order, binding)
    _leave_out_history(ctx, order)
    book = gather(ctx, order, needs(order))
    plan = translate_order(order, book)
    stored, surprise = _write(ctx, raw, order, plan=plan, book=book, binding=binding)
    return _complete(ctx, order, plan, stored, surprise=surprise)


def _write(
    ctx: FlowContext,
    raw: Mapping[str, Any],
    order: MagentoOrder,
    *,
    plan: OrderPlan,
    book: OrderBook,
    binding: Binding | None,
) -> tuple[writing.StoredOrder, bool]:
    """Create and bind the order, unless an attempt before did; return it, and whether its total is a surprise."""
    entity = ctx.job.entity
    if binding is not None:
        # Bound, and not complete: what was written then stands; only the steps after it are missing.
        stored = writing.read_back(ctx, binding.odoo_id)
        return stored, "total_surprise" in (_kept_flags(ctx, entity))
    partners = find_or_make(ctx, plan.partners)
    preview = preview_totals(ctx, plan, partners.customer_id)
    if preview is not None:
        insist_on_total(ctx, order, plan, preview)
    order_id = writing.create(ctx, entity, plan, partners)
    stored = writing.read_back(ctx, order_id)
    expected = preview.total if preview is not None else plan.predicted.total
    surprise = cents(stored.total, book) != cents(expected, book)
    content = explain(order, plan, book.profile, confirmed_total=stored.total).as_data()
    content |= {
        "sale_order": stored.name,
        "flags": ["total_surprise"] if surprise else [],
        "snapshot": snapshot(raw, order),
    }
    ctx.ledger.explanations.put(ctx.instance.name, ORDER, entity, content)
    items = writing.order_items(ctx, entity, plan, stored)
    ctx.bind(
        ORDER,
        entity,
        "sale.order",
        order_id,
        magento_label=order.increment_id,
        odoo_label=stored.name,
        items=items,
    )
    return stored, surprise


def _complete(
    ctx: FlowContext, order: MagentoOrder, plan: OrderPlan, stored: writing.StoredOrder, *, surprise: bool
) -> Mapping[str, Any]:
    """Confirm, date, note: each once, whichever attempt does it. The binding's fingerprint says that all is done."""
    entity = ctx.job.entity
    twin = _twin(ctx, order, stored.id)
    flags = [*plan.flags, *(["twin"] if twin else []), *(["total_surprise"] if surprise else [])]
    if ctx.settings.order_action == "confirm" and not HOLDING & set(flags):
        writing.confirm(ctx, entity, stored.id)
        writing.write_values(ctx, entity, stored.id, purpose="date", values={"date_order": plan.date_order})
    writing.note(ctx, entity, stored.id, body=_note(plan, twin=twin))
    if ctx.settings.write_ext_order_id:
        writing.write_ext_order_id(ctx, entity, stored.name)
    ctx.bind(
        ORDER,
        entity,
        "sale.order",
        stored.id,
        magento_label=order.increment_id,
        odoo_label=stored.name,
        fingerprint=fingerprint(order.updated_at),
    )
    if surprise:
        raise TotalDiffers(
            f"Odoo stored the order {stored.name} with another total ({stored.total}) than its own preview said. "
            "It stays a quotation.",
            system="odoo",
            increment_id=order.increment_id,
            reason="surprise",
        )
    return {
        "sale_order": stored.name,
        "sale_order_id": stored.id,
        "increment_id": order.increment_id,
        "total": str(stored.total),
        "flags": flags,
    }


def preview_totals(ctx: FlowContext, plan: OrderPlan, partner_id: int) -> Totals | None:
    """Return the totals that Odoo would give the order, None where the settings do not ask for them."""
    if ctx.settings.order_preview == "never":
        return None
    head: dict[str, Any] = {"partner_id": partner_id}
    pricelist_id = plan.head.get("pricelist_id/.id")
    if pricelist_id:
        head["pricelist_id"] = int(pricelist_id)
    return ctx.odoo.preview_order(head, preview_lines(plan, tax_field=ctx.odoo.names.order_line_tax))


def insist_on_total(ctx: FlowContext, order: MagentoOrder, plan: OrderPlan, preview: Totals) -> None:
    """Hold Odoo's own preview to the total policy: it, and not our calculator, decides (RULES 1.4).

    Raises:
        TotalDiffers: the policy blocks; or it would adjust, and the calculator that sized the adjustment erred.
    """
    digits = plan.predicted.total.as_tuple().exponent
    total = preview.total.quantize(Decimal(1).scaleb(int(digits)))
    verdict = judge(magento=order.grand_total, odoo=total, rules=rules(ctx), increment_id=order.increment_id)
    if verdict.outcome == "adjusted":
        raise TotalDiffers(
            f"Order {order.increment_id} would be {total} in Odoo even with its adjustment line.",
            reason="preview",
            increment_id=order.increment_id,
            difference=str(verdict.difference),
        )


def cents(amount: Decimal, book: OrderBook) -> Decimal:
    """Return ``amount`` in the digits of the order's currency: 16 answers unrounded floats."""
    return amount.quantize(Decimal(1).scaleb(-book.profile.currency_digits))


def _insist_on_version(ctx: FlowContext, raw: Mapping[str, Any]) -> None:
    """Read again a little later where the order is older than its event said: replicas lag (DESIGN 3)."""
    named, read = ctx.job.version, str(raw.get("updated_at") or "")
    if not named or read >= named:
        return
    waited = _stale_reads(ctx)
    if waited < len(STALE_WAITS_SECONDS):
        raise StaleRead(
            "Magento answered an older version of the order than the event named; it is read again.",
            waits_for="version",
            retry_after=STALE_WAITS_SECONDS[waited],
            system="magento",
        )


def _stale_reads(ctx: FlowContext) -> int:
    """Return how many of the attempts just before this one ended because the order was too old."""
    count = 0
    for attempt in reversed(ctx.ledger.jobs.attempts(ctx.job.id)):
        if attempt.error_code != StaleRead.code:
            break
        count += 1
    return count


def _leave_out_history(ctx: FlowContext, order: MagentoOrder) -> None:
    first_day = ctx.settings.import_from_date
    if first_day is None:
        return
    placed = order.created_at.astimezone(ZoneInfo(ctx.settings.store_timezone)).date()
    if placed < first_day:
        raise StaleEvent(
            f"The order was placed on {placed}, before import date {first_day}.", system="magento"
        )


def _kept_flags(ctx: FlowContext, entity: str) -> list[str]:
    kept = ctx.ledger.explanations.get(ctx.instance.name, ORDER, entity)
    return [] if kept is None else list(kept.content.get("flags", ()))


def _twin(ctx: FlowContext, order: MagentoOrder, order_id: int) -> str | None:
    """Return the number of the order that the same quote became before, if any (RULES 1.13)."""
    if order.quote_id is None:
        return None
    quote = str(order.quote_id)
    known = ctx.ledger.bindings.get(ctx.instance.name, QUOTE, quote)
    if known is not None:
        return None if known.odoo_id == order_id else known.magento_label
    ctx.bind(QUOTE, quote, "sale.order", order_id, magento_label=order.increment_id)
    return None


def _note(plan: OrderPlan, *, twin: str | None) -> str:
    if twin is None:
        return plan.note
    return (
        f"<p><b>Suspicion:</b> the same cart became order {twin} already. This one stays a quotation until a person "
        f"confirms it.</p>{plan.note}"
    )
