"""What Magento should hold of an Odoo product: cells of the comparison as fields of ``PUT`` and ``POST /V1/products``.

Only fields that changed are named: ``PUT`` is partial for scalar fields (``catalog/066``), and what a store view does not
name keeps its default.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from html import escape
from typing import Any

from bridge.translate.catalog_records import MagentoProduct
from bridge.translate.product_plan import POUND, WEIGHT_STEP, ProductBook, WeightUnit, number_text

ENABLED, DISABLED = 1, 2
NOT_VISIBLE, CATALOG_AND_SEARCH = 1, 4
#: Fields of the product itself; all others are custom attributes.
_OWN = frozenset({"name", "status", "weight", "price"})
_ATTRIBUTES = {"description": "description", "description_sale": "short_description"}


@dataclass(frozen=True, kw_only=True)
class ExportBook:
    """What is known of the shop that products are translated with."""

    magento_weight: WeightUnit = "kgs"
    odoo_weight: WeightUnit = "kgs"
    #: Magento's product tax class by Odoo's taxes, as cells name them: sorted, with commas.
    tax_classes: Mapping[str, str] = field(default_factory=dict)
    #: Attribute that holds the barcode; None where the shop has none: Magento would drop it without a word.
    barcode_attribute: str | None = None


@dataclass(frozen=True, kw_only=True)
class NewProduct:
    """A product to be made in Magento."""

    sku: str
    kind: str
    #: As the comparison has them.
    cells: Mapping[str, str]
    price: Decimal
    attribute_set_id: int
    website_ids: Sequence[int]
    category_id: int | None = None
    visibility: int = CATALOG_AND_SEARCH
    #: Option ids by the code of the attribute.
    options: Mapping[str, str] = field(default_factory=dict)


def magento_values(cells: Mapping[str, str], book: ExportBook) -> dict[str, Any]:
    """Return cells as Magento names and stores them, by field or attribute code; what it has no place for is left out."""
    values: dict[str, Any] = {}
    for name, cell in cells.items():
        if name == "name":
            values["name"] = cell
        elif name == "active":
            values["status"] = ENABLED if cell == "1" else DISABLED
        elif name == "weight":
            values["weight"] = _weight(Decimal(cell or "0"), book)
        elif name == "description_sale":
            values["short_description"] = "<br>".join(escape(line, quote=False) for line in cell.splitlines())
        elif name in _ATTRIBUTES:
            values[_ATTRIBUTES[name]] = cell
        elif name == "barcode" and book.barcode_attribute is not None:
            values[book.barcode_attribute] = cell
        elif name == "taxes_id/.id" and cell in book.tax_classes:
            values["tax_class_id"] = book.tax_classes[cell]
    return values


def body_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values as the product of a request."""
    body = {name: value for name, value in values.items() if name in _OWN}
    custom = [{"attribute_code": name, "value": value} for name, value in values.items() if name not in _OWN]
    return {**body, "custom_attributes": custom} if custom else body


def new_body(new: NewProduct, book: ExportBook) -> dict[str, Any]:
    """Return the product of the request that makes it; complete, so that it may be sent twice (RULES 2.6)."""
    values = {**magento_values(new.cells, book), "url_key": url_key(new.sku), **new.options}
    if new.kind != "simple":
        values.pop("weight", None)
    extension: dict[str, Any] = {"website_ids": list(new.website_ids)}
    if new.category_id is not None:
        extension["category_links"] = [{"position": 0, "category_id": str(new.category_id)}]
    return {
        "sku": new.sku,
        "attribute_set_id": new.attribute_set_id,
        "type_id": new.kind,
        "visibility": new.visibility,
        **({} if new.kind == "configurable" else {"price": new.price}),
        **body_of({name: value for name, value in values.items() if value != ""}),
        "extension_attributes": extension,
    }


def as_written(product: MagentoProduct, values: Mapping[str, Any], book: ProductBook) -> MagentoProduct:
    """Return a product as Magento has it once ``values`` were written: what comes back then is no change."""
    attributes = dict(product.attributes)
    if book.barcode_attribute in values:
        attributes[book.barcode_attribute] = str(values[book.barcode_attribute])
    return replace(
        product,
        name=values.get("name", product.name),
        weight=values.get("weight", product.weight),
        is_enabled=values["status"] == ENABLED if "status" in values else product.is_enabled,
        description=values.get("description", product.description),
        short_description=values.get("short_description", product.short_description),
        tax_class_id=values.get("tax_class_id", product.tax_class_id),
        attributes=attributes,
    )


def url_key(sku: str) -> str:
    """Return a ``url_key`` that no other SKU has: two names alike would be refused (``catalog/072``)."""
    plain = unicodedata.normalize("NFKD", sku).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    if slug == sku.lower():
        return slug
    digest = hashlib.sha256(sku.casefold().encode()).hexdigest()[:6]
    return f"{slug}-{digest}".strip("-")


def _weight(weight: Decimal, book: ExportBook) -> Decimal:
    if book.magento_weight != book.odoo_weight:
        factor = POUND if book.odoo_weight == "lbs" else 1 / POUND
        weight = (weight * factor).quantize(WEIGHT_STEP)
    return Decimal(number_text(weight))
