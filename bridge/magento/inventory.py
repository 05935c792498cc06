"""Magento's source items: what each source has of each SKU, read and written in batches. Quantities are Decimals.

Facts: ``recordings/magento/FACTS.md`` section 6. Magento checks almost nothing here (an unknown SKU and a negative
quantity are stored), refuses a whole batch for one bad row without naming it, and finds SKUs whatever their case.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from bridge.errors import BridgeError, InvalidRecord, ServiceRejected
from bridge.magento.client import MagentoClient
from bridge.magento.encoding import json_bytes
from bridge.magento.faults import parse_json
from bridge.magento.lists import read_list
from bridge.magento.rows import FirstPage
from bridge.magento.search import MAX_FILTERS, Filter, short_batches

SOURCE_ITEMS = "/inventory/source-items"
#: Rows read or written at once; Magento gets slow beyond two thousand (magento/inventory#2306).
BATCH = 500
#: In stock and out of stock, as a source item's ``status``.
IN_STOCK, OUT_OF_STOCK = 1, 0
#: The longest SKU that Magento keeps (``catalog/079-product-post-long-sku``).
MAX_SKU_CHARACTERS = 64
#: Magento's column is decimal(12,4).
MAX_QUANTITY = Decimal("99999999.9999")
QUANTITY_DIGITS = 4

_FIELDS = "items[sku,source_code,quantity,status],total_count"
#: Encoded characters of one list of SKUs: the rest of the query takes about a thousand of the seven that are safe.
_SKU_CHARACTERS = 5700
_SOURCE_CHARACTERS = 400


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceItem:
    """What one source has of one SKU."""

    sku: str
    source_code: str
    quantity: Decimal
    #: 1 in stock, 0 out of stock: then the row counts nothing, whatever its quantity.
    status: int = IN_STOCK


@dataclass(frozen=True, kw_only=True)
class SourceItemPage:
    """One page of a source's items, by SKU in the order of Magento's database."""

    items: Sequence[SourceItem]
    #: The SKU to go on behind; None after the last page.
    after: str | None


def source_items(
    magento: MagentoClient, skus: Iterable[str], source_codes: Iterable[str]
) -> dict[tuple[str, str], SourceItem]:
    """Return the source items of these SKUs in these sources, by (SKU as asked for, source code).

    A row that is not there is missing. The item's own ``sku`` is as Magento spells it. A comma ends a value in a list
    of them and blanks around one are lost, so SKUs that have such are asked for one by one, ten in a call.
    """
    wanted = list(dict.fromkeys(sku for sku in skus if sku.strip()))
    codes = sorted(set(source_codes))
    found: dict[tuple[str, str], SourceItem] = {}
    if not codes:
        return found
    for some_codes in short_batches(codes, BATCH, characters=_SOURCE_CHARACTERS):
        in_sources = Filter("source_code", ",".join(some_codes), "in")
        plain = [sku for sku in wanted if _is_plain(sku)]
        others = [sku for sku in wanted if not _is_plain(sku)]
        for batch in short_batches(plain, max(1, BATCH // len(some_codes)), characters=_SKU_CHARACTERS):
            found |= _read(magento, batch, [Filter("sku", ",".join(batch), "in"), in_sources])
        for batch in short_batches(others, MAX_FILTERS, characters=_SKU_CHARACTERS):
            found |= _read(magento, batch, [[Filter("sku", sku) for sku in batch], in_sources])
    spelled: dict[str, list[str]] = {}
    for sku in wanted:
        spelled.setdefault(sku.casefold(), []).append(sku)
    return {(sku, code): item for (key, code), item in found.items() for sku in spelled.get(key, ())}


def sweep_source_items(
    magento: MagentoClient, source_code: str, *, after: str | None = None, page_size: int = BATCH
) -> SourceItemPage:
    """Return one page of all items of a source, those behind the SKU ``after``: for a full export and for drift."""
    page = read_list(
        magento,
        SOURCE_ITEMS,
        key="sku",
        fields=("source_code", "quantity", "status"),
        after=after,
        filters=(Filter("source_code", source_code),),
        page_size=page_size,
    )
    return SourceItemPage(
        items=[_item(row) for row in page.rows], after=None if page.after is None else str(page.after)
    )


def write_source_items(magento: MagentoClient, items: Sequence[SourceItem]) -> None:
    """Set the quantities of ``items`` in one call: all or none. Absolute, so it may be repeated.

    Raises:
        ServiceRejected: Magento refused the batch and did not say which row is at fault (``is_refused_batch``), or
            takes fewer rows at once (``batch_limit``), or a row cannot be right (``reason="source_item"``, nothing
            was sent).
    """
    insist_on_right(items)
    if items:
        magento.post(SOURCE_ITEMS, source_items_body(items))


def insist_on_right(items: Iterable[SourceItem]) -> None:
    """Refuse rows that Magento would store although they cannot be right.

    Raises:
        ServiceRejected: the first of them, with its SKU and ``reason="source_item"``.
    """
    for item in items:
        problem = problem_of(item)
        if problem is not None:
            raise ServiceRejected(
                f"A quantity cannot be sent to Magento: {problem}.",
                system="magento",
                reason="source_item",
                sku=item.sku,
                source_code=item.source_code,
            )


def delete_source_items(magento: MagentoClient, keys: Iterable[tuple[str, str]]) -> None:
    """Delete the source items of these (SKU, source code); what is not there is no error."""
    rows = [{"sku": sku, "source_code": code} for sku, code in keys]
    if rows:
        magento.post(f"{SOURCE_ITEMS}-delete", {"sourceItems": rows})


def encode_source_items(items: Sequence[SourceItem]) -> bytes:
    """Return the body that ``write_source_items`` sends, to be kept with an effect."""
    return json_bytes(source_items_body(items))


def source_items_body(items: Sequence[SourceItem]) -> dict[str, Any]:
    """Return the body of a call that sets the quantities of ``items``."""
    return {
        "sourceItems": [
            {
                "sku": item.sku,
                "source_code": item.source_code,
                "quantity": item.quantity,
                "status": item.status,
            }
            for item in items
        ]
    }


def decode_source_items(body: bytes) -> list[SourceItem]:
    """Return the items of a kept body."""
    content = parse_json(body)
    return [_item(row) for row in content["sourceItems"]]


def problem_of(item: SourceItem) -> str | None:
    """Return in plain English why Magento must not get this row, None if nothing speaks against it.

    Magento itself would take a negative quantity and cut one that is too large or too fine.
    """
    sku, quantity = item.sku, item.quantity
    if not sku.strip():
        return "the SKU is empty"
    if not quantity.is_finite():
        return f"the quantity of {sku} is no number"
    problems = (
        (len(sku) > MAX_SKU_CHARACTERS, f"the SKU {sku} is longer than {MAX_SKU_CHARACTERS} characters"),
        (not item.source_code.strip(), f"no source is named for {sku}"),
        (quantity < 0, f"the quantity of {sku} is below zero ({quantity:f})"),
        (quantity > MAX_QUANTITY, f"the quantity of {sku} is larger than Magento can keep ({quantity:f})"),
        (
            quantity != round(quantity, QUANTITY_DIGITS),
            f"the quantity of {sku} has more than {QUANTITY_DIGITS} digits ({quantity:f})",
        ),
    )
    return next((text for is_so, text in problems if is_so), None)


def batch_limit(error: BridgeError) -> int | None:
    """Return how many rows the shop takes at once, where that is why it refused (``errors/028-limit-array-over-20``)."""
    if not isinstance(error, ServiceRejected) or error.details.get("reason") != "array_size":
        return None
    return int(error.details["maximum"])


def is_refused_batch(error: BridgeError) -> bool:
    """Return whether Magento refused the batch for a row of it, so that halving it finds the row."""
    return isinstance(error, ServiceRejected) and error.details.get("reason") == "refused"


def _is_plain(sku: str) -> bool:
    return "," not in sku and sku == sku.strip()


def _read(
    magento: MagentoClient, batch: Sequence[str], filters: Sequence[Filter | Sequence[Filter]]
) -> dict[tuple[str, str], SourceItem]:
    wanted = {sku.casefold() for sku in batch}
    page: FirstPage = magento.page(
        SOURCE_ITEMS, filters, sort=("sku", "source_code"), page_size=BATCH, fields=_FIELDS
    )
    items = [_item(row) for row in page.rows]
    # The database also takes words for equal that differ in accents or closing blanks: those are others.
    found = {(item.sku.casefold(), item.source_code): item for item in items if item.sku.casefold() in wanted}
    if not page.is_full or page.total <= len(page.rows):
        return found
    if len(batch) == 1:
        raise InvalidRecord(
            f"Magento has more rows of {batch[0]} than it shows at once.", system="magento", field="sku"
        )
    # The shop shows fewer rows at once than were asked for: as many SKUs as fit one page, if all have as many rows.
    fit = max(1, len(page.rows) * len(batch) // page.total)
    for start in range(0, len(batch), fit):
        some = batch[start : start + fit]
        found |= _read(magento, some, [_narrowed(filters[0], some), *filters[1:]])
    return found


def _narrowed(condition: Filter | Sequence[Filter], skus: Sequence[str]) -> Filter | Sequence[Filter]:
    if isinstance(condition, Filter):
        return Filter("sku", ",".join(skus), "in")
    return [Filter("sku", sku) for sku in skus]


def _item(row: Mapping[str, Any]) -> SourceItem:
    sku, code = row.get("sku"), row.get("source_code")
    if not isinstance(sku, str) or not isinstance(code, str):
        raise InvalidRecord("Magento's source item has no SKU or no source.", system="magento", field="sku")
    status = row.get("status")
    return SourceItem(
        sku=sku,
        source_code=code,
        quantity=read_quantity(row.get("quantity"), of=sku),
        status=IN_STOCK if status in {1, "1"} else OUT_OF_STOCK,
    )


def read_quantity(value: object, *, of: str) -> Decimal:
    """Return a quantity that Magento sent, as it was written; numbers never pass through a float.

    Raises:
        InvalidRecord: it is no number.
    """
    try:
        quantity = Decimal(value) if isinstance(value, int | str | Decimal) else None
    except InvalidOperation:
        quantity = None
    if quantity is None or isinstance(value, bool) or not quantity.is_finite():
        raise InvalidRecord(f"Magento's quantity of {of} is no number.", system="magento", field="quantity")
    return quantity
