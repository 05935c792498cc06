"""Carries cancelled quantities over to the lines of the sales order, compared per line and not by state (RULES 1.9)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from bridge.flows import order_writing as writing
from bridge.flows.context import FlowContext
from bridge.translate import MagentoOrder
from bridge.translate.magento_records import OrderItem
from bridge.translate.money import ZERO, plain
from bridge.translate.order_diff import reduced_quantities

#: ``order_items_json`` of an order's binding: by Magento item id its order lines with their quantities.
Items = Mapping[str, Sequence[Mapping[str, Any]]]


def apply_cancellations(ctx: FlowContext, order: MagentoOrder, items: Items, *, entity: str) -> int:
    """Lower the lines of which units were cancelled in Magento; return how many were lowered.

    Each line is set to what Magento leaves of it, whatever was carried over before: a repeat changes nothing, and
    what a person lowered further stays. ``entity`` names this change in the keys of its writes.
    """
    wanted = remaining(order, items)
    if not wanted:
        return 0
    rows = ctx.odoo.read(
        "sale.order.line", sorted(wanted), ["product_uom_qty", "price_unit", "customer_lead"]
    )
    lowered = 0
    for row in rows:
        line_id, quantity = int(row["id"]), wanted[int(row["id"])]
        key = ctx.effect_key("order-line-quantity", f"{entity}_{line_id}_{plain(quantity)}")
        # A write in doubt may have lowered the line itself: what became of it must be written down all the same.
        if row["product_uom_qty"] > quantity or ctx.writer.is_open(key):
            _lower(ctx, row, quantity, key=key)
            lowered += 1
    return lowered


def _lower(ctx: FlowContext, row: Mapping[str, Any], quantity: Decimal, *, key: str) -> None:
    """Lower a line, and with it the delivery of a confirmed order."""
    line_id = int(row["id"])
    values: dict[str, Any] = {
        "product_uom_qty": quantity,
        # A quantity is never written without its price: Odoo would take the catalog's (rules/price-with-quantity).
        "price_unit": row["price_unit"],
        # Odoo takes units only off moves of the line's deadline, else it makes a receipt beside the delivery. The date
        # of the purchase, written after the confirmation, moved the line's and not theirs. A lead time that is
        # written, also the same again, sets theirs anew, and before the units of the same write.
        "customer_lead": row["customer_lead"],
    }
    if ctx.odoo.names.has_technical_price:
        values["technical_price_unit"] = 0

    def look() -> str | None:
        # A person may have lowered it further meanwhile: then sending it again would raise it.
        now = ctx.odoo.read("sale.order.line", [line_id], ["product_uom_qty"])
        return str(line_id) if all(one["product_uom_qty"] <= quantity for one in now) else None

    writing.write_absolute(ctx, "sale.order.line", [line_id], key=key, values=values, look=look)


def remaining(order: MagentoOrder, items: Items) -> dict[int, Decimal]:
    """Return the quantities that are left of lines with cancelled units, by id of the Odoo line."""
    left: dict[int, Decimal] = {}
    for item in order.items:
        cancelled = cancelled_units(order, item)
        parts = items.get(str(item.item_id), ())
        if not cancelled or not parts:
            continue
        quantities = reduced_quantities([Decimal(str(part["quantity"])) for part in parts], cancelled)
        for part, quantity in zip(parts, quantities, strict=True):
            if part.get("line_id"):
                # Both lines of a configurable stand for one order line, and only one of them counts (orders/036).
                line_id = int(part["line_id"])
                left[line_id] = min(quantity, left.get(line_id, quantity))
    return left


def cancelled_units(order: MagentoOrder, item: OrderItem) -> Decimal:
    """Return the cancelled units of a line; goods of a fixed bundle go with their bundle."""
    parent = next((one for one in order.items if one.item_id == item.parent_item_id), None)
    if parent is None or parent.product_type != "bundle" or not parent.qty_ordered:
        return item.qty_canceled
    with_parent = item.qty_ordered * parent.qty_canceled / parent.qty_ordered
    return max(item.qty_canceled, with_parent, ZERO)
