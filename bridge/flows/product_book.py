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
    """Return the book of ``products``; their tax classes are noted for the mapping center."""
    listed = list(products)
    classes = {one.tax_class_id for one in listed if one.tax_class_id is not None}
    mapped = ctx.ledger.mappings.resolve(ctx.instance.name, [(TAX_CLASS, value) for value in classes])
    unmapped = [value for value in classes if (TAX_CLASS, value) not in mapped]
    if unmapped and not ctx.is_preview:
        example = {one.tax_class_id: one.sku for one in listed}
        ctx.ledger.mappings.observe(
            ctx.instance.name,
            [(TAX_CLASS, value, None, f"product {example[value]}") for value in sorted(unmapped)],
            once_for=("product-batch", ctx.job.entity),
        )
    categories = _categories(ctx, listed)
    return ProductBook(
        storable=ctx.odoo.names.storable,
        categories={int(one.magento_id): one.odoo_id for one in categories},
        taxes={value: (row.odoo_id,) if row.odoo_id else () for (_, value), row in mapped.items()},
        magento_weight=ctx.reference.magento_weight_unit(),
        odoo_weight=ctx.reference.odoo_weight_unit(),
    )


def gather_texts(ctx: FlowContext, products: Sequence[MagentoProduct]) -> Texts:
    """Return the texts of ``products`` in each language of a store view that Odoo has too."""
    ids = [one.product_id for one in products]
    stores = ctx.reference.store_languages() if ids else {}
    catalog = product_source.catalog_of(ctx)
    return Texts(by_language={lang: catalog.product_texts(ids, code) for lang, code in stores.items()})


def _categories(ctx: FlowContext, products: Iterable[MagentoProduct]) -> Iterable[Binding]:
    ids = {one for product in products for one in product.category_ids}
    return ctx.ledger.bindings.get_many(ctx.instance.name, CATEGORY_BINDING, ids).values() if ids else ()
