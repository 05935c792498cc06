"""Reading Magento's catalog: products by change, by id, by SKU; attributes; categories. Rows come as Magento has them.

Master data is read under the store code ``all``; a store view's own texts under its code (``catalog/085`` to ``091``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bridge.errors import InvalidRecord
from bridge.magento import scan
from bridge.magento.client import MagentoClient
from bridge.magento.lists import read_list
from bridge.magento.rows import FirstPage, row_id
from bridge.magento.scan import ScanCursor, ScanPage
from bridge.magento.search import MAX_FILTERS, Filter, short_batches

#: The store code that shows global values.
ALL = "all"
#: A product without stock, bundle parts, tier prices and links: a fifth of the bytes of a whole one.
PRODUCT_FIELDS = (
    "items[id,sku,name,attribute_set_id,price,status,visibility,type_id,updated_at,weight,"
    "extension_attributes[website_ids,category_links[category_id],"
    "configurable_product_options[attribute_id,values[value_index]],configurable_product_links],"
    "media_gallery_entries,custom_attributes],total_count"
)
TEXT_FIELDS = "items[id,sku,name,custom_attributes],total_count"
ATTRIBUTE_FIELDS = "items[attribute_id,attribute_code,default_frontend_label,frontend_input,options[label,value]],total_count"
CATEGORY_FIELDS = "items[id,parent_id,name,is_active,position,level],total_count"
#: Types of products that have no quantity of their own; Magento keeps empty rows for them all the same.
TYPES_WITHOUT_STOCK = frozenset({"configurable", "bundle", "grouped"})
#: Values of one list in a query: SKUs, codes.
_AT_ONCE = 50
#: SKUs of one list of which few will answer.
_FEW_OF = 250
_PAGE_SIZE = 100
#: Encoded characters of one list of values: with all else the query stays below what web servers take.
_VALUE_CHARACTERS = 3000


@dataclass(frozen=True, kw_only=True)
class SweepPage:
    """One page of a sweep through all rows by their ids."""

    rows: Sequence[dict[str, Any]]
    #: Where to go on.
    after_id: int
    #: Whether all rows that were there are read.
    is_last: bool
    #: Rows that Magento counts from here on; a hint for progress only.
    total: int


def scan_products(
    magento: MagentoClient, *, updated_from: datetime, after: ScanCursor | None = None, page_size: int = 100
) -> ScanPage:
    """Return one page of the products changed at ``updated_from`` or later, oldest change first (RULES 5.1).

    Bulk writes of prices, stock and categories do not move ``updated_at``: a sweep now and then finds them.
    """
    cursor = after or scan.begin(updated_from)
    return magento.in_store(ALL).scan_list("/products", cursor, fields=PRODUCT_FIELDS, page_size=page_size)


def sweep_products(magento: MagentoClient, *, after_id: int = 0, page_size: int = 100) -> SweepPage:
    """Return one page of all products by id, those behind ``after_id``."""
    return _sweep(magento, "/products", after_id=after_id, page_size=page_size, fields=PRODUCT_FIELDS)


def products_by_id(
    magento: MagentoClient, ids: Iterable[int], *, store_code: str = ALL, fields: str = PRODUCT_FIELDS
) -> dict[int, dict[str, Any]]:
    """Return the products with these ids; one that is gone is missing."""
    client = magento.in_store(store_code)
    found: dict[int, dict[str, Any]] = {}
    wanted = sorted({int(one) for one in ids})
    while wanted:
        asked = wanted[:_PAGE_SIZE]
        condition = Filter("entity_id", ",".join(map(str, asked)), "in")
        page = client.page("/products", [condition], sort=("entity_id",), page_size=_PAGE_SIZE, fields=fields)
        rows = {row_id(row, "id"): row for row in page.rows}
        new = [one for one in asked if one in rows]
        found |= {one: rows[one] for one in new}
        # Where the shop caps pages, what is missing is asked for once more, unless nothing came.
        done = set(new if new and page.is_full else asked)
        wanted = [one for one in wanted if one not in done]
    return found


def products_by_sku(magento: MagentoClient, skus: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return the products with these SKUs, without regard to case, by the SKU that was asked for.

    One that is not there is missing. By lists: many web servers refuse the ``%2F`` of a SKU in the path. A comma
    ends a value in a list of them, so SKUs that have one are asked for one by one, ten in a call.
    """
    wanted = list(dict.fromkeys(sku for sku in skus if sku.strip()))
    found = _all_by_sku(magento, wanted, at_once=_AT_ONCE, fields=PRODUCT_FIELDS)
    return {sku: found[sku.casefold()] for sku in wanted if sku.casefold() in found}


