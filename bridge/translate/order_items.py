"""Which order lines a Magento line became, told anew from the lines in Odoo: for bindings after a lost ledger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from bridge.translate.magento_records import MagentoOrder
from bridge.translate.money import ZERO, plain
from bridge.translate.order_diff import reduced_quantities
from bridge.translate.order_lines import sold_items


@dataclass(frozen=True, kw_only=True)
class StoredLine:
    """An order line in Odoo."""

    id: int
    quantity: Decimal


def rebuilt_order_items(
    order: MagentoOrder, lines: Mapping[str, StoredLine]
) -> dict[str, list[dict[str, Any]]]:
    """Return ``order_items_json`` of an order's binding as its import wrote it.

    ``lines`` are Odoo's by the key of their external id. Quantities are those that were ordered: where units have been
    taken off in Odoo since, they are put back on the last line. That is how cancellations are taken, from the last
    one on, so every later one comes to the same, also where the lines were cut otherwise.

    Raises:
        OrderUnclear: the order cannot be read.
    """
    found: dict[int, list[dict[str, Any]]] = {item.item_id: [] for item in order.items}
    for sold in sold_items(order):
        keys = _keys(f"item_{sold.item.item_id}", lines)
        quantities = _as_ordered([lines[key].quantity for key in keys], sold.item.qty_ordered)
        for key, quantity in zip(keys, quantities, strict=True):
            part = {"line": key, "quantity": plain(quantity), "line_id": lines[key].id}
            for item_id in sold.item_ids:
                found[item_id].append(part)
    return {str(item_id): parts for item_id, parts in sorted(found.items())}


def _keys(base: str, lines: Mapping[str, StoredLine]) -> list[str]:
    """Return the keys of the lines that a draft was cut in, in their order."""
    rest = {key: key.removeprefix(f"{base}_") for key in lines if key.startswith(f"{base}_")}
    pieces = sorted((int(number), key) for key, number in rest.items() if number.isdecimal())
    return [base] * (base in lines) + [key for _, key in pieces]


def _as_ordered(left: list[Decimal], ordered: Decimal) -> list[Decimal]:
    missing = ordered - sum(left, ZERO)
    if not left or not missing:
        return left
    if missing < 0:
        return reduced_quantities(left, -missing)
    return [*left[:-1], left[-1] + missing]
