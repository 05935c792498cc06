"""What the export of products must know of the shop: units, tax classes, websites, categories, languages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bridge.flows import product_source
from bridge.flows.context import FlowContext
from bridge.flows.product_book import CATEGORY_BINDING, TAX_CLASS
from bridge.translate.product_export import ExportBook
from bridge.translate.product_plan import BARCODE_ATTRIBUTE


@dataclass(frozen=True, kw_only=True)
class Shop:
    """The shop that products go to."""

    book: ExportBook
    #: Code of the store view of each language that Odoo has besides the one of its source texts.
    languages: Mapping[str, str]
    #: All websites: what is made is sold by each.
    website_ids: Sequence[int]
    #: Magento's category by Odoo's.
    categories: Mapping[int, int]

    def category_of(self, row: Mapping[str, Any]) -> int | None:
        """Return Magento's category of a product of Odoo, as far as it is bound."""
        return self.categories.get(int(row["categ_id"][0])) if row.get("categ_id") else None


def shop_of(ctx: FlowContext) -> Shop:
    """Return what is known of the shop; what only new products need is read where they may be made."""
    may_make = ctx.settings.export_products
    has_barcode = may_make and bool(product_source.catalog_of(ctx).attributes(codes=[BARCODE_ATTRIBUTE]))
    return Shop(
        book=ExportBook(
            magento_weight=ctx.reference.magento_weight_unit(),
            odoo_weight=ctx.reference.odoo_weight_unit(),
            tax_classes=_tax_classes(ctx),
            barcode_attribute=BARCODE_ATTRIBUTE if has_barcode else None,
        ),
        languages=ctx.reference.store_languages(),
        website_ids=[one.id for one in ctx.magento.websites() if one.id] if may_make else [],
        categories=_categories(ctx) if may_make else {},
    )


def _tax_classes(ctx: FlowContext) -> dict[str, str]:
    """Return the tax class by taxes; of several classes that mean the same tax the first."""
    found: dict[str, str] = {}
    rows = ctx.ledger.mappings.list(ctx.instance.name, kind=TAX_CLASS)
    for row in sorted(rows, key=lambda one: one.value):
        if row.state == "mapped":
            found.setdefault(str(row.odoo_id) if row.odoo_id else "", row.value)
    return found


def _categories(ctx: FlowContext) -> dict[int, int]:
    found: dict[int, int] = {}
    after: str | None = None
    while True:
        page = ctx.ledger.bindings.list(ctx.instance.name, kind=CATEGORY_BINDING, after=after, limit=1000)
        for one in page:
            found.setdefault(one.odoo_id, int(one.magento_id))
        if len(page) < 1000:
            return found
        after = page[-1].magento_id
