"""The plan as rows for ``sale.order.load`` and as lines for ``sale.order.onchange`` (RULES, appendix)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bridge.translate.money import plain
from bridge.translate.plan_records import OrderPlan

#: Columns of a line beside its taxes, whose name differs between versions.
_LINE_COLUMNS = ("id", "product_id/.id", "name", "product_uom_qty", "price_unit")


def order_rows(
    plan: OrderPlan,
    *,
    external_id: str,
    line_external_id: Callable[[str], str],
    partner_id: int,
    invoice_id: int,
    delivery_id: int,
    tax_field: str,
    protect_prices: bool,
) -> tuple[list[str], list[list[str]]]:
    """Return fields and rows of the ``load`` that makes the whole order; every cell is text.

    ``tax_field`` is ``tax_id`` (16, 18) or ``tax_ids`` (19). ``protect_prices`` adds ``technical_price_unit`` 0,
    which keeps prices through later changes of quantity on 18 and 19; 16 has no such field (RULES 1.9).
    An empty tax cell is *no tax*, not the product's default (``idempotency/load-order-no-tax-read``).
    """
    head = {
        "id": external_id,
        "partner_id/.id": str(partner_id),
        "partner_invoice_id/.id": str(invoice_id),
        "partner_shipping_id/.id": str(delivery_id),
        **plan.head,
    }
    columns = [*_LINE_COLUMNS, f"{tax_field}/.id", "discount"]
    if protect_prices:
        columns.append("technical_price_unit")
    rows = []
    for number, line in enumerate(plan.lines):
        cells = [
            line_external_id(line.key),
            str(line.product_id),
            line.name,
            plain(line.quantity),
            plain(line.price_unit),
            ",".join(str(tax_id) for tax_id in line.tax_ids),
            plain(line.discount),
        ]
        if protect_prices:
            cells.append("0")
        rows.append([*(head.values() if number == 0 else [""] * len(head)), *cells])
    return [*head, *(f"order_line/{column}" for column in columns)], rows


def preview_lines(plan: OrderPlan, *, tax_field: str) -> list[Mapping[str, Any]]:
    """Return the lines for ``onchange``: product, quantity, price, taxes and discount each said (RULES 1.3)."""
    return [
        {
            "product_id": line.product_id,
            "name": line.name,
            "product_uom_qty": line.quantity,
            "price_unit": line.price_unit,
            tax_field: [[6, 0, list(line.tax_ids)]],
            "discount": line.discount,
        }
        for line in plan.lines
    ]


def order_items_json(plan: OrderPlan) -> dict[str, list[dict[str, str]]]:
    """Return, for the order's binding, each Magento line's order lines and quantities (text keys and numbers)."""
    return {
        str(item_id): [{"line": line.key, "quantity": plain(line.quantity)} for line in lines]
        for item_id, lines in sorted(plan.order_items.items())
    }
