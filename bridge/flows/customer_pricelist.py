"""Gives a customer's partner the pricelist that its Magento group buys by. What a person chose in Odoo stays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bridge.flows.context import FlowContext
from bridge.flows.price_source import GROUP_PRICELIST

_FIELD = "property_product_pricelist"
#: What was chosen for one partner, where the version keeps it apart from the default (18 and later).
_CHOSEN = "specific_property_product_pricelist"


def pricelist_of_group(
    ctx: FlowContext,
    partner_id: int,
    group_id: int | None,
    *,
    given: int | None,
    is_new: bool,
) -> tuple[int | None, Mapping[str, Any]]:
    """Return the pricelist that a partner has of its group, and what gives it; ``given`` is an earlier group's.

    A partner that was there before keeps a pricelist of its own, and so does one whose pricelist a person changed.
    """
    wanted = None
    if group_id is not None:
        key = (GROUP_PRICELIST, str(group_id))
        mapped = ctx.ledger.mappings.resolve(ctx.instance.name, [key])
        wanted = mapped[key].odoo_id if key in mapped else None
    if wanted == given:
        return given, {}
    chosen, shown = _has(ctx, partner_id)
    if shown == wanted:
        return wanted, {}
    is_ours = is_new or chosen is None if given is None else shown == given
    if not is_ours:
        return given, {}
    return wanted, _written(ctx, wanted)


def _written(ctx: FlowContext, wanted: int | None) -> Mapping[str, Any]:
    """Return what gives a partner a pricelist, or none.

    16 and 18 ignore it where the one that holds is emptied (``rules/partner-pricelist-emptied``): the one that was chosen
    must be, and where that cannot be reached, the default is chosen.
    """
    if _is_apart(ctx):
        return {_CHOSEN: wanted or False}
    return {_FIELD: wanted or _default(ctx) or False}


def _has(ctx: FlowContext, partner_id: int) -> tuple[int | None, int | None]:
    """Return the pricelist that was chosen for a partner, as far as it can be told, and the one that holds."""
    is_apart = _is_apart(ctx)
    fields = [_FIELD, *([_CHOSEN] if is_apart else [])]
    row = ctx.odoo.read("res.partner", [partner_id], fields)[0]
    shown = _id(row[_FIELD])
    if is_apart:
        return _id(row[_CHOSEN]), shown
    # 16 shows the default where none was chosen.
    return (None if shown == _default(ctx) else shown), shown


def _is_apart(ctx: FlowContext) -> bool:
    return ctx.odoo.version.major >= 18


def _default(ctx: FlowContext) -> int | None:
    """Return the pricelist of those for whom none was chosen, unless their country has one."""
    for domain in ([["country_group_ids", "=", False]], []):
        if found := ctx.odoo.search("product.pricelist", domain, limit=1):
            return found[0]
    return None


def _id(value: Any) -> int | None:
    return int(value[0]) if value else None
