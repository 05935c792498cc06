"""Magento's catalog as records: what the client reads, translated. The only place where both are known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bridge.errors import InvalidRecord
from bridge.magento import MagentoClient, ScanCursor, catalog
from bridge.translate.catalog_records import MagentoAttribute, MagentoCategory, MagentoProduct, ProductText
from bridge.translate.magento_product import parse_attribute, parse_category, parse_product, parse_text


@dataclass(frozen=True, kw_only=True)
class Products:
    """Products of a page; one that cannot be read keeps none of the others back."""

    products: tuple[MagentoProduct, ...]
    #: Why products of the page cannot be read, by their ids.
    refused: Mapping[int, InvalidRecord] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ProductPage(Products):
    """One page of the products that changed."""

    #: Where to go on: with the next page, or, after the last one, with the next scan.
    cursor: ScanCursor
    #: Whether all changes that were there are read.
    is_last: bool
    #: Products that Magento counts from here on; a hint for progress only.
    total: int


@dataclass(frozen=True, kw_only=True)
class ProductSweepPage(Products):
    """One page of all products, by id."""

    #: Where to go on.
    after_id: int
    #: Whether all products that were there are read.
    is_last: bool
    #: Products that Magento counts from here on; a hint for progress only.
    total: int


class MagentoCatalog:
    """Reads the catalog of one Magento."""

    def __init__(self, magento: MagentoClient) -> None:
        self._magento = magento

    def scan_products(
        self, *, updated_from: datetime, after: ScanCursor | None = None, page_size: int = 100
    ) -> ProductPage:
        """Return one page of the products changed at ``updated_from`` or later, oldest change first.

        ``after`` is the cursor of the page before, or of an earlier scan. Products may come twice, never not at all.
        """
        page = catalog.scan_products(
            self._magento, updated_from=updated_from, after=after, page_size=page_size
        )
        read = _read(page.rows)
        return ProductPage(
            products=read.products,
            refused=read.refused,
            cursor=page.cursor,
            is_last=page.is_last,
            total=page.total,
        )

    def sweep_products(self, *, after_id: int = 0, page_size: int = 100) -> ProductSweepPage:
        """Return one page of all products by id, those behind ``after_id``: for a first import and full checks."""
        page = catalog.sweep_products(self._magento, after_id=after_id, page_size=page_size)
        read = _read(page.rows)
        return ProductSweepPage(
            products=read.products,
            refused=read.refused,
            after_id=page.after_id,
            is_last=page.is_last,
            total=page.total,
        )

    def products_by_id(self, ids: Iterable[int]) -> dict[int, MagentoProduct]:
        """Return the products with these ids; one that is gone is missing.

        Raises:
            InvalidRecord: one cannot be read.
        """
        rows = catalog.products_by_id(self._magento, ids)
        return {product_id: parse_product(row) for product_id, row in rows.items()}

    def products_by_sku(self, skus: Iterable[str]) -> dict[str, MagentoProduct]:
        """Return the products with these SKUs, without regard to case, by the SKU asked for; unknown ones are missing.

        Raises:
            InvalidRecord: one cannot be read.
        """
        rows = catalog.products_by_sku(self._magento, skus)
        return {sku: parse_product(row) for sku, row in rows.items()}

    def product_texts(self, ids: Iterable[int], store_code: str) -> dict[int, ProductText]:
        """Return name and descriptions of products as the store view ``store_code`` shows them.

        Raises:
            SettingsWrong: there is no such store view.
            InvalidRecord: a product cannot be read.
        """
        rows = catalog.products_by_id(self._magento, ids, store_code=store_code, fields=catalog.TEXT_FIELDS)
        return {product_id: parse_text(row) for product_id, row in rows.items()}

    def attributes(
        self, ids: Iterable[int] = (), *, codes: Iterable[str] = ()
    ) -> dict[int, MagentoAttribute]:
        """Return attributes by their ids or codes, with their options; one that is gone is missing.

        Raises:
            InvalidRecord: one cannot be read.
        """
        wanted = set(codes)
        if numbers := set(ids):
            known = catalog.attribute_codes(self._magento)
            wanted |= {known[number] for number in numbers if number in known}
        found = map(parse_attribute, catalog.attributes(self._magento, wanted))
        return {one.attribute_id: one for one in found}

    def categories(self) -> tuple[MagentoCategory, ...]:
        """Return all categories, the root of all among them.

        Raises:
            InvalidRecord: one cannot be read.
        """
        return tuple(map(parse_category, catalog.categories(self._magento)))


def _read(rows: Iterable[Mapping[str, Any]]) -> Products:
    refused: dict[int, InvalidRecord] = {}

    def readable() -> Iterator[MagentoProduct]:
        for row in rows:
            try:
                yield parse_product(row)
            except InvalidRecord as error:
                refused[int(row["id"])] = error

    return Products(products=tuple(readable()), refused=refused)
