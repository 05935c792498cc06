"""How a shop's sources, stocks and websites hang together, what is for sale, and the classic stock items."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from bridge.errors import InvalidRecord, ServiceRejected, SettingsWrong
from bridge.magento.client import MagentoClient
from bridge.magento.inventory import SourceItem, insist_on_right, read_quantity
from bridge.magento.lists import read_list
from bridge.magento.rows import read_record, row_id
from bridge.magento.search import Filter

#: The source that every shop has: the only one that the classic endpoint sees.
DEFAULT_SOURCE = "default"


@dataclass(frozen=True, kw_only=True)
class Source:
    """A place that goods are sent from."""

    source_code: str
    name: str
    is_enabled: bool


@dataclass(frozen=True, kw_only=True)
class Stock:
    """What a website sells from: some sources together."""

    stock_id: int
    name: str
    #: Codes of the websites that sell from it.
    websites: tuple[str, ...]
    #: Codes of its sources, by priority.
    source_codes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Layout:
    """All sources and stocks of a shop."""

    sources: tuple[Source, ...]
    stocks: tuple[Stock, ...]

    def source(self, source_code: str) -> Source | None:
        """Return a source by its code."""
        return next((one for one in self.sources if one.source_code == source_code), None)

    def stocks_of(self, source_code: str) -> list[Stock]:
        """Return the stocks that sell from a source: more than one where it is shared (RULES 3.4)."""
        return [one for one in self.stocks if source_code in one.source_codes]

    def stock_for(self, website: str) -> Stock | None:
        """Return the stock that sells for a website."""
        return next((one for one in self.stocks if website in one.websites), None)

    @property
    def shared_sources(self) -> list[str]:
        """Codes of the sources that several stocks sell from."""
        codes = [source.source_code for source in self.sources]
        return [code for code in codes if len(self.stocks_of(code)) > 1]


@dataclass(frozen=True, kw_only=True)
class StockItem:
    """A product's classic stock item."""

    item_id: int
    #: What source ``default`` has; on a website with a stock of its own it is not what is for sale.
    quantity: Decimal
    is_in_stock: bool
    #: Magento's own threshold, the product's own or the shop's.
    min_quantity: Decimal
    #: 0: not sold beyond the quantity.
    backorders: int
    manage_stock: bool
    #: Whether Magento itself switched it last, as its quantity fell to the threshold.
    is_switched_by_itself: bool

    @property
    def is_empty(self) -> bool:
        """Whether it cannot be sold for want of goods: Magento then switches it off, whatever it is told."""
        return self.manage_stock and not self.backorders and self.quantity <= self.min_quantity

    @property
    def is_off_by_hand(self) -> bool:
        """Whether a person switched it off; of one that is empty nobody can tell."""
        return not (self.is_in_stock or self.is_empty or self.is_switched_by_itself)


def sources(magento: MagentoClient) -> list[Source]:
    """Return all sources, by code."""
    rows = _all(magento, "/inventory/sources", key="source_code", fields=("name", "enabled"))
    return [
        Source(
            source_code=str(row.get("source_code") or ""),
            name=str(row.get("name") or ""),
            is_enabled=bool(row.get("enabled")),
        )
        for row in rows
    ]


def layout(magento: MagentoClient) -> Layout:
    """Return the sources and stocks of a shop: a list of each, and the links of each stock."""
    rows = _all(magento, "/inventory/stocks", key="stock_id", fields=("name", "extension_attributes"))
    return Layout(sources=tuple(sources(magento)), stocks=tuple(_stock(magento, row) for row in rows))


def salable_quantity(magento: MagentoClient, sku: str, stock_id: int) -> Decimal:
    """Return what a stock has for sale of a product: sources less reservations less the threshold.

    Below 0 it shows only where back-orders are allowed. An unknown SKU is Magento's 500, which never goes away.

    Raises:
        ServiceRejected: the product has no quantity of its own, as configurables and bundles.
    """
    path = f"/inventory/get-product-salable-quantity/{_in_path(sku)}/{int(stock_id)}"
    return read_quantity(magento.get(path), of=sku)


