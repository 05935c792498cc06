"""Counting goods in Odoo: an inventory adjustment in two steps, the count and its application (RULES 2.1)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from bridge.odoo.client import OdooClient
from bridge.odoo.load import LoadRequest
from bridge.odoo.stock import batches, clean, link_of, moment_of

_APART = ("lot_id", "package_id", "owner_id")
_FIELDS = [
    *("product_id", "location_id", "quantity", "reserved_quantity", "write_date"),
    *("inventory_quantity", "inventory_quantity_set"),
    *_APART,
]


@dataclass(frozen=True, kw_only=True)
class Quant:
    """What lies of a product in one place, and what was counted of it."""

    id: int
    product_id: int
    location_id: int
    quantity: Decimal
    reserved: Decimal
    #: A count that waits to be applied; None where there is none.
    counted: Decimal | None
    changed_at: datetime
    #: Of a lot, in a package or somebody else's: other quants of the product may lie in the same place.
    is_kept_apart: bool = False


@dataclass(frozen=True, kw_only=True)
class Count:
    """A quantity to be counted for a product in a place."""

    #: External id without its module: it names this count, so that the same count is loaded once.
    key: str
    product_id: int
    location_id: int
    quantity: Decimal


def quants(
    odoo: OdooClient, product_ids: Iterable[int], location_id: int, *, within: bool = False
) -> list[Quant]:
    """Return what lies of these products in one place itself, with the counts that wait to be applied.

    ``within`` asks for the places inside it, too.
    """
    operator = "child_of" if within else "="
    found: list[Quant] = []
    for some in batches(product_ids):
        domain = [["product_id", "in", some], ["location_id", operator, location_id]]
        found += [_quant(row) for row in odoo.search_read("stock.quant", domain, _FIELDS, order="id")]
    return found


def quants_by_id(odoo: OdooClient, quant_ids: Iterable[int]) -> list[Quant]:
    """Return these quants as they are now; one that is gone is missing: Odoo merges quants and drops empty ones."""
    found: list[Quant] = []
    for some in batches(quant_ids):
        found += [_quant(row) for row in odoo.search_read("stock.quant", [["id", "in", some]], _FIELDS)]
    return found


def count_request(counts: Iterable[Count], *, module: str) -> LoadRequest:
    """Return the ``load`` that enters counts; it moves nothing until they are applied (RULES 2.1)."""
    return LoadRequest(
        model="stock.quant",
        fields=("id", "product_id/.id", "location_id/.id", "inventory_quantity"),
        rows=tuple(
            (f"{module}.{one.key}", str(one.product_id), str(one.location_id), f"{one.quantity:f}")
            for one in counts
        ),
    )


def apply_counts(odoo: OdooClient, quant_ids: Sequence[int]) -> list[int]:
    """Make the counted quantities the real ones where a count is set, as just read; return those quants.

    **19 would set the stock to 0 where no count is set** (``rules/stock-apply-inventory-twice``).
    """
    rows = odoo.read("stock.quant", quant_ids, ["inventory_quantity_set"])
    due = [int(row["id"]) for row in rows if row["inventory_quantity_set"]]
    if due:
        odoo.call("stock.quant", "action_apply_inventory", due, context={"inventory_mode": True})
    return due


def _quant(row: Mapping[str, Any]) -> Quant:
    is_counted = bool(row["inventory_quantity_set"])
    return Quant(
        id=int(row["id"]),
        product_id=link_of(row, "product_id"),
        location_id=link_of(row, "location_id"),
        quantity=clean(row["quantity"]),
        reserved=clean(row["reserved_quantity"]),
        counted=clean(row["inventory_quantity"]) if is_counted else None,
        changed_at=moment_of(row),
        is_kept_apart=any(row.get(name) for name in _APART),
    )
