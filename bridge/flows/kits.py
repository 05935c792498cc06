"""The kits of Odoo, kept in the ledger: read from Odoo now and then, known to every export and to every mark between.

Odoo tells of a kit what its parts make, and a change of its stock names the part only.
"""

from __future__ import annotations

from collections.abc import Iterable

from bridge.flows.context import FlowContext
from bridge.flows.wants import wake_stock
from bridge.ledger import KitParts
from bridge.odoo.kits import read_kits


def kits_of(ctx: FlowContext, product_ids: Iterable[int]) -> KitParts:
    """Return those of these products of Odoo that are kits, with the units of each part in one."""
    keep_kits(ctx)
    return ctx.ledger.kits.of(ctx.instance.name, product_ids)


def keep_kits(ctx: FlowContext) -> None:
    """Read the kits anew where that was not done for a while, and mark those whose parts changed."""
    ctx.reference.keep_kits(lambda: read_anew(ctx))


def read_anew(ctx: FlowContext) -> int:
    """Read the kits from Odoo, keep them, and mark those that changed; returns how many did."""
    instance = ctx.instance.name
    parts = {kit.product_id: kit.parts for kit in read_kits(ctx.odoo).values()}
    return ctx.ledger.kits.put(instance, parts, wake=wake_stock(instance))
