"""Several Odoo products of one SKU on their way to Magento, which takes one: none is chosen, a person says which."""

from __future__ import annotations

from collections.abc import Sequence

from bridge.errors import DuplicateRecord
from bridge.flows.context import FlowContext
from bridge.flows.export_goods import Goods
from bridge.flows.product_claims import several_have
from bridge.odoo import literally


def contested(ctx: FlowContext, goods: Sequence[Goods]) -> dict[int, DuplicateRecord]:
    """Return why ``goods`` cannot have their SKUs in Magento, by Odoo's id: others of Odoo have them too.

    Without regard to case, as Magento reads SKUs (``catalog/product-get-sku-other-case``): making the second would write
    over the first. An active one goes before those in the archive.
    """
    skus = sorted({one.sku for one in goods})
    if not skus:
        return {}
    domain: list[object] = ["|"] * (len(skus) - 1)
    domain += [["default_code", "=ilike", literally(sku)] for sku in skus]
    sharing: dict[str, list[tuple[int, bool]]] = {}
    for row in ctx.odoo.search_read(
        "product.product", domain, ["default_code", "active"], order="id", context={"active_test": False}
    ):
        sharing.setdefault(_same(str(row["default_code"])), []).append((int(row["id"]), bool(row["active"])))
    found: dict[int, DuplicateRecord] = {}
    for one in goods:
        there = sharing.get(_same(one.sku), [])
        active = [odoo_id for odoo_id, is_active in there if is_active]
        ids = active or [odoo_id for odoo_id, _ in there]
        if ids not in ([], [one.odoo_id]):
            found[one.odoo_id] = several_have(one.sku, "odoo", sorted({one.odoo_id, *ids}))
    return found


def _same(sku: str) -> str:
    return sku.strip().casefold()
