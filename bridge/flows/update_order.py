"""A second event of an imported order: carries over what may change, and blocks on what may not (RULES 1.9)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from bridge.errors import OperatorError
from bridge.flows import order_writing as writing
from bridge.flows.context import FlowContext
from bridge.flows.order_book import gather
from bridge.flows.order_cancellations import apply_cancellations
from bridge.flows.order_holds import follow_hold, is_held
from bridge.flows.order_partners import find_or_make
from bridge.idempotency import fingerprint
from bridge.ledger import Binding
from bridge.translate import MagentoOrder, OrderDiff, diff_order, needs, parse_order
from bridge.translate.order_plan import HELD, PAYMENT_REVIEW
from bridge.translate.order_snapshot import marks, restored, snapshot
from bridge.translate.partners import partners_plan

#: Kind of the bindings of orders to ``sale.order``, and of their explanations.
ORDER = "order"
#: Kind of the bindings of quotes to the order they became first.
QUOTE = "quote"

#: Flags and states of an order that stays a quotation: its goods must not leave yet, or not any more.
HOLDING = frozenset({"held", "payment_review", "twin", "total_surprise", "canceled", "closed"})


class OrderChanged(OperatorError):
    """Lines, prices or taxes of an imported order were changed in Magento."""

    code = "order_changed"


def update(
    ctx: FlowContext, raw: Mapping[str, Any], order: MagentoOrder, binding: Binding
) -> Mapping[str, Any]:
    """Bring the sales order up to date with ``order``.

    Raises:
        OrderChanged: lines, prices or taxes differ; they are never carried over.
        BoundRecordGone: the sales order was deleted.
    """
    kept = ctx.ledger.explanations.get(ctx.instance.name, ORDER, ctx.job.entity)
    content = dict(kept.content) if kept is not None else {}
    before = content.get("snapshot")
    shown = {"sale_order": binding.odoo_label, "sale_order_id": binding.odoo_id}
    if before is None:
        return {**shown, "changes": _take_up(ctx, content, raw, order, binding)}
    diff = diff_order(parse_order(restored(before, raw)), order)
    now = marks(order)
    changed = {name for name, mark in now.items() if before["marks"].get(name) != mark}
    if diff.blocking or "customer" in changed:
        raise _changed(order, diff, changed)
    if not (changed or diff.cancellations or diff.status_changed):
        return {**shown, "changes": []}
    # The writes of one change have one key: the same event again finds them done.
    entity = f"{ctx.job.entity}_{fingerprint([before, now, order.updated_at])[:12]}"
    stored = writing.read_back(ctx, binding.odoo_id)
    changes = []
    if changed & {"billing", "delivery"}:
        changes.append(_addresses(ctx, order, stored, entity))
    if diff.cancellations:
        lowered = apply_cancellations(ctx, order, binding.order_items_json or {}, entity=entity)
        changes.append(f"units of {len(diff.cancellations)} lines cancelled; {lowered} lines here lowered")
    changes += follow_hold(ctx, order, stored, content, entity=entity, is_news=diff.status_changed)
    if _may_confirm(ctx, diff, order, stored, flags=content.get("flags", ())):
        writing.confirm(ctx, ctx.job.entity, stored.id)
        date = f"{order.created_at:%Y-%m-%d %H:%M:%S}"
        writing.write_values(ctx, ctx.job.entity, stored.id, purpose="date", values={"date_order": date})
        changes.append("released and confirmed")
    if diff.status_changed:
        # An order counts once, with the status that it was imported in; that there is this one is known from now on.
        ctx.ledger.mappings.note(ctx.instance.name, [("order_status", order.status, order.state or None)])
        changes.append(f"status is now {order.status} ({order.state})")
    if "notes" in changed:
        known = set(content.get("said", ()))
        changes += [f"comment: {text}" for text in _notes(order) if _said(text) not in known] or ["comments"]
    _note(ctx, stored, changes, entity=entity)
    _keep(ctx, content, raw, order)
    return {**shown, "changes": _words(changes)}


def _take_up(
    ctx: FlowContext,
    content: dict[str, Any],
    raw: Mapping[str, Any],
    order: MagentoOrder,
    binding: Binding,
) -> list[str]:
    """Go on with an order of which the ledger has the binding only, and return what was done.

    What it was at its import is not known any more, so only what is absolute is carried over: cancelled units and a
    hold. From the next event on changes are seen again.
    """
    stored = writing.read_back(ctx, binding.odoo_id)
    if "flags" not in content and _is_twin(ctx, order, stored):
        content["flags"] = ["twin"]
    entity = f"{ctx.job.entity}_{fingerprint(order.updated_at)[:12]}"
    changes = []
    if lowered := apply_cancellations(ctx, order, binding.order_items_json or {}, entity=entity):
        changes.append(f"units cancelled; {lowered} lines here lowered")
    changes += follow_hold(ctx, order, stored, content, entity=entity, is_news=True, is_lost=True)
    if changes:
        _note(ctx, stored, changes, entity=entity)
    _keep(ctx, content, raw, order)
    return _words(changes)


def _is_twin(ctx: FlowContext, order: MagentoOrder, stored: writing.StoredOrder) -> bool:
    """Return whether the order's cart became another order first."""
    if order.quote_id is None:
        return False
    first = ctx.ledger.bindings.get(ctx.instance.name, QUOTE, order.quote_id)
    return first is not None and first.odoo_id != stored.id


