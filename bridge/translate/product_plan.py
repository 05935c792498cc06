"""What Odoo should hold of a Magento product, and what of it changed since it was last sent.

Every value is a cell of ``load``: text. Some fields are Odoo's from the moment a product is made (type, prices); the
others are carried over when they change in Magento, field by field: a field that a person edits in Odoo stays as it is
until the same field changes in Magento. What changed is told from marks of what was sent, never by comparing with what
Odoo made of it: Odoo rewrites HTML and rounds numbers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from bridge.errors import OperatorError
from bridge.translate.catalog_records import MagentoProduct, ProductText
from bridge.translate.product_text import plain_text, safe_html
from bridge.translate.raw_fields import clean_text

WeightUnit = Literal["kgs", "lbs"]
#: What Odoo makes of a product: of its own, of a template, only by its attributes, or nothing at all.
Role = Literal["single", "template", "variant", "kit"]

#: One pound in kilograms, by definition.
POUND = Decimal("0.45359237")
#: Digits of a weight that are kept; Odoo shows two.
WEIGHT_STEP = Decimal("0.000001")
#: Types that nobody ships: services, invoiced by what is ordered.
SERVICES = frozenset({"virtual", "downloadable", "giftcard"})
#: Types that are bound where Odoo has them, and never made: an order has their parts (RULES 1.6).
KITS = frozenset({"bundle", "grouped"})
CONFIGURABLE = "configurable"
#: Code of the attribute that holds the barcode, unless it is said otherwise.
BARCODE_ATTRIBUTE = "barcode"
#: Longest SKU that Magento stores (``catalog/product-post-long-sku``).
_LONGEST_SKU = 64
#: Length of the digest of one field.
_MARK = 10
#: Fields that follow Magento; all others are Odoo's once a product is made.
FOLLOWING = frozenset(
    {
        *("name", "description", "description_sale", "taxes_id/.id", "categ_id/.id"),
        *("default_code", "barcode", "weight", "active"),
    }
)


class ProductUnclear(OperatorError):
    """A product of Magento says something that cannot be stored in Odoo as it is."""

    code = "product_unclear"


@dataclass(frozen=True, kw_only=True)
class ProductBook:
    """What is known of Odoo and of the shop that products are translated with."""

    #: Values that make a product storable, as this version names them.
    storable: Mapping[str, object]
    #: Odoo category by Magento category id.
    categories: Mapping[int, int] = field(default_factory=dict)
    #: Odoo taxes by Magento tax class; an empty tuple is no tax. A class that is missing leaves Odoo's default.
    taxes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    magento_weight: WeightUnit = "kgs"
    odoo_weight: WeightUnit = "kgs"
    #: Code of the attribute that holds the barcode.
    barcode_attribute: str = BARCODE_ATTRIBUTE


@dataclass(frozen=True, kw_only=True)
class ProductPlan:
    """One product as Odoo should hold it."""

    product_id: int
    sku: str
    role: Role
    is_active: bool
    #: Cells sent only when the bridge makes the product: from then on they are Odoo's.
    made_with: Mapping[str, str]
    #: Cells that follow Magento.
    owned: Mapping[str, str]
    #: Cells by language, only those that differ from ``owned``.
    texts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    #: Cells that follow Magento while it is the master of prices; what has no price there is missing.
    prices: Mapping[str, str] = field(default_factory=dict)
    #: What is only watched: the price of a variant, from which its product's follows.
    watched: Mapping[str, str] = field(default_factory=dict)

    @property
    def marks(self) -> dict[str, str]:
        """A digest of each field that follows Magento; ``name@de_DE`` is the name in that language."""
        cells = {**self.owned, "active": "1" if self.is_active else "0"}
        for language, texts in self.texts.items():
            cells |= {f"{name}@{language}": text for name, text in texts.items()}
        return marks_of(cells)


@dataclass(frozen=True, kw_only=True)
class ProductChange:
    """What of a product is to be written."""

    owned: Mapping[str, str]
    texts: Mapping[str, Mapping[str, str]]
    #: None where it stays as it is.
    is_active: bool | None

    @property
    def names(self) -> set[str]:
        """The fields that are written, as ``ProductPlan.marks`` names them."""
        return set(self.cells)

    @property
    def cells(self) -> dict[str, str]:
        """The values that are written, by those names."""
        texts = {
            f"{name}@{language}": cell
            for language, cells in self.texts.items()
            for name, cell in cells.items()
        }
        active = {} if self.is_active is None else {"active": "1" if self.is_active else "0"}
        return {**self.owned, **texts, **active}

    def without(self, names: Collection[str]) -> ProductChange:
        """Return the change without some of its fields."""
        texts = {
            language: {name: cell for name, cell in cells.items() if f"{name}@{language}" not in names}
            for language, cells in self.texts.items()
        }
        return ProductChange(
            owned={name: cell for name, cell in self.owned.items() if name not in names},
            texts={language: cells for language, cells in texts.items() if cells},
            is_active=None if "active" in names else self.is_active,
        )

    def __bool__(self) -> bool:
        """Whether there is anything to write."""
        return bool(self.owned or self.texts) or self.is_active is not None


def role_of(product: MagentoProduct, *, is_variant: bool = False) -> Role:
    """Return what Odoo makes of a product of this type."""
    if product.type_id in KITS:
        return "kit"
    if product.type_id == CONFIGURABLE:
        return "template"
    return "variant" if is_variant else "single"


def plan_product(
    product: MagentoProduct,
    book: ProductBook,
    *,
    is_variant: bool = False,
    texts: Mapping[str, ProductText] | None = None,
    list_price: Decimal | None = None,
) -> ProductPlan:
    """Return what Odoo should hold of ``product``.

    Args:
        product: As the store code ``all`` shows it.
        book: What is known of Odoo and of the shop.
        is_variant: Whether it is a child of a configurable: name, texts, taxes and category are the parent's.
        texts: Texts by language of Odoo.
        list_price: The price of a configurable, which has none of its own.

    Raises:
        ProductUnclear: it has no SKU, or an amount below 0.
    """
    sku = _sku(product)
    price = _amount(product, "price", product.price if list_price is None else list_price)
    cost = _amount(product, "cost", product.cost)
    role = role_of(product, is_variant=is_variant)
    made_with = {"list_price": number_text(price), "standard_price": number_text(cost)}
    owned: dict[str, str] = {}
    if role != "variant":
        made_with |= _type_cells(product, book)
        owned |= _shared(product, book, sku)
    if role != "template":
        owned |= {"default_code": sku, "barcode": _barcode(product, book), "weight": _weight(product, book)}
    else:
        del made_with["standard_price"]
    if role == "variant":
        del made_with["list_price"]
    named = {
        "list_price": product.price if list_price is None else list_price or None,
        "standard_price": product.cost,
    }
    other = {} if role == "variant" else _other_languages(owned, texts or {})
    return ProductPlan(
        product_id=product.product_id,
        sku=sku,
        role=role,
        is_active=product.is_enabled,
        made_with=made_with,
        owned=owned,
        texts=other,
        prices={name: cell for name, cell in made_with.items() if named.get(name) is not None},
        watched={"price": number_text(price)} if role == "variant" else {},
    )


def change_of(plan: ProductPlan, known: str | None) -> ProductChange:
    """Return what of ``plan`` was never sent, or is not what was sent: ``known`` is the fingerprint of that."""
    before, now = read_marks(known), plan.marks
    # While a write into Magento is under way it may have what was there, or what is sent: marks joined by ``|``.
    changed = {name for name, mark in now.items() if mark not in before.get(name, "").split("|")}
    texts: dict[str, dict[str, str]] = {}
    for language, cells in plan.texts.items():
        differing = {name: cell for name, cell in cells.items() if f"{name}@{language}" in changed}
        if differing:
            texts[language] = differing
    for mark in before.keys() - now.keys():
        # What is remembered of Odoo's side (``odoo:name``) is no field. A store view that has no text of its own any more shows the common one again.
        name, at, language = mark.partition("@")
        if at and name in plan.owned:
            texts.setdefault(language, {})[name] = plan.owned[name]
    return ProductChange(
        owned={name: cell for name, cell in plan.owned.items() if name in changed},
        texts=texts,
        is_active=plan.is_active if "active" in changed else None,
    )


def fingerprint_of(plan: ProductPlan) -> str:
    """Return the fingerprint of a product whose fields are all as ``plan`` says."""
    return write_marks(plan.marks)


def marks_of(cells: Mapping[str, str]) -> dict[str, str]:
    """Return a digest of each of ``cells`` that follows Magento."""
    return digests_of({name: cell for name, cell in cells.items() if name.partition("@")[0] in FOLLOWING})


def digests_of(texts: Mapping[str, str]) -> dict[str, str]:
    """Return a short digest of each of ``texts`` by its name."""
    return {name: mark_of(text) for name, text in texts.items()}


def mark_of(cell: str) -> str:
    """Return a digest of one value."""
    return hashlib.sha256(cell.encode()).hexdigest()[:_MARK]


def write_marks(marks: Mapping[str, str]) -> str:
    """Return digests by field as one text."""
    return " ".join(f"{name}={mark}" for name, mark in sorted(marks.items()))


def read_marks(known: str | None) -> dict[str, str]:
    """Return the digests of a fingerprint by field; none of what is no fingerprint of a product."""
    parts = (part.partition("=") for part in (known or "").split())
    return {name: mark for name, equals, mark in parts if equals}


def _sku(product: MagentoProduct) -> str:
    sku = clean_text(product.sku)
    if not sku or len(sku) > _LONGEST_SKU:
        raise ProductUnclear(
            f"Magento's product with the id {product.product_id} has no SKU that Odoo could know it by.",
            system="magento",
            reason="sku",
            product_id=product.product_id,
        )
    return sku


def _amount(product: MagentoProduct, name: str, value: Decimal | None) -> Decimal:
    if value is not None and (not value.is_finite() or value < 0):
        raise ProductUnclear(
            f"The {name} of the product {product.sku} is {value}: below 0 nothing is sold.",
            system="magento",
            reason="amount",
            sku=product.sku,
        )
    return value if value is not None else Decimal(0)


def number_text(value: Decimal) -> str:
    """Return a number as a cell."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _type_cells(product: MagentoProduct, book: ProductBook) -> dict[str, str]:
    if product.type_id in SERVICES:
        return {"type": "service", "invoice_policy": "order"}
    return {name: "1" if value is True else str(value) for name, value in book.storable.items()}