def without_stock(magento: MagentoClient, skus: Iterable[str]) -> set[str]:
    """Return those of these SKUs whose product has no quantity of its own: only its parts have (FACTS 6)."""
    wanted = list(dict.fromkeys(sku for sku in skus if sku.strip()))
    # Few of many answer, so many are asked for at once.
    found = _all_by_sku(
        magento,
        wanted,
        at_once=_FEW_OF,
        fields="items[sku,type_id],total_count",
        more=[Filter("type_id", ",".join(sorted(TYPES_WITHOUT_STOCK)), "in")],
    )
    return {sku for sku in wanted if sku.casefold() in found}


def attributes(magento: MagentoClient, codes: Iterable[str]) -> list[dict[str, Any]]:
    """Return the attributes with these codes and their options as the admin names them; one that is gone is missing."""
    client = magento.in_store(ALL)
    found: list[dict[str, Any]] = []
    for batch in short_batches(
        sorted({code for code in codes if code}), _AT_ONCE, characters=_VALUE_CHARACTERS
    ):
        page = client.page(
            "/products/attributes",
            [Filter("attribute_code", ",".join(batch), "in")],
            sort=("attribute_code",),
            page_size=_AT_ONCE,
            fields=ATTRIBUTE_FIELDS,
        )
        found += page.rows
        if len(page.rows) < len(batch) and page.is_full:
            named = {row.get("attribute_code") for row in page.rows}
            found += attributes(magento, [code for code in batch if code not in named])
    return found


def attribute_codes(magento: MagentoClient) -> dict[int, str]:
    """Return the codes of all attributes that products may have, by id.

    A list cannot be asked by ``attribute_id`` in all versions, so all are read, without their options.
    """
    client = magento.in_store(ALL)
    found: dict[int, str] = {}
    after: str | int | None = None
    while True:
        page = read_list(
            client, "/products/attributes", key="attribute_code", fields=("attribute_id",), after=after
        )
        found |= {row_id(row, "attribute_id"): str(row.get("attribute_code") or "") for row in page.rows}
        after = page.after
        if after is None:
            return found


def categories(magento: MagentoClient) -> list[dict[str, Any]]:
    """Return all categories by id, the root of all among them."""
    found: list[dict[str, Any]] = []
    after_id = 0
    while True:
        page = _sweep(
            magento, "/categories/list", after_id=after_id, page_size=_PAGE_SIZE, fields=CATEGORY_FIELDS
        )
        found += page.rows
        if page.is_last:
            return found
        after_id = page.after_id


def _sweep(magento: MagentoClient, path: str, *, after_id: int, page_size: int, fields: str) -> SweepPage:
    page = magento.in_store(ALL).page(
        path,
        [Filter("entity_id", after_id, "gt")],
        sort=("entity_id",),
        page_size=page_size,
        fields=fields,
    )
    ids = [row_id(row, "id") for row in page.rows]
    if ids != sorted(ids) or (ids and ids[0] <= after_id):
        raise _not_sorted("entity_id")
    return SweepPage(
        rows=page.rows,
        after_id=ids[-1] if ids else after_id,
        is_last=not page.is_full,
        total=page.total,
    )


def _not_sorted(field: str) -> InvalidRecord:
    return InvalidRecord("Magento did not sort the list as asked.", system="magento", field=field)


def _all_by_sku(
    magento: MagentoClient, wanted: Sequence[str], *, at_once: int, fields: str, more: Sequence[Filter] = ()
) -> dict[str, dict[str, Any]]:
    """Return products by their SKU without regard to case."""
    client = magento.in_store(ALL)
    found: dict[str, dict[str, Any]] = {}
    plain = [sku for sku in wanted if "," not in sku]
    others = [sku for sku in wanted if "," in sku]
    for batch in short_batches(plain, at_once, characters=_VALUE_CHARACTERS):
        found |= _by_sku(
            client, batch, lambda skus: [Filter("sku", ",".join(skus), "in"), *more], fields=fields
        )
    for batch in short_batches(others, MAX_FILTERS, characters=_VALUE_CHARACTERS):
        found |= _by_sku(
            client, batch, lambda skus: [[Filter("sku", sku) for sku in skus], *more], fields=fields
        )
    return found


def _by_sku(
    client: MagentoClient, batch: Sequence[str], condition: Any, *, fields: str
) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    rest = {sku.casefold(): sku for sku in batch}
    while rest:
        page: FirstPage = client.page(
            "/products",
            condition(list(rest.values())),
            sort=("entity_id",),
            page_size=_AT_ONCE,
            fields=fields,
        )
        # The database also takes words for equal that differ in accents or closing blanks: those are others.
        new = {key: row for row in page.rows if (key := str(row.get("sku") or "").casefold()) in rest}
        found |= new
        if not new or not page.is_full:
            break
        rest = {key: sku for key, sku in rest.items() if key not in new}
    return found
