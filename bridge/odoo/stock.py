"""Odoo's stock: quantities of many products at once, and what changed. Quantities are Decimals.

Facts: ``recordings/odoo/FACTS.md`` section 5. Quantities are in the product's own unit. What an order's lines have
delivered and reserved is in ``moves``, counts are in ``counts``, kits in ``kits``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

from bridge.errors import InvalidRecord
from bridge.odoo.client import OdooClient
from bridge.odoo.values import odoo_datetime, parse_datetime

QuantityField = Literal["qty_available", "virtual_available", "free_qty"]
QUANTITY_FIELDS: tuple[QuantityField, ...] = ("qty_available", "virtual_available", "free_qty")
#: Records asked for at once: a thousand products take Odoo less than half a second (``timing/medians``).
AT_ONCE = 1000
#: Models whose rows say which products' quantities changed: a product's own ``write_date`` does not move (RULES 5.2).
CHANGING_MODELS = ("stock.quant", "stock.move", "stock.move.line")
_SECOND = timedelta(seconds=1)
#: Floats of Odoo are cleaned of noise behind so many digits (``orders/order-tax-included-lines``).
_DIGITS = Decimal("0.000001")


@dataclass(frozen=True, kw_only=True)
class Warehouse:
    """A warehouse of Odoo."""

    id: int
    code: str
    name: str
    #: Where its goods for sale lie.
    stock_location_id: int
    #: The place that holds all of its places.
    view_location_id: int
    #: ``ship_only``, ``pick_ship``, ``pick_pack_ship``.
    delivery_steps: str


@dataclass(frozen=True, kw_only=True)
class ChangeCursor:
    """Where a scan of changed rows stands."""

    since: datetime
    #: Set while a second is read that has more rows than a page: those behind this id are left.
    after_id: int | None = None


@dataclass(frozen=True, kw_only=True)
class ChangePage:
    """One page of a scan."""

    #: The products whose rows changed.
    product_ids: frozenset[int]
    rows: int
    cursor: ChangeCursor
    is_last: bool


def warehouses(odoo: OdooClient) -> list[Warehouse]:
    """Return the warehouses."""
    fields = ["name", "code", "lot_stock_id", "view_location_id", "delivery_steps"]
    return [
        Warehouse(
            id=int(row["id"]),
            code=str(row["code"] or ""),
            name=str(row["name"] or ""),
            stock_location_id=link_of(row, "lot_stock_id"),
            view_location_id=link_of(row, "view_location_id"),
            delivery_steps=str(row["delivery_steps"] or "ship_only"),
        )
        for row in odoo.search_read("stock.warehouse", [], fields, order="id")
    ]


def quantities(
    odoo: OdooClient,
    product_ids: Iterable[int],
    field: QuantityField,
    *,
    warehouse_ids: Sequence[int] = (),
    location_ids: Sequence[int] = (),
) -> dict[int, Decimal]:
    """Return ``field`` of many products, together in these warehouses or places; of all warehouses where none is named.

    A product that is gone is missing, and on 18 and 19 every product where a warehouse is gone
    (``stock/qty-context-warehouse-unknown``). Goods whose stock Odoo does not keep show 0.
    """
    context = quantity_context(warehouse_ids=warehouse_ids, location_ids=location_ids)
    found: dict[int, Decimal] = {}
    for some in batches(product_ids):
        rows = odoo.read("product.product", some, [field], context=context)
        found |= {int(row["id"]): clean(row[field]) for row in rows}
    return found


def quantity_context(
    *, warehouse_ids: Sequence[int] = (), location_ids: Sequence[int] = ()
) -> dict[str, Any]:
    """Return the context for quantities of some warehouses or places, in every version.

    A key of another version is silently ignored and the total of all comes back, so both are sent
    (``stock/qty-context-warehouse``, ``stock/qty-context-warehouse-id``).
    """
    if warehouse_ids and location_ids:
        raise ValueError("quantities are asked for by warehouses or by places, not by both")
    if warehouse_ids:
        ids = [int(one) for one in warehouse_ids]
        return {"warehouse": ids, "warehouse_id": ids}
    return {"location": [int(one) for one in location_ids]} if location_ids else {}


def heeds_warehouses(odoo: OdooClient) -> bool | None:
    """Return whether this Odoo tells quantities apart by warehouse as asked, None where no product can show it.

    A product that lies in one warehouse must not show the same in another. Two calls for readiness, not for each export.
    """
    all_of_them = warehouses(odoo)
    if len(all_of_them) < 2:
        return None
    for here, other in zip(all_of_them, reversed(all_of_them), strict=True):
        if here.id == other.id:
            continue
        domain = [["location_id", "child_of", here.view_location_id], ["quantity", ">", 0]]
        rows = odoo.search_read("stock.quant", domain, ["product_id", "quantity"], limit=1)
        if not rows:
            continue
        product = link_of(rows[0], "product_id")
        seen = [
            quantities(odoo, [product], "qty_available", warehouse_ids=ids).get(product)
            for ids in ([here.id], [other.id], [])
        ]
        inside, beside, total = seen
        if inside is not None and beside is not None and total is not None:
            return inside + beside <= total if len(all_of_them) > 2 else inside + beside == total
    return None


def units(odoo: OdooClient, product_ids: Iterable[int]) -> dict[int, str]:
    """Return the name of the unit that each product's quantities are in."""
    found: dict[int, str] = {}
    for some in batches(product_ids):
        for row in odoo.read("product.product", some, ["uom_id"]):
            unit = row["uom_id"]
            found[int(row["id"])] = str(unit[1]) if isinstance(unit, list) and len(unit) > 1 else ""
    return found


