"""The two products that a conflict is about, as a decision needs them."""

from __future__ import annotations

from collections.abc import Sequence

from bridge.errors import BoundRecordGone, System
from bridge.flows import product_source
from bridge.flows.context import FlowContext
from bridge.flows.product_writing import GOODS, TEMPLATES, Shelf
from bridge.ledger import Binding, Conflict
from bridge.translate.catalog_records import MagentoProduct


def both_sides(
    ctx: FlowContext, conflict: Conflict, shelves: Sequence[Shelf] = (TEMPLATES, GOODS)
) -> tuple[MagentoProduct, Binding]:
    """Return the product of Magento, and its binding to Odoo's on the first of ``shelves`` that has one.

    Raises:
        BoundRecordGone: one of them was deleted.
    """
    product_id = int(conflict.magento_id)
    bindings = (ctx.ledger.bindings.get(ctx.instance.name, one.kind, product_id) for one in shelves)
    binding = next((one for one in bindings if one is not None), None)
    product = product_source.catalog_of(ctx).products_by_id([product_id]).get(product_id)
    if product is None:
        raise gone(conflict, "magento")
    if binding is None or not ctx.odoo.read(binding.odoo_model, [binding.odoo_id], ["id"]):
        raise gone(conflict, "odoo")
    return product, binding


def gone(conflict: Conflict, side: System) -> BoundRecordGone:
    """Return that the product of ``side`` was deleted."""
    return BoundRecordGone(
        f"The product {conflict.label or conflict.magento_id} was deleted in {side.title()}.",
        system=side,
        model="product",
        id=int(conflict.magento_id),
    )
