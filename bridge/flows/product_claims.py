"""Two Magento products of one SKU, and Odoo products that are another Magento product's already.

Odoo takes any number of products of one internal reference, and Magento's own rule is broken by imports that wrote into
its database: two products must never write to one record, nor make two of one SKU.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from bridge.errors import DuplicateRecord, System
from bridge.flows import product_source
from bridge.flows.context import FlowContext
from bridge.flows.product_match import Matches
from bridge.flows.product_writing import GOODS
from bridge.translate.product_plan import ProductPlan


def same_sku(plans: Iterable[ProductPlan]) -> dict[int, DuplicateRecord]:
    """Return why products cannot be made beside others of the same SKU, by Magento's id; the oldest of them can."""
    first: dict[str, ProductPlan] = {}
    refused: dict[int, DuplicateRecord] = {}
    for plan in sorted(plans, key=lambda one: one.product_id):
        oldest = first.setdefault(plan.sku.casefold(), plan)
        if oldest is not plan:
            refused[plan.product_id] = several_have(plan.sku, "magento", [oldest.product_id, plan.product_id])
    return refused


def owners(
    ctx: FlowContext, plans: Sequence[ProductPlan], matches: Matches
) -> Mapping[int, DuplicateRecord | None]:
    """Return which of ``plans`` cannot have the Odoo product of their SKU, by Magento's id.

    It is another one's that is still in Magento: of the same SKU, which is a conflict; or renamed there and not yet in
    Odoo, and then the SKU is free to be made (None). One that is gone from Magento gives its product up.
    """
    wanted = {matches.found[plan.sku].product_id: plan for plan in plans if plan.sku in matches.found}
    bound = ctx.ledger.bindings.by_odoo_many(ctx.instance.name, GOODS.kind, wanted)
    others = {
        int(one.magento_id): one.odoo_id
        for one in bound
        if one.magento_id.isdecimal() and int(one.magento_id) != wanted[one.odoo_id].product_id
    }
    found: dict[int, DuplicateRecord | None] = {}
    for other in product_source.read_products(ctx, sorted(others), {}).values():
        plan = wanted[others[other.product_id]]
        is_same = other.sku.strip().casefold() == plan.sku.casefold()
        found[plan.product_id] = (
            several_have(plan.sku, "magento", [other.product_id, plan.product_id]) if is_same else None
        )
    return found


def several_have(sku: str, system: System, ids: Sequence[int]) -> DuplicateRecord:
    """Return that several products of ``system`` have one SKU, which is for one to have."""
    return DuplicateRecord(
        f"Several {system.title()} products have the SKU {sku}: ids {', '.join(map(str, ids))}.",
        system=system,
        reason="sku",
        sku=sku,
        ids=list(ids),
    )
