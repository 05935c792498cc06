"""A second event of an imported order: carries over what may change, and blocks on what may not (RULES 1.9)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bridge.errors import OperatorError
from bridge.flows import order_writing as writing
from bridge.flows.context import FlowContext
from bridge.flows.order_book import gather
from bridge.flows.order_partners import find_or_make
from bridge.idempotency import fingerprint
from bridge.ledger import Binding
from bridge.translate import MagentoOrder, OrderDiff, diff_order, needs, parse_order
from bridge.translate.order_plan import HELD, PAYMENT_REVIEW
from bridge.translate.order_snapshot import marks, restored, snapshot
from bridge.translate.partners import partners_plan

#: Kind of the bindings of orders to ``sale.order``, and of their explanations.
ORDER = "order"


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
        _keep(ctx, content, raw, order)
        return {**shown, "changes": []}
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
        changes.append(_cancellations(ctx, diff, binding, entity))
    if _is_released(ctx, diff, order, stored):
        writing.confirm(ctx, ctx.job.entity, stored.id)
        date = f"{order.created_at:%Y-%m-%d %H:%M:%S}"
        writing.write_values(ctx, ctx.job.entity, stored.id, purpose="date", values={"date_order": date})
        changes.append("released and confirmed")
    if diff.status_changed:
        changes.append(f"status is now {order.status} ({order.state})")
    if "notes" in changed:
        changes.append("there are new comments in Magento")
    body = "<p>Changed in Magento:</p><ul>" + "".join(f"<li>{one}</li>" for one in changes) + "</ul>"
    writing.note(ctx, entity, stored.id, body=body, key="change")
    _keep(ctx, content, raw, order)
    return {**shown, "changes": changes}


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
    values = {"partner_invoice_id": partners.invoice_id, "partner_shipping_id": partners.delivery_id}
    writing.write_values(ctx, entity, stored.id, purpose="addresses", values=values)
    if stored.is_confirmed and ctx.reference.profile.apps.get("stock") == "usable":
        pickings = ctx.odoo.search(
            "stock.picking", [["sale_id", "=", stored.id], ["state", "not in", ["done", "cancel"]]]
        )
        writing.write_absolute(
            ctx,
            "stock.picking",
            pickings,
            key=f"picking-address:{entity}",
            values={"partner_id": partners.delivery_id},
        )
    return "addresses"


def _cancellations(ctx: FlowContext, diff: OrderDiff, binding: Binding, entity: str) -> str:
    items = binding.order_items_json or {}
    ids = [
        int(part["line_id"])
        for one in diff.cancellations
        for part in items.get(str(one.item_id), ())
        if part.get("line_id")
    ]
    lines = {
        int(row["id"]): row
        for row in ctx.odoo.read("sale.order.line", ids, ["product_uom_qty", "price_unit"])
    }
    count = 0
    for one in diff.cancellations:
        parts = items.get(str(one.item_id), ())
        if len(parts) != 1 or int(parts[0].get("line_id") or 0) not in lines:
            raise OrderChanged(
                f"{one.quantity:f} units of line {one.item_id} were cancelled in Magento, and that line is several "
                "lines in Odoo: lower their quantities by hand.",
                system="odoo",
            )
        line_id = int(parts[0]["line_id"])
        row = lines[line_id]
        # A quantity is never written without its price: Odoo would take the catalog's (rules/price-with-quantity).
        values: dict[str, Any] = {
            "product_uom_qty": max(0, row["product_uom_qty"] - one.quantity),
            "price_unit": row["price_unit"],
        }
        if ctx.odoo.names.has_technical_price:
            values["technical_price_unit"] = 0
        writing.write_absolute(
            ctx, "sale.order.line", [line_id], key=f"cancel-line:{entity}:{line_id}", values=values
        )
        count += 1
    return f"{count} lines cancelled in part or whole"


def _is_released(ctx: FlowContext, diff: OrderDiff, order: MagentoOrder, stored: writing.StoredOrder) -> bool:
    is_held = order.state in HELD | PAYMENT_REVIEW or order.status in PAYMENT_REVIEW
    was_held = any(
        one.field == "status" and set(one.old.split("/")) & (HELD | PAYMENT_REVIEW) for one in diff.allowed
    )
    wants = ctx.settings.order_action == "confirm"
    return wants and was_held and not is_held and order.state != "canceled" and not stored.is_confirmed


def _keep(ctx: FlowContext, content: Mapping[str, Any], raw: Mapping[str, Any], order: MagentoOrder) -> None:
    ctx.ledger.explanations.put(
        ctx.instance.name, ORDER, ctx.job.entity, {**content, "snapshot": snapshot(raw, order)}
    )
