"""Which Odoo products have the SKUs of Magento's: one call or two, however many SKUs.

A SKU as written is found by an index, one in another case only by reading all products. Where most are there already
the first comes first, and the second is asked for what is left; where most are lacking it would be asked in any case, and
finds both.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bridge.errors import DuplicateRecord
from bridge.flows.context import FlowContext
from bridge.odoo import literally

_ALL = {"active_test": False}
_FIELDS = ["default_code", "active", "product_tmpl_id", "product_template_attribute_value_ids"]


@dataclass(frozen=True, kw_only=True)
class Match:
    """The Odoo product of a SKU."""

    product_id: int
    template_id: int
    #: Whether it is told by attributes from others of its template.
    is_variant: bool


@dataclass(frozen=True, kw_only=True)
class Matches:
    """What was found for SKUs."""

    found: Mapping[str, Match]
    #: Ids of the products that share a SKU, where nothing tells which of them it is.
    several: Mapping[str, tuple[int, ...]]

    def conflict(self, sku: str) -> DuplicateRecord:
        """Return the error about a SKU that several products have."""
        ids = self.several[sku]
        return DuplicateRecord(
            f"Several Odoo products have the SKU {sku}: ids {', '.join(map(str, ids))}.",
            system="odoo",
            reason="sku",
            sku=sku,
            ids=list(ids),
        )


def match_skus(ctx: FlowContext, skus: Iterable[str]) -> Matches:
    """Find the products with ``skus``: as written first, then without regard to case; active before archived.

    Magento's SKUs are one without regard to case (``catalog/product-get-sku-other-case``), Odoo's may be typed so.
    """
    wanted = sorted(set(skus))
    if not wanted:
        return Matches(found={}, several={})
    candidates = _candidates(ctx, wanted)
    lacking = [sku for sku in wanted if not candidates[sku]]
    ctx.reference.learn_lacking(is_lacking=2 * len(lacking) > len(wanted))
    found: dict[str, Match] = {}
    several: dict[str, tuple[int, ...]] = {}
    for sku, named in candidates.items():
        best = [row for row in named if row["active"]] or named
        if len(best) > 1:
            several[sku] = tuple(int(row["id"]) for row in best)
        elif best:
            found[sku] = Match(
                product_id=int(best[0]["id"]),
                template_id=int(best[0]["product_tmpl_id"][0]),
                is_variant=bool(best[0]["product_template_attribute_value_ids"]),
            )
    return Matches(found=found, several=several)


def _candidates(ctx: FlowContext, wanted: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """Return the products that have each SKU: as written, else in another case."""
    found: dict[str, list[dict[str, Any]]] = {sku: [] for sku in wanted}
    if not ctx.reference.lacks_most(default=ctx.settings.auto_create_products):
        rows = _read(ctx, [["default_code", "in", list(wanted)]])
        for sku in wanted:
            found[sku] = [row for row in rows if row["default_code"] == sku]
    missing = [sku for sku in wanted if not found[sku]]
    if missing:
        likes: list[object] = [["default_code", "=ilike", literally(sku)] for sku in missing]
        rows = _read(ctx, ["|"] * (len(likes) - 1) + likes)
        for sku in missing:
            alike = [row for row in rows if str(row["default_code"]).casefold() == sku.casefold()]
            found[sku] = [row for row in alike if row["default_code"] == sku] or alike
    return found


def _read(ctx: FlowContext, domain: list[Any]) -> list[dict[str, Any]]:
    return ctx.odoo.search_read("product.product", domain, _FIELDS, order="id", context=_ALL)
