"""Looks up what the translation of products needs: mapped taxes, bound categories, units, languages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bridge.flows import product_source
from bridge.flows.context import FlowContext
from bridge.ledger import Binding
from bridge.translate.catalog_records import MagentoProduct, ProductText
from bridge.translate.product_plan import ProductBook

#: Kind of the mappings of Magento's product tax classes to Odoo's taxes.
TAX_CLASS = "tax_class"
#: Kind of the mappings of units of weight.
UNIT = "unit"
#: Kind under which a product is known to have been counted in the mapping center.
_COUNTED = "product"
#: Kind of the bindings of Magento's categories to ``product.category``.
CATEGORY_BINDING = "category"


@dataclass(frozen=True, kw_only=True)
class Texts:
    """Texts of products by language and product."""

    by_language: Mapping[str, Mapping[int, ProductText]]

    def of(self, product_id: int) -> dict[str, ProductText]:
        """Return the texts of one product by language."""
        return {
            language: texts[product_id] for language, texts in self.by_language.items() if product_id in texts
        }


def gather_book(ctx: FlowContext, products: Iterable[MagentoProduct]) -> ProductBook:
    """Return the book of ``products``; what they name is noted for the mapping center."""
    listed = list(products)
    classes = {one.tax_class_id for one in listed if one.tax_class_id is not None}
    mapped = ctx.ledger.mappings.resolve(ctx.instance.name, [(TAX_CLASS, value) for value in classes])
    weighed_in = ctx.reference.magento_weight_unit()
    _observe(ctx, listed, weighed_in)
    categories = _categories(ctx, listed)
    return ProductBook(
        storable=ctx.odoo.names.storable,
        categories={int(one.magento_id): one.odoo_id for one in categories},
        taxes={value: (row.odoo_id,) if row.odoo_id else () for (_, value), row in mapped.items()},
        magento_weight=weighed_in,
        odoo_weight=ctx.reference.odoo_weight_unit(),
    )


def _observe(ctx: FlowContext, products: Iterable[MagentoProduct], unit: str) -> None:
    """Count the tax classes and the unit of weight of products that were not counted before."""
    if ctx.is_preview:
        return
    seen: dict[str, list[tuple[str, str, str | None, str | None]]] = {}
    for one in products:
        named = [(TAX_CLASS, one.tax_class_id)] if one.tax_class_id is not None else []
        named += [(UNIT, unit)] if one.weight else []
        seen[str(one.product_id)] = [(kind, value, None, f"product {one.sku}") for kind, value in named]
    ctx.ledger.mappings.observe_each(ctx.instance.name, _COUNTED, seen)


def gather_texts(ctx: FlowContext, products: Sequence[MagentoProduct]) -> Texts:
    """Return the texts of ``products`` in each language of a store view that Odoo has too."""
    ids = [one.product_id for one in products]
    stores = ctx.reference.store_languages() if ids else {}
    catalog = product_source.catalog_of(ctx)
    return Texts(by_language={lang: catalog.product_texts(ids, code) for lang, code in stores.items()})


def _categories(ctx: FlowContext, products: Iterable[MagentoProduct]) -> Iterable[Binding]:
    ids = {one for product in products for one in product.category_ids}
    return ctx.ledger.bindings.get_many(ctx.instance.name, CATEGORY_BINDING, ids).values() if ids else ()