def _note(ctx: FlowContext, stored: writing.StoredOrder, changes: Iterable[str], *, entity: str) -> None:
    points = "".join(f"<li>{escape(one)}</li>".replace("\n", "<br>") for one in changes)
    body = f"<p>Changed in Magento:</p><ul>{points}</ul>"
    writing.note(ctx, entity, stored.id, body=body, key="change")


def _words(changes: Iterable[str]) -> list[str]:
    """Return the changes without what a customer wrote."""
    return [one.partition(":")[0] for one in changes]


def _changed(order: MagentoOrder, diff: OrderDiff, changed: set[str]) -> OrderChanged:
    parts = [f"{one.field}: {one.old} -> {one.new}" for one in diff.blocking[:5]]
    if "customer" in changed:
        parts.append("another customer")
    more = len(diff.blocking) - 5
    said = "; ".join(parts) + (f"; and {more} more" if more > 0 else "")
    return OrderChanged(
        f"Order {order.increment_id} was changed in Magento after its import: {said}.",
        system="magento",
        increment_id=order.increment_id,
    )


def _addresses(ctx: FlowContext, order: MagentoOrder, stored: writing.StoredOrder, entity: str) -> str:
    plan = partners_plan(order, gather(ctx, order, needs(order)))
    partners = find_or_make(ctx, plan)
    writing.write_addresses(ctx, entity, stored, partners)
    if stored.is_confirmed and ctx.reference.may_use_stock:
        pickings = ctx.odoo.search(
            "stock.picking", [["sale_id", "=", stored.id], ["state", "not in", ["done", "cancel"]]]
        )
        key = ctx.effect_key("picking-address", entity)
        writing.write_absolute(
            ctx, "stock.picking", pickings, key=key, values={"partner_id": partners.delivery_id}
        )
    return "addresses"


def _may_confirm(
    ctx: FlowContext,
    diff: OrderDiff,
    order: MagentoOrder,
    stored: writing.StoredOrder,
    *,
    flags: Iterable[str],
) -> bool:
    """Return whether the order was held in Magento and is no more, and nothing else keeps it a quotation."""
    was_held = any(
        one.field == "status" and set(one.old.split("/")) & (HELD | PAYMENT_REVIEW) for one in diff.allowed
    )
    if ctx.settings.order_action != "confirm" or not was_held or is_held(order):
        return False
    others = HOLDING - {"held", "payment_review"}
    return stored.is_quotation and not others & {*flags, order.state}


def _notes(order: MagentoOrder) -> list[str]:
    return [text for text in (order.customer_note, order.gift_message, *order.comments) if text]


def _said(text: str) -> str:
    """Return a note's digest: what was said is the shop's and its customers', the ledger keeps no personal data."""
    return fingerprint(text)[:16]


def _keep(ctx: FlowContext, content: Mapping[str, Any], raw: Mapping[str, Any], order: MagentoOrder) -> None:
    ctx.ledger.explanations.put(
        ctx.instance.name, ORDER, ctx.job.entity, {**content, **kept_for_later(raw, order)}
    )


def kept_for_later(raw: Mapping[str, Any], order: MagentoOrder) -> dict[str, Any]:
    """Return what the next event of the order is compared with; holds no personal data."""
    return {"snapshot": snapshot(raw, order), "said": [_said(text) for text in _notes(order)]}