def is_salable(magento: MagentoClient, sku: str, stock_id: int) -> bool:
    """Return whether a product can be bought now; false for an unknown SKU."""
    answer = magento.get(f"/inventory/is-product-salable/{_in_path(sku)}/{int(stock_id)}")
    if not isinstance(answer, bool):
        raise InvalidRecord("Magento did not say whether it is salable.", system="magento", field="salable")
    return answer


def stock_item(magento: MagentoClient, sku: str) -> StockItem:
    """Return the classic stock item of a product.

    Raises:
        RecordMissing: there is no such product.
        ServiceRejected: the web server refuses the slash in the SKU (``reason="slash"``).
    """
    with _slash_told(sku):
        row = read_record(magento.get(f"/stockItems/{_in_path(sku)}"), "stock item")
    return StockItem(
        item_id=row_id(row, "item_id"),
        quantity=read_quantity(row.get("qty") or 0, of=sku),
        is_in_stock=bool(row.get("is_in_stock")),
        min_quantity=read_quantity(row.get("min_qty") or 0, of=sku),
        backorders=int(row.get("backorders") or 0),
        manage_stock=bool(row.get("manage_stock")),
        is_switched_by_itself=row.get("stock_status_changed_auto") in {1, "1"},
    )


def write_stock_item(
    magento: MagentoClient, sku: str, *, quantity: Decimal, item_id: int = 1, is_in_stock: bool = True
) -> None:
    """Set the quantity that source ``default`` has of a product. Absolute, so it may be repeated.

    The item's id in the path is ignored, the SKU decides (``inventory/059-stockitem-classic-put-wrong-item-id``).

    Raises:
        RecordMissing: there is no such product.
        ServiceRejected: Magento refused it, or the web server the slash in the SKU (``reason="slash"``), or it
            cannot be right (``reason="source_item"``, nothing was sent).
    """
    insist_on_right(
        [SourceItem(sku=sku, source_code=DEFAULT_SOURCE, quantity=quantity, status=int(is_in_stock))]
    )
    body = {"stockItem": {"qty": quantity, "is_in_stock": is_in_stock}}
    with _slash_told(sku):
        magento.put(f"/products/{_in_path(sku)}/stockItems/{int(item_id)}", body)


def _stock(magento: MagentoClient, row: Mapping[str, Any]) -> Stock:
    stock_id = row_id(row, "stock_id")
    # A link has no unique column of its own; within a stock its source is one.
    links = _all(
        magento,
        "/inventory/stock-source-links",
        key="source_code",
        fields=("priority",),
        filters=(Filter("stock_id", stock_id),),
    )
    by_priority = sorted((int(link.get("priority") or 0), str(link.get("source_code"))) for link in links)
    return Stock(
        stock_id=stock_id,
        name=str(row.get("name") or ""),
        websites=_websites(row),
        source_codes=tuple(code for _, code in by_priority),
    )


def _all(
    magento: MagentoClient, path: str, *, key: str, fields: Sequence[str], filters: Sequence[Filter] = ()
) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    after: str | int | None = None
    while True:
        page = read_list(magento, path, key=key, fields=fields, after=after, filters=filters)
        found += page.rows
        after = page.after
        if after is None:
            return found


def _websites(row: Mapping[str, Any]) -> tuple[str, ...]:
    extension = row.get("extension_attributes")
    channels = extension.get("sales_channels") if isinstance(extension, Mapping) else None
    return tuple(
        str(one.get("code"))
        for one in channels or ()
        if isinstance(one, Mapping) and one.get("type") == "website"
    )


@contextmanager
def _slash_told(sku: str) -> Iterator[None]:
    """Tell a web server that refuses ``%2F`` from a shop that is not there: it is this SKU's matter alone."""
    try:
        yield
    except SettingsWrong as error:
        if "/" not in sku or error.details.get("reason") not in {"route", "not_magento"}:
            raise
        raise ServiceRejected(
            f"The web server before Magento refuses addresses with the slash of the SKU {sku}.",
            system="magento",
            status=404,
            reason="slash",
            sku=sku,
        ) from error


def _in_path(sku: str) -> str:
    """Return a SKU as it stands in a path; some web servers refuse the ``%2F`` of one with a slash (``catalog/044``)."""
    return quote(sku, safe="")
