"""What to push so that Magento's salable quantity is right, term by term (RULES 3). Pure; all quantities are Decimal.

Open units of Magento are its reservations; Odoo's figure lacks units that it delivered, reserved or plans to. The
difference is what Odoo does not know of yet: it must not be sold twice, and what Magento holds back itself must not be
held back twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Literal

from bridge.errors import InvalidRecord
from bridge.translate.kits import Part, kits_at_most, kits_unknown
from bridge.translate.money import ZERO, plain, round_to

QuantityField = Literal["qty_available", "virtual_available", "free_qty"]
Formula = Literal["reservation_aware", "plain"]
#: Digits that Magento keeps of a quantity (``decimal(12,4)``), and the first number that it cannot keep.
QUANTITY_DIGITS = 4
TOO_LARGE = Decimal("1e8")


@dataclass(frozen=True, kw_only=True)
class OdooMoves:
    """What Odoo has done, and plans to do, for one line: in the product's own unit."""

    #: Done, gross of returns; dropshipped units never count (RULES 3.7).
    delivered: Decimal = ZERO
    #: Reserved by open moves of the line's chain.
    reserved: Decimal = ZERO
    #: Demanded by open moves, each unit once.
    planned: Decimal = ZERO

    def lacking(self, field: QuantityField) -> Decimal:
        """Return D: the units of the line that Odoo's ``field`` already lacks."""
        if field == "free_qty":
            return self.delivered + self.reserved
        if field == "virtual_available":
            return self.delivered + self.planned
        return self.delivered


@dataclass(frozen=True, kw_only=True)
class SoldLine:
    """One line of a Magento order, as the formula counts it."""

    #: What people call the order.
    order: str
    #: R: open in Magento, by events in time order; negative where Magento went wrong (RULES 3).
    open: Decimal
    #: X: shipped in Magento since the stock opening.
    shipped: Decimal
    #: D: what the chosen field of Odoo already lacks.
    lacking: Decimal
    #: Magento's stock that the order was sold from; None where there is one only.
    stock_id: int | None = None
    #: Whether the line is of the SKU that is pushed, and not of another one for the same Odoo product.
    is_own: bool = True

    @property
    def unknown(self) -> Decimal:
        """U: units that Odoo does not know of yet."""
        return max(ZERO, max(ZERO, self.open) + self.shipped - self.lacking)

    def of_part(self, units: Decimal, *, lacking: Decimal) -> SoldLine:
        """Return what a kit's line is of one of its parts, of which a kit has so many ``units``."""
        return replace(
            self, open=self.open * units, shipped=self.shipped * units, lacking=lacking, is_own=False
        )


@dataclass(frozen=True, kw_only=True)
class StockRules:
    """The settings that decide about a figure."""

    formula: Formula = "reservation_aware"
    field: QuantityField = "free_qty"
    safety: Decimal = ZERO
    #: Where the safety stock was set: ``product``, ``category``, ``source``, ``instance``.
    safety_from: str = "instance"
    #: False for a shop that switched Magento's reservations off: then it holds nothing back itself.
    has_reservations: bool = True
    #: Stocks that the source is linked to; several share it (RULES 3.4).
    stock_ids: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class StockFigure:
    """A figure for one SKU and source with every term that it is made of."""

    rules: StockRules
    #: The chosen field of Odoo, or this source's share of it; of a kit at most what its parts make.
    odoo: Decimal
    lines: tuple[SoldLine, ...]
    #: max(0, field - safety).
    available: Decimal
    #: What is added for units that Magento holds back itself; of a shared source the smallest of its stocks.
    reserved: Decimal
    #: What is taken off for units that Odoo does not know of yet.
    unknown: Decimal
    #: Q: what Magento should have; also the target of the drift check (RULES 3.6).
    quantity: Decimal
    #: Of a kit.
    parts: tuple[Part, ...] = ()

    def salable(self, stock_id: int | None = None, *, threshold: Decimal = ZERO) -> Decimal:
        """Return what a stock with this source alone then sells: Q - R - Magento's own threshold."""
        return self.quantity - _reserved_in(self.rules, self.lines, stock_id) - threshold

    @property
    def lost_to_safety(self) -> Decimal:
        """Units that the safety stock keeps back."""
        return max(ZERO, self.odoo) - self.available

    def as_data(self) -> dict[str, Any]:
        """Return the figure with its terms as text, for a screen."""
        return {
            "formula": self.rules.formula,
            "field": self.rules.field,
            "odoo": plain(self.odoo),
            "safety_stock": plain(self.rules.safety),
            "safety_stock_from": self.rules.safety_from,
            "available": plain(self.available),
            "reserved_in_magento": plain(self.reserved),
            "unknown_to_odoo": plain(self.unknown),
            "target": plain(self.quantity),
            **({"parts": [part.as_data() for part in self.parts]} if self.parts else {}),
            "lines": [
                {
                    "order": line.order,
                    "open": plain(line.open),
                    "shipped": plain(line.shipped),
                    "odoo_lacks": plain(line.lacking),
                    "unknown_to_odoo": plain(line.unknown),
                    "stock": line.stock_id,
                }
                for line in self.lines
            ],
        }


