"""What both sides of an order have now, as the baseline that a person agreed to; pure.

An order that was changed in Magento, and by hand in Odoo, is compared from there on: its lines, prices, taxes, totals,
buyer and cancelled units. Addresses, comments, states and holds are carried over as ever, so they are not agreed to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from bridge.translate.magento_records import MagentoOrder
from bridge.translate.money import ZERO, plain
from bridge.translate.order_snapshot import snapshot

#: Marks and fields that the next update carries over by itself.
_CARRIED_MARKS = ("billing", "delivery", "notes")
_CARRIED_FIELDS = ("state", "status")


@dataclass(frozen=True, kw_only=True)
class OdooLine:
    """A line of the sales order as Odoo has it."""

    id: int
    product_id: int | None
    name: str
    quantity: Decimal


@dataclass(frozen=True, kw_only=True)
class LineChange:
    """A line of the sales order that is not as the bridge last knew it."""

    line_id: int
    name: str
    was: Decimal
    #: None: it is not there any more.
    now: Decimal | None


def agreed_snapshot(
    before: Mapping[str, Any] | None, raw: Mapping[str, Any], order: MagentoOrder
) -> dict[str, Any]:
    """Return the snapshot of ``raw`` whose rest, what is carried over by itself, is still that of ``before``."""
    now = snapshot(raw, order)
    if before is None:
        return now
    kept = {name: before["marks"][name] for name in _CARRIED_MARKS if name in before["marks"]}
    fields = {name: before["order"][name] for name in _CARRIED_FIELDS if name in before["order"]}
    return {**now, "marks": {**now["marks"], **kept}, "order": {**now["order"], **fields}}


def line_changes(
    items: Mapping[str, Sequence[Mapping[str, Any]]],
    lines: Sequence[OdooLine],
    expected: Mapping[int, Decimal],
) -> list[LineChange]:
    """Return which lines of the sales order differ from what the bridge knows of them.

    Args:
        items: The binding's ``order_items_json``.
        lines: The lines as Odoo has them.
        expected: What cancelled units left of lines, by their ids.
    """
    known = {
        int(part["line_id"]): Decimal(str(part["quantity"]))
        for parts in items.values()
        for part in parts
        if part.get("line_id")
    }
    known |= {line_id: quantity for line_id, quantity in expected.items() if line_id in known}
    there = {line.id: line for line in lines}
    return [
        LineChange(line_id=line_id, name=there[line_id].name if line_id in there else "", was=was, now=now)
        for line_id, was in known.items()
        if (now := there[line_id].quantity if line_id in there else None) != was
    ]


def agreed_items(
    items: Mapping[str, Sequence[Mapping[str, Any]]],
    order: MagentoOrder,
    lines: Sequence[OdooLine],
    *,
    cancelled: Mapping[int, Decimal],
    products: Mapping[int, int],
) -> dict[str, list[dict[str, Any]]]:
    """Return the binding's ``order_items_json`` by what Odoo has now.

    Quantities count with the units that are cancelled by now, as they were ordered: what is cancelled later lowers what
    is there. A Magento line that is new belongs to the one line of Odoo that is new with its product; of none or several it
    has no line.

    Args:
        items: The binding's ``order_items_json`` until now.
        order: The order as Magento has it.
        lines: The lines as Odoo has them.
        cancelled: Cancelled units by Magento's item id.
        products: The Odoo product of Magento's items, by item id, as far as it is bound.
    """
    there = {line.id: line for line in lines}
    taken = {int(part["line_id"]) for parts in items.values() for part in parts if part.get("line_id")}
    agreed: dict[str, list[dict[str, Any]]] = {}
    for item in order.items:
        if str(item.item_id) in items:
            parts = [
                {**part, "quantity": plain(there[int(part["line_id"])].quantity)}
                for part in items[str(item.item_id)]
                if part.get("line_id") and int(part["line_id"]) in there
            ]
        else:
            new = [
                one
                for one in lines
                if one.id not in taken
                and one.product_id is not None
                and one.product_id == products.get(item.item_id)
            ]
            parts = [
                {"line": f"accepted_{one.id}", "quantity": plain(one.quantity), "line_id": one.id}
                for one in new
            ]
            parts = parts if len(parts) == 1 else []
        if parts:
            # Units are taken from the last part first.
            ordered = Decimal(str(parts[-1]["quantity"])) + cancelled.get(item.item_id, ZERO)
            parts[-1] = {**parts[-1], "quantity": plain(ordered)}
        agreed[str(item.item_id)] = parts
    return agreed
