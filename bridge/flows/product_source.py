"""What the import of products reads of Magento's catalog. The one place where the flows meet the client."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol, cast

from bridge.flows.context import FlowContext
from bridge.magento import ScanCursor
from bridge.translate.catalog_records import MagentoAttribute, MagentoProduct
from bridge.translate.product_plan import ProductText


class ProductPage(Protocol):
    """One page of changed products."""

    @property
    def products(self) -> Sequence[MagentoProduct]:
        """The products, oldest change first."""

    @property
    def cursor(self) -> ScanCursor:
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

    def products_by_id(self, ids: Sequence[int]) -> Mapping[int, MagentoProduct]:
        """Return products by entity id; one that is gone is missing."""

    def product_texts(self, ids: Sequence[int], store_code: str) -> Mapping[int, ProductText]:
        """Return the texts of products as a store view shows them."""

    def attributes(self, ids: Sequence[int]) -> Mapping[int, MagentoAttribute]:
        """Return attributes with their options by id; one that is gone is missing."""


def catalog_of(ctx: FlowContext) -> CatalogReads:
    """Return the reads of the instance's catalog; their exchanges belong to this attempt."""
    return cast(CatalogReads, ctx.magento)