def figure(
    odoo: Decimal, lines: Sequence[SoldLine], rules: StockRules, *, parts: Sequence[Part] = ()
) -> StockFigure:
    """Return Q with its terms.

    One stock: max(0, max(0, field - safety) + sum(R - U)). A source that several stocks share: the units unknown to Odoo of
    all of them are taken off, and the smallest sum of reservations of one stock is added, so that no stock offers too
    much (RULES 3.4). Where reservations are switched off nothing is added: Magento holds nothing back.

    A kit is what its parts make: what Odoo does not know of is missing in the parts, whichever line sold them.
    """
    if parts:
        odoo = kits_at_most(odoo, parts)
    available = max(ZERO, odoo - rules.safety)
    if rules.formula == "plain":
        reserved = unknown = ZERO
    else:
        unknown = kits_unknown(odoo, parts) if parts else sum((line.unknown for line in lines), ZERO)
        # Lines of the stocks that sell from the source; where that is not known, all are of the one there is.
        stocks: Sequence[int | None] = rules.stock_ids if len(rules.stock_ids) > 1 else (None,)
        reserved = min(_reserved_in(rules, lines, stock_id) for stock_id in stocks)
    return StockFigure(
        rules=rules,
        odoo=odoo,
        lines=tuple(lines),
        available=available,
        reserved=reserved,
        unknown=unknown,
        quantity=max(ZERO, round_to(available - unknown + reserved, QUANTITY_DIGITS)),
        parts=tuple(parts),
    )


def _reserved_in(rules: StockRules, lines: Sequence[SoldLine], stock_id: int | None) -> Decimal:
    if not rules.has_reservations:
        return ZERO
    return sum(
        (line.open for line in lines if line.is_own and stock_id in (None, line.stock_id)),
        ZERO,
    )


def checked_quantity(value: object, *, sku: str) -> Decimal:
    """Return a quantity of Odoo as an exact number of at most the digits that Magento keeps.

    Raises:
        InvalidRecord: it is none, not finite, or larger than Magento can keep.
    """
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise InvalidRecord(
            f"Odoo's quantity of {sku} is no number.", system="odoo", reason="quantity", sku=sku
        )
    number = Decimal(value)
    if not number.is_finite() or abs(number) >= TOO_LARGE:
        raise InvalidRecord(
            f"Odoo's quantity of {sku} is {number}: Magento cannot keep it.",
            system="odoo",
            reason="quantity",
            sku=sku,
        )
    # Odoo's sums are floats: 6.999999999997 is 7.
    return round_to(number, QUANTITY_DIGITS)


@dataclass(frozen=True, kw_only=True)
class MagentoRow:
    """A source item as Magento has it."""

    #: As Magento spells it: it takes any case for the same SKU.
    sku: str
    quantity: Decimal
    status: int
    #: Whether a status 0 may be a person's doing; the classic endpoint says of some that it is not.
    may_be_off_by_hand: bool = True


@dataclass(frozen=True, kw_only=True)
class Push:
    """What is written for one SKU, if anything."""

    sku: str
    quantity: Decimal
    status: int
    #: A person switched the row off in Magento after the bridge had it on: it stays so (RULES 3.3).
    is_kept_off: bool = False
    #: Whether it differs from what Magento has as last read (RULES 3.5).
    is_change: bool = True


def push(sku: str, quantity: Decimal, *, has: MagentoRow | None, was_on: bool) -> Push:
    """Return what to write for a SKU whose row in Magento is ``has``.

    ``was_on`` says whether the bridge itself wrote the row with status 1 before. A status 0 after that was set by hand; on a row
    that the bridge never wrote it is only the default.
    """
    if has is None:
        return Push(sku=sku, quantity=quantity, status=1)
    is_kept_off = has.status == 0 and was_on and has.may_be_off_by_hand
    status = 0 if is_kept_off else 1
    is_change = (has.quantity, has.status) != (quantity, status)
    return Push(sku=has.sku, quantity=quantity, status=status, is_kept_off=is_kept_off, is_change=is_change)


@dataclass(frozen=True, kw_only=True)
class Safety:
    """A safety stock and where it was set."""

    quantity: Decimal
    where: str


def safety_for(
    overrides: Mapping[tuple[str, str], Decimal],
    *,
    default: Decimal,
    source: str,
    product: str,
    categories: Sequence[str],
) -> Safety:
    """Return the safety stock that holds: of the product, else of its nearest category, the source, the instance.

    ``categories`` are the product's own category and those above it, the nearest first.
    """
    for scope, key in (
        ("product", product),
        *(("category", one) for one in categories),
        ("source", source),
    ):
        found = overrides.get((scope, key))
        if found is not None:
            return Safety(quantity=found, where=scope)
    return Safety(quantity=default, where="instance")
