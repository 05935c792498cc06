"""Records of stock as the ledger keeps it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from bridge.ledger.records import Want

SafetyScope = Literal["source", "category", "product"]


@dataclass(frozen=True, kw_only=True)
class StockChange:
    """Stock of a product changed in Odoo: an event's part beside its wants."""

    #: The ``product.product``.
    odoo_id: int
    #: Returns the want that exports a source.
    wake: Callable[[str], Want]


@dataclass(frozen=True, kw_only=True)
class StockLine:
    """One line of a Magento order: what it holds back, and what was shipped of it."""

    order_id: int
    item_id: int
    #: What people call the order.
    order_label: str
    store_id: int | None
    #: Magento's product, as bindings name it.
    product_id: str | None
    sku: str
    ordered: Decimal
    canceled: Decimal
    shipped: Decimal
    refunded: Decimal
    #: R by events in time order.
    open: Decimal
    #: Shipped before the stock opening.
    shipped_before: Decimal
    #: The source that Magento shipped it from, where that is known.
    shipped_from: str | None
    #: The order's ``updated_at`` when it was read.
    version: str
    #: It counts nothing any more and never will.
    is_settled: bool = False


@dataclass(frozen=True, kw_only=True)
class StockFigure:
    """What is known of one product in one source."""

    source: str
    #: Magento's product, as bindings name it.
    magento_id: str
    #: How often it was marked, and how much of that was exported: dirty where it was marked more often.
    marked: int
    exported: int
    #: Since when it is dirty, or when it last was.
    marked_at: datetime
    #: Why it is exported by a job of its own.
    problem: str | None
    #: What Magento should have, as last worked out.
    target: Decimal | None
    #: What Magento had, as last read before a write.
    seen: Decimal | None
    seen_at: datetime | None
    #: What the bridge wrote last.
    written: Decimal | None
    written_at: datetime | None
    #: Whether the bridge wrote the row with status 1 before.
    was_on: bool
    #: The bound ``product.product`` and the SKU, None where there is no binding any more.
    odoo_id: int | None = None
    sku: str | None = None

    @property
    def is_dirty(self) -> bool:
        """Whether it is to be exported."""
        return self.marked > self.exported


@dataclass(frozen=True, kw_only=True)
class Exported:
    """What an export came to for one product."""

    magento_id: str
    #: The mark that it covers.
    marked: int
    target: Decimal | None = None
    seen: Decimal | None = None
    #: None where nothing was written.
    written: Decimal | None = None
    #: Whether it was written with status 1.
    is_on: bool = False
    problem: str | None = None


@dataclass(frozen=True, kw_only=True)
class SafetyStock:
    """A safety stock of its own."""

    scope: SafetyScope
    #: A source's code, the id of a category in Odoo, a SKU.
    key: str
    quantity: Decimal
    updated_by: str
    updated_at: datetime