def scan_changes(
    odoo: OdooClient, model: str, cursor: ChangeCursor, *, page_size: int = AT_ONCE
) -> ChangePage:
    """Return one page of the rows of ``model`` (``CHANGING_MODELS``) changed since the cursor, oldest change first.

    Rows may come twice, never not at all; begin a scan earlier than the last one ended by the longest transaction,
    as ``write_date`` is its start (``timing/write-date-is-transaction-start``).
    """
    if cursor.after_id is not None:
        return _rest_of_second(odoo, model, cursor, cursor.after_id, page_size)
    domain = [["write_date", ">=", odoo_datetime(cursor.since)]]
    rows = odoo.search_read(
        model, domain, ["product_id", "write_date"], order="write_date asc, id asc", limit=page_size
    )
    if len(rows) < page_size:
        return _page(rows, cursor, is_last=True)
    last = moment_of(rows[-1])
    if last > cursor.since:
        return _page(rows, ChangeCursor(since=last), is_last=False)
    # Microseconds order the rows of one second, and we cannot name them: this second is read by id.
    return _page(rows, ChangeCursor(since=cursor.since, after_id=0), is_last=False)


def clean(value: Any) -> Decimal:
    """Return a number that Odoo sent without the noise of its floats.

    Raises:
        InvalidRecord: it is no number.
    """
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or not Decimal(value).is_finite():
        raise InvalidRecord("Odoo's quantity is no number.", system="odoo", field="quantity")
    exact = Decimal(value)
    rounded = exact.quantize(_DIGITS) if abs(exact) < Decimal(10) ** 15 else exact
    whole = rounded.to_integral_value()
    return whole.quantize(Decimal(1)) if rounded == whole else rounded.normalize()


def _rest_of_second(
    odoo: OdooClient, model: str, cursor: ChangeCursor, after_id: int, page_size: int
) -> ChangePage:
    domain = [
        ["write_date", ">=", odoo_datetime(cursor.since)],
        ["write_date", "<", odoo_datetime(cursor.since + _SECOND)],
        ["id", ">", after_id],
    ]
    rows = odoo.search_read(model, domain, ["product_id", "write_date"], order="id asc", limit=page_size)
    if len(rows) < page_size:
        return _page(rows, ChangeCursor(since=cursor.since + _SECOND), is_last=False)
    return _page(rows, ChangeCursor(since=cursor.since, after_id=int(rows[-1]["id"])), is_last=False)


def _page(rows: Sequence[Mapping[str, Any]], cursor: ChangeCursor, *, is_last: bool) -> ChangePage:
    if is_last and rows:
        cursor = ChangeCursor(since=max(cursor.since, moment_of(rows[-1])))
    products = frozenset(link_of(row, "product_id") for row in rows if row["product_id"])
    return ChangePage(product_ids=products, rows=len(rows), cursor=cursor, is_last=is_last)


def moment_of(row: Mapping[str, Any]) -> datetime:
    """Return when a row was changed."""
    moment = parse_datetime(row["write_date"])
    if moment is None:
        raise InvalidRecord("Odoo's write_date is no time.", system="odoo", field="write_date")
    return moment


def link_of(row: Mapping[str, Any], name: str) -> int:
    """Return the id that a many2one of a row leads to."""
    value = row[name]
    if not isinstance(value, list) or not value:
        raise InvalidRecord(f"Odoo's row has no {name}.", system="odoo", field=name)
    return int(value[0])


def batches(ids: Iterable[int]) -> Iterator[list[int]]:
    """Yield ids in batches for one call each."""
    wanted = sorted({int(one) for one in ids})
    for start in range(0, len(wanted), AT_ONCE):
        yield wanted[start : start + AT_ONCE]
