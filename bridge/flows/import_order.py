"""``magento.order.saved``: one Magento order becomes one sales order, with every cent accounted for (RULES 1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from html import escape
from typing import Any
from zoneinfo import ZoneInfo

from bridge.errors import (
    InvalidRecord,
    OperatorError,
    OrderUnclear,
    RecordMissing,
    ServiceRejected,
    TotalDiffers,
)
from bridge.flows import order_writing as writing
from bridge.flows.context import FlowContext
from bridge.flows.freshness import insist_on_version
from bridge.flows.order_book import gather, rules
from bridge.flows.order_cancellations import Items, apply_cancellations
from bridge.flows.order_partners import find_or_make
from bridge.flows.order_products import insist_on_products
from bridge.flows.stock_watch import watch
from bridge.flows.update_order import HOLDING, ORDER, QUOTE, kept_for_later, update
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
from bridge.translate.mapping_use import mappings_used

#: Kind of what the ledger keeps of orders that were placed before ``import_from_date``.
HISTORY = "history"
#: States in which nothing of an order is to be delivered any more: imported as placed, it stays a quotation.
OVER = frozenset({"canceled", "closed"})


class TwinOrder(OperatorError):
    """The same cart became two orders."""

    code = "twin_order"


@dataclass(frozen=True, kw_only=True)
class _Written:
    """A sales order that is there and bound."""

    stored: writing.StoredOrder
    #: What an operator should know of it; those of ``HOLDING`` keep it a quotation.
    flags: Sequence[str]
    #: Number of the order that the same cart became before.
    twin: str | None
    items: Items


def run(ctx: FlowContext) -> Mapping[str, Any]:
    """Import the order whose entity id is the job's entity, or bring its sales order up to date."""
    ctx.reread_after_block()
    raw = ctx.magento.order(int(ctx.job.entity))
    ctx.label = str(raw.get("increment_id") or "") or None
    insist_on_version(ctx, raw)
    # Whatever becomes of its import, Magento holds its goods back.
    watch(ctx, raw)
    order = read_order(raw)
    ctx.use_store(order.store_id)
    binding = ctx.ledger.bindings.get(ctx.instance.name, ORDER, ctx.job.entity)
    if binding is not None and binding.fingerprint is not None:
        return update(ctx, raw, order, binding)
    if binding is None and (left_out := _history(ctx, order)) is not None:
        return left_out
    book = gather(ctx, order, needs(order))
    plan = translate_order(order, book)
    if binding is None:
        return _complete(ctx, order, plan, _write(ctx, raw, order, plan=plan, book=book))
    # An event of a change that came meanwhile folded into this job: nobody else will bring it.
    changes = update(ctx, raw, order, binding)["changes"]
    return {**_complete(ctx, order, plan, _resume(ctx, order, plan, binding)), "changes": changes}


def read_order(raw: Mapping[str, Any]) -> MagentoOrder:
    """Return the order as it was parsed.

    Raises:
        OrderUnclear: it cannot be read. A person looks at it; an extension that is mended makes it readable.
    """
    try:
        return parse_order(raw)
    except InvalidRecord as error:
        raise OrderUnclear(error.message, system="magento", reason="unreadable", **error.details) from error


