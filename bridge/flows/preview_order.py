"""``bridge preview order``: what an import would write, without writing anything, not even a binding."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bridge.errors import BridgeError, RecordMissing, TotalDiffers
from bridge.flows.context import FlowContext
from bridge.flows.effects import NOT_MADE
from bridge.flows.import_order import insist_on_total, preview_totals, read_order
from bridge.flows.order_book import gather
from bridge.flows.order_partners import find
from bridge.translate import MagentoOrder, OrderBook, OrderPlan, explain, needs, translate_order


def preview(ctx: FlowContext, increment_id: str) -> Mapping[str, Any]:
    """Return lines, head, partners, totals, explanation and problems of the order with this number.

    Raises:
        RecordMissing: Magento has no such order.
    """
    row = ctx.magento.find_order(increment_id)
    if row is None:
        raise RecordMissing(
            f"Magento has no order with the number {increment_id}.", system="magento", number=increment_id
        )
    order = read_order(ctx.magento.order(int(row["entity_id"])))
    shown: dict[str, Any] = {"increment_id": increment_id, "grand_total": order.grand_total, "problems": []}
    try:
        ctx.use_store(order.store_id)
        book = gather(ctx, order, needs(order))
        plan = _plan(order, book, shown["problems"])
    except BridgeError as error:
        shown["problems"].append(_problem(error))
        return shown
    known = find(ctx, plan.partners.customer)
    shown["head"] = dict(plan.head)
    shown["partners"] = {
        "customer": int(known[0]["id"]) if known else "a new partner",
        "addresses": 1 if plan.partners.delivery is None else 2,
    }
    shown["lines"] = [
        {
            "role": line.role,
            "product_id": line.product_id,
            "name": line.name,
            "quantity": line.quantity,
            "price_unit": line.price_unit,
            "tax_ids": list(line.tax_ids),
        }
        for line in plan.lines
    ]
    # Odoo can be asked only where all is there: a preview makes no partner and no product.
    can_ask = known is not None and all(line.product_id != NOT_MADE for line in plan.lines)
    totals = preview_totals(ctx, plan, int(known[0]["id"])) if known and can_ask else None
    if totals is not None and not shown["problems"]:
        try:
            insist_on_total(ctx, order, plan, totals)
        except TotalDiffers as error:
            shown["problems"].append(_problem(error))
    predicted = plan.predicted if totals is None else totals
    shown["totals"] = {"untaxed": predicted.untaxed, "tax": predicted.tax, "total": predicted.total}
    confirmed = None if totals is None else totals.total
    shown["explanation"] = explain(order, plan, book.profile, confirmed_total=confirmed).as_data()
    shown["flags"] = list(plan.flags)
    return shown


def _plan(order: MagentoOrder, book: OrderBook, problems: list[dict[str, str]]) -> OrderPlan:
    """Return the plan; one whose total differs, too: just then a person wants to see why."""
    try:
        return translate_order(order, book)
    except TotalDiffers as error:
        problems.append(_problem(error))
        return translate_order(order, replace(book, rules=replace(book.rules, order_total_policy="warn")))


def _problem(error: BridgeError) -> dict[str, str]:
    return {"code": error.code, "message": error.message}
