"""Products of Magento for tests of the catalog, and a catalog that holds them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from bridge.errors import InvalidRecord
from bridge.magento import ScanCursor
from bridge.magento.scan import begin, next_page
from bridge.magento.search import parse_magento_time
from bridge.translate.catalog_records import (
    ConfigurableOption,
    MagentoAttribute,
    MagentoOption,
    MagentoProduct,
    ProductText,
)

RECORDINGS = Path(__file__).parents[1] / "recordings" / "magento" / "catalog"
COLOR, SIZE = 93, 137


def a_product(**values: Any) -> MagentoProduct:
    """Return a plain product with ``values`` changed."""
    plain: dict[str, Any] = {
        "product_id": 1,
        "sku": "MUG",
        "name": "Mug",
        "type_id": "simple",
        "attribute_set_id": 4,
        "price": Decimal("9.99"),
        "cost": None,
        "weight": Decimal("0.35"),
        "is_enabled": True,
        "visibility": 4,
        "tax_class_id": "2",
        "description": "",
        "short_description": "",
        "category_ids": (),
        "website_ids": (1,),
        "updated_at": "2026-11-23 15:46:12",
    }
    return MagentoProduct(**(plain | values))


def recorded_product(name: str) -> MagentoProduct:
    """Return the product of a recording: ``032-product-get-simple``."""
    document = json.loads((RECORDINGS / f"{name}.json").read_text(encoding="utf-8"))
    return product_of(json.loads(json.dumps(document["response"]["json"]), parse_float=Decimal))


def product_of(raw: Mapping[str, Any]) -> MagentoProduct:
    """Return a product as Magento's REST shows it."""
    attributes = {row["attribute_code"]: row["value"] for row in raw["custom_attributes"]}
    extension = raw["extension_attributes"]
    return a_product(
        product_id=raw["id"],
        sku=raw["sku"],
        name=raw["name"],
        type_id=raw["type_id"],
        price=_decimal(raw.get("price")),
        weight=_decimal(raw.get("weight")),
        is_enabled=raw["status"] == 1,
        visibility=raw["visibility"],
        tax_class_id=attributes.get("tax_class_id"),
        description=attributes.get("description", ""),
        category_ids=tuple(int(one) for one in attributes.get("category_ids", ())),
        attributes={code: value for code, value in attributes.items() if isinstance(value, str)},
        options=tuple(
            ConfigurableOption(
                attribute_id=int(one["attribute_id"]),
                values=tuple(str(value["value_index"]) for value in one["values"]),
            )
            for one in extension.get("configurable_product_options", ())
        ),
        child_ids=tuple(extension.get("configurable_product_links", ())),
        updated_at=raw["updated_at"],
    )


def _decimal(value: Any) -> Decimal | None:
    return None if value is None else Decimal(str(value))


def an_attribute(attribute_id: int, code: str, **labels: str) -> MagentoAttribute:
    """Return an attribute; options are given as ``_7="Red"``."""
    options = {name[1:]: MagentoOption(value=name[1:], label=label) for name, label in labels.items()}
    return MagentoAttribute(
        attribute_id=attribute_id, code=code, label=code.title(), frontend_input="select", options=options
    )


def a_family(
    *,
    parent_id: int = 500,
    sku: str = "SHIRT",
    sizes: Mapping[str, str] | None = None,
    **values: Any,
) -> list[MagentoProduct]:
    """Return a configurable by size, as its last, with a child for each of ``sizes`` (option to label)."""
    children = [
        a_product(
            product_id=parent_id + number,
            sku=f"{sku}-{label}",
            name=f"Shirt {label}",
            visibility=1,
            price=Decimal(20 + number),
            attributes={"size": option},
        )
        for number, (option, label) in enumerate((sizes or {"4": "S", "5": "M"}).items(), start=1)
    ]
    parent = a_product(
        product_id=parent_id,
        sku=sku,
        name="Shirt",
        type_id="configurable",
        price=Decimal(0),
        weight=None,
        options=(ConfigurableOption(attribute_id=SIZE, values=tuple(sizes or {"4": "S", "5": "M"})),),
        child_ids=tuple(one.product_id for one in children),
        **values,
    )
    return [*children, parent]