def _write(
    ctx: FlowContext, raw: Mapping[str, Any], order: MagentoOrder, *, plan: OrderPlan, book: OrderBook
) -> _Written:
    """Create and bind the order."""
    entity = ctx.job.entity
    partners = find_or_make(ctx, plan.partners)
    try:
        preview = preview_totals(ctx, plan, partners.customer_id)
        if preview is not None:
            insist_on_total(ctx, order, plan, preview)
        order_id = writing.create(ctx, entity, plan, partners)
    except (ServiceRejected, RecordMissing):
        insist_on_products(ctx, {line.product_id for line in plan.lines})
        raise
    stored = writing.read_back(ctx, order_id)
    # What an earlier attempt sent stands, and since then the addresses may have changed.
    change = fingerprint([order.updated_at, partners.invoice_id, partners.delivery_id])[:12]
    writing.write_addresses(ctx, f"{entity}_{change}", stored, partners)
    expected = preview.total if preview is not None else plan.predicted.total
    is_surprise = cents(stored.total, book) != cents(expected, book)
    twin = _twin(ctx, order, order_id)
    flags = _flags(order, plan, twin=twin, is_surprise=is_surprise)
    content = explain(order, plan, book.profile, confirmed_total=stored.total).as_data()
    content |= {
        "sale_order": stored.name,
        "flags": flags,
        "twin_of": twin,
        "mappings": mappings_used(order, plan, book),
        **kept_for_later(raw, order),
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
    return _Written(stored=stored, flags=flags, twin=twin, items=items)


def _resume(ctx: FlowContext, order: MagentoOrder, plan: OrderPlan, binding: Binding) -> _Written:
    """Return what an earlier attempt wrote and bound: that stands, only the steps after it are missing."""
    kept = ctx.ledger.explanations.get(ctx.instance.name, ORDER, ctx.job.entity)
    content = {} if kept is None else kept.content
    twin = content.get("twin_of")
    flags = [*content.get("flags", ()), *_flags(order, plan, twin=twin, is_surprise=False)]
    return _Written(
        stored=writing.read_back(ctx, binding.odoo_id),
        flags=tuple(dict.fromkeys(flags)),
        twin=twin,
        items=binding.order_items_json or {},
    )


def _flags(order: MagentoOrder, plan: OrderPlan, *, twin: str | None, is_surprise: bool) -> list[str]:
    flags = list(plan.flags)
    if order.state in OVER:
        flags.append(order.state)
    if twin is not None:
        flags.append("twin")
    if is_surprise:
        flags.append("total_surprise")
    return flags


def _complete(ctx: FlowContext, order: MagentoOrder, plan: OrderPlan, written: _Written) -> Mapping[str, Any]:
    """Confirm, date, note: each once, whichever attempt does it. The binding's fingerprint says that all is done."""
    entity, stored = ctx.job.entity, written.stored
    apply_cancellations(ctx, order, written.items, entity=entity)
    if ctx.settings.order_action == "confirm" and not HOLDING & set(written.flags):
        writing.confirm(ctx, entity, stored.id)
        writing.write_values(ctx, entity, stored.id, purpose="date", values={"date_order": plan.date_order})
    writing.note(ctx, entity, stored.id, body=_note(plan, twin=written.twin))
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
    _raise_suspicion(order, written)
    return {
        "sale_order": stored.name,
        "sale_order_id": stored.id,
        "increment_id": order.increment_id,
        "total": str(stored.total),
        "flags": list(written.flags),
    }


def _raise_suspicion(order: MagentoOrder, written: _Written) -> None:
    """Show the operator what was imported, and kept a quotation, for a person to decide."""
    name = written.stored.name
    if "total_surprise" in written.flags:
        raise TotalDiffers(
            f"Odoo stored the order {name} with another total ({written.stored.total}) than its own preview said. "
            "It stays a quotation.",
            system="odoo",
            increment_id=order.increment_id,
            reason="surprise",
        )
    if written.twin is not None:
        raise TwinOrder(
            f"Order {order.increment_id} came from the same cart as order {written.twin}. Its sales order {name} "
            "stays a quotation: confirm it in Odoo if both are wanted, else cancel it; then retry this job or "
            "cancel it.",
            system="magento",
            increment_id=order.increment_id,
            twin=written.twin,
        )


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


def _history(ctx: FlowContext, order: MagentoOrder) -> Mapping[str, Any] | None:
    """Return the job's result if the order was placed before ``import_from_date``, a day of the store (RULES 1.8)."""
    first_day = ctx.settings.import_from_date
    if first_day is None:
        return None
    placed = order.created_at.astimezone(ZoneInfo(ctx.settings.store_timezone)).date()
    if placed >= first_day:
        return None
    if ctx.settings.history_orders == "record":
        content = {
            "increment_id": order.increment_id,
            "placed_on": placed.isoformat(),
            "state": order.state,
            "currency": order.currency,
            "grand_total": order.grand_total,
        }
        ctx.ledger.explanations.put(ctx.instance.name, HISTORY, ctx.job.entity, content)
    return {
        "increment_id": order.increment_id,
        "skipped": f"before import date: placed on {placed}, imported from {first_day} on",
    }


def _twin(ctx: FlowContext, order: MagentoOrder, order_id: int) -> str | None:
    """Return the number of the order that the same quote became before, if any (RULES 1.13).

    Doubled orders come in the same moment: of two at once exactly one is the first.
    """
    if order.quote_id is None:
        return None
    first = ctx.ledger.bindings.bind_first(
        ctx.instance.name,
        QUOTE,
        magento_id=order.quote_id,
        odoo_model="sale.order",
        odoo_id=order_id,
        magento_label=order.increment_id,
    )
    return None if first.odoo_id == order_id else first.magento_label or str(first.odoo_id)


def _note(plan: OrderPlan, *, twin: str | None) -> str:
    if twin is None:
        return plan.note
    return (
        f"<p><b>Suspicion:</b> the same cart became order {escape(twin)} already. This one stays a quotation until a "
        f"person confirms it.</p>{plan.note}"
    )
