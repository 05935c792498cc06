"""The tax sections of an order: applied taxes, taxes per item, and their rows.

As recorded: a rate whose tax is 0 in all is missing (``orders/007-order-coupon-percent``), one with an
amount keeps its entries of 0 (``orders/025-order-free-shipping-method``); shipping comes first.
``base_amount`` is the tax in base currency, not the taxed amount.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from bridge.sandbox.magento.cart import CartLine
from bridge.sandbox.magento.rest import Raw
from bridge.sandbox.magento.taxes import Rate, shown
from bridge.sandbox.magento.totals import Charge, Totals


@dataclass
class TaxNumbers:
    """The last ``tax_id`` and ``tax_item_id`` given."""

    tax: int = 0
    item: int = 0

    def see(self, order: Raw) -> None:
        """Go on after the numbers of ``order``."""
        extension = order["extension_attributes"]
        self.tax = max([self.tax, *(row["tax_id"] for row in extension["taxes"])])
        rows = [*extension["additional_itemized_taxes"]]
        for line in order["items"]:
            rows.extend(line["extension_attributes"]["itemized_taxes"])
        self.item = max([self.item, *(row["tax_item_id"] for row in rows)])


@dataclass
class OrderTaxes:
    """The sections, as they stand in ``extension_attributes``."""

    applied: list[Raw] = field(default_factory=list)
    by_item: list[Raw] = field(default_factory=list)
    rows: list[Raw] = field(default_factory=list)
    shipping: list[Raw] = field(default_factory=list)
    #: ``itemized_taxes`` of the lines.
    lines: list[Raw] = field(default_factory=list)


@dataclass(frozen=True)
class _Taxed:
    """A line (or the shipping, without an item id) with its tax in both currencies."""

    item_id: int | None
    local: Charge
    base: Charge


def order_taxes(
    local: Totals,
    base: Totals,
    *,
    order_id: int,
    first_line: int,
    lines: Sequence[CartLine],
    numbers: TaxNumbers,
) -> OrderTaxes:
    """Return the tax sections; lines are numbered from ``first_line``, parents before their parts."""
    item_ids = _item_ids(lines, first_line)
    charged = [_Taxed(item_ids[key], charge, base.charges[key]) for key, charge in local.charges.items()]
    charged.append(_Taxed(None, local.shipping, base.shipping))
    taxes = OrderTaxes()
    by_item: list[tuple[int, Raw]] = []
    for rate in _rates(charged):
        mine = [one for one in charged if one.local.rate == rate]
        if not any(one.local.amounts.tax for one in mine):
            continue
        numbers.tax += 1
        applied = _applied(
            rate, sum(one.local.amounts.tax for one in mine), sum(one.base.amounts.tax for one in mine)
        )
        taxes.applied.append(applied)
        taxes.rows.append(
            {
                "tax_id": numbers.tax,
                "order_id": order_id,
                **applied,
                "base_real_amount": applied["base_amount"],
                "priority": 0,
                "position": 0,
                "process": 0,
            }
        )
        for one in mine:
            numbers.item += 1
            by_item.append((one.item_id or 0, _by_item(rate, one)))
            (taxes.lines if one.item_id else taxes.shipping).append(_itemized(rate, one, numbers))
    taxes.by_item = [row for _, row in sorted(by_item, key=lambda pair: pair[0])]
    return taxes


def line_taxes(taxes: OrderTaxes, item_id: int) -> list[Raw]:
    """Return ``itemized_taxes`` of one line."""
    return [row for row in taxes.lines if row["item_id"] == item_id]


def _item_ids(lines: Sequence[CartLine], first: int) -> dict[tuple[int, int | None], int]:
    ids: dict[tuple[int, int | None], int] = {}
    for index, line in enumerate(lines):
        ids[index, None] = first
        for part in range(len(line.parts)):
            ids[index, part] = first + 1 + part
        first += 1 + len(line.parts)
    return ids


def _rates(charged: Sequence[_Taxed]) -> list[Rate]:
    """Return the rates in the order in which they first appear."""
    return list(dict.fromkeys(one.local.rate for one in charged if one.local.rate is not None))


def _applied(rate: Rate, amount: float, base_amount: float) -> Raw:
    return {
        "code": rate.code,
        "title": rate.code,
        "percent": shown(rate.percent),
        "amount": shown(amount),
        "base_amount": shown(base_amount),
    }


def _by_item(rate: Rate, one: _Taxed) -> Raw:
    applied = [_applied(rate, one.local.amounts.tax, one.base.amounts.tax)]
    if one.item_id is None:
        return {"type": "shipping", "applied_taxes": applied}
    return {"type": "product", "item_id": one.item_id, "applied_taxes": applied}


def _itemized(rate: Rate, one: _Taxed, numbers: TaxNumbers) -> Raw:
    amount, base_amount = shown(one.local.amounts.tax), shown(one.base.amounts.tax)
    row: Raw = {
        "tax_item_id": numbers.item,
        "tax_id": numbers.tax,
        "tax_code": rate.code,
        "tax_percent": shown(rate.percent),
        "amount": amount,
        "base_amount": base_amount,
        "real_amount": amount,
        "real_base_amount": base_amount,
        "taxable_item_type": "product" if one.item_id else "shipping",
    }
    if one.item_id:
        row["item_id"] = one.item_id
    return row