@dataclass(frozen=True)
class Page:
    """A page as the client answers it."""

    products: Sequence[MagentoProduct]
    refused: Mapping[int, InvalidRecord]
    cursor: ScanCursor
    is_last: bool


@dataclass(frozen=True)
class SweptPage:
    """A page of all products, as the client answers it."""

    products: Sequence[MagentoProduct]
    refused: Mapping[int, InvalidRecord]
    after_id: int
    is_last: bool


@dataclass
class FakeCatalog:
    """Magento's catalog as the import reads it: all reads are counted."""

    products: dict[int, MagentoProduct] = field(default_factory=dict)
    texts: dict[str, dict[int, ProductText]] = field(default_factory=dict)
    known: dict[int, MagentoAttribute] = field(default_factory=dict)
    reads: list[str] = field(default_factory=list)
    #: Products that cannot be read.
    broken: set[int] = field(default_factory=set)

    def put(self, *products: MagentoProduct) -> None:
        """Add products, or new versions of them: ``updated_at`` moves by a second with each."""
        for product in products:
            newest = max(
                (parse_magento_time(one.updated_at) for one in self.products.values()),
                default=datetime(2026, 11, 1, tzinfo=UTC),
            )
            stamp = f"{newest + timedelta(seconds=1):%Y-%m-%d %H:%M:%S}"
            self.products[product.product_id] = replace(product, updated_at=stamp)

    def change(self, product_id: int, **values: Any) -> None:
        """Change a product."""
        self.put(replace(self.products[product_id], **values))

    def scan_products(self, *, updated_from: datetime, after: ScanCursor | None, page_size: int) -> Page:
        self.reads.append("scan")
        cursor = after or begin(updated_from)
        rows = sorted(
            ({"entity_id": id_, "updated_at": one.updated_at} for id_, one in self.products.items()),
            key=lambda row: (row["updated_at"], row["entity_id"]),
        )
        since = f"{cursor.since:%Y-%m-%d %H:%M:%S}"
        if cursor.after_id is None:
            rows = [row for row in rows if str(row["updated_at"]) >= since]
        else:
            rows = [row for row in rows if row["updated_at"] == since and row["entity_id"] > cursor.after_id]
        page = next_page(
            cursor,
            rows[:page_size],
            total=len(rows),
            page_size=page_size,
            server_now=datetime(2026, 12, 31, tzinfo=UTC),
        )
        ids = [row["entity_id"] for row in page.rows]
        refused = {one: self._unreadable(one) for one in ids if one in self.broken}
        found = [self.products[one] for one in ids if one not in refused]
        return Page(found, refused, page.cursor, page.is_last)

    def sweep_products(self, *, after_id: int, page_size: int) -> SweptPage:
        self.reads.append("sweep")
        ids = sorted(one for one in self.products if one > after_id)
        page = ids[:page_size]
        refused = {one: self._unreadable(one) for one in page if one in self.broken}
        found = [self.products[one] for one in page if one not in refused]
        return SweptPage(found, refused, page[-1] if page else after_id, len(ids) <= page_size)

    def _unreadable(self, product_id: int) -> InvalidRecord:
        return InvalidRecord(f"price of product {product_id} is no amount.", system="magento", field="price")

    def products_by_id(self, ids: Sequence[int]) -> dict[int, MagentoProduct]:
        self.reads.append("products")
        for one in ids:
            if one in self.broken:
                raise self._unreadable(one)
        return {one: self.products[one] for one in ids if one in self.products}

    def product_texts(self, ids: Sequence[int], store_code: str) -> dict[int, ProductText]:
        self.reads.append(f"texts {store_code}")
        found = self.texts.get(store_code, {})
        return {one: found[one] for one in ids if one in found}

    def products_by_sku(self, skus: Sequence[str]) -> dict[str, MagentoProduct]:
        self.reads.append("skus")
        by_sku = {one.sku.casefold(): one for one in self.products.values()}
        return {sku: by_sku[sku.casefold()] for sku in skus if sku.casefold() in by_sku}

    def attributes(
        self, ids: Sequence[int] = (), *, codes: Sequence[str] = ()
    ) -> dict[int, MagentoAttribute]:
        self.reads.append("attributes")
        return {id_: one for id_, one in self.known.items() if id_ in ids or one.code in codes}
