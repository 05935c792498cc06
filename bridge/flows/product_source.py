"""What the import of products reads of Magento's catalog. The one place where the flows meet the client."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from bridge.errors import InvalidRecord
from bridge.flows.context import FlowContext
from bridge.flows.magento_catalog import MagentoCatalog
from bridge.magento import ScanCursor
from bridge.translate.catalog_records import MagentoAttribute, MagentoProduct, ProductText


class ProductPage(Protocol):
    """One page of changed products."""

    @property
    def products(self) -> Sequence[MagentoProduct]:
        """The products, oldest change first."""

    @property
    def refused(self) -> Mapping[int, InvalidRecord]:
        """Why products of the page cannot be read, by their ids."""

    @property
    def cursor(self) -> ScanCursor:
        """Where to go on."""

    @property
    def is_last(self) -> bool:
        """Whether all that were there are read."""


class ProductSweepPage(Protocol):
    """One page of all products."""

    @property
    def products(self) -> Sequence[MagentoProduct]:
        """The products by id."""

    @property
    def refused(self) -> Mapping[int, InvalidRecord]:
        """Why products of the page cannot be read, by their ids."""

    @property
    def after_id(self) -> int:
        """Where to go on."""

    @property
    def is_last(self) -> bool:
        """Whether all that were there are read."""


class CatalogReads(Protocol):
    """Reads of Magento's catalog, each for many products at once."""

    def scan_products(
        self, *, updated_from: datetime, after: ScanCursor | None, page_size: int
    ) -> ProductPage:
        """Return one page of the products that changed."""

    def sweep_products(self, *, after_id: int, page_size: int) -> ProductSweepPage:
        """Return one page of all products by id, those behind ``after_id``."""

    def products_by_id(self, ids: Sequence[int]) -> Mapping[int, MagentoProduct]:
        """Return products by entity id; one that is gone is missing.

        Raises:
            InvalidRecord: one cannot be read.
        """

    def product_texts(self, ids: Sequence[int], store_code: str) -> Mapping[int, ProductText]:
        """Return the texts of products as a store view shows them."""

    def products_by_sku(self, skus: Sequence[str]) -> Mapping[str, MagentoProduct]:
        """Return products by SKU, without regard to case; one that is not there is missing.

        Raises:
            InvalidRecord: one cannot be read.
        """

    def attributes(
        self, ids: Sequence[int] = (), *, codes: Sequence[str] = ()
    ) -> Mapping[int, MagentoAttribute]:
        """Return attributes by their ids or codes, with their options; one that is gone is missing."""


def catalog_of(ctx: FlowContext) -> CatalogReads:
    """Return the reads of the instance's catalog; their exchanges belong to this attempt."""
    return MagentoCatalog(ctx.magento)


def read_products(
    ctx: FlowContext, ids: Sequence[int], unreadable: dict[int, InvalidRecord]
) -> dict[int, MagentoProduct]:
    """Return products by id; those that cannot be read are noted in ``unreadable`` and keep none of the others back."""
    if not ids:
        return {}
    try:
        return dict(catalog_of(ctx).products_by_id(ids))
    except InvalidRecord as error:
        if len(ids) == 1:
            unreadable[ids[0]] = error
            return {}
    half = len(ids) // 2
    return read_products(ctx, ids[:half], unreadable) | read_products(ctx, ids[half:], unreadable)