def _shared(product: MagentoProduct, book: ProductBook, sku: str) -> dict[str, str]:
    """Return the cells that variants share."""
    cells = {
        "name": clean_text(product.name) or sku,
        **_description(product.description, product.short_description),
    }
    if product.tax_class_id is not None and product.tax_class_id in book.taxes:
        cells["taxes_id/.id"] = ",".join(str(one) for one in book.taxes[product.tax_class_id])
    bound = [book.categories[one] for one in product.category_ids if one in book.categories]
    if bound:
        # Odoo has one category where Magento has many: the last that is named and known.
        cells["categ_id/.id"] = str(bound[-1])
    return cells


def _description(description: str, short: str) -> dict[str, str]:
    return {"description": safe_html(description), "description_sale": plain_text(short)}


def _barcode(product: MagentoProduct, book: ProductBook) -> str:
    value = product.attributes.get(book.barcode_attribute, "")
    return clean_text(value if isinstance(value, str) else "")


def _weight(product: MagentoProduct, book: ProductBook) -> str:
    weight = _amount(product, "weight", product.weight)
    if book.magento_weight != book.odoo_weight:
        factor = POUND if book.magento_weight == "lbs" else 1 / POUND
        weight = (weight * factor).quantize(WEIGHT_STEP)
    return number_text(weight)


def _other_languages(owned: Mapping[str, str], texts: Mapping[str, ProductText]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for language, text in texts.items():
        cells = {"name": clean_text(text.name), **_description(text.description, text.short_description)}
        differing = {name: cell for name, cell in cells.items() if cell and cell != owned[name]}
        if differing:
            found[language] = differing
    return found
