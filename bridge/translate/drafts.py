"""Drafts of order lines: what each must amount to, before a unit price is found that Odoo can keep."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from bridge.translate.money import ZERO
from bridge.translate.odoo_totals import OdooTax
from bridge.translate.order_book import MappingKey
from bridge.translate.plan_records import Role


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A line to be: its amount is right, its price is not yet found."""

    key: str
    role: Role
    product_id: int
    name: str
    quantity: Decimal
    #: What the line must amount to on its price basis: with tax where the mapped taxes are inside the price.
    row: Decimal
    #: Magento's unit price on that basis: kept where it gives the row.
    unit: Decimal
    taxes: tuple[OdooTax, ...] = ()
    #: Mapping keys of those taxes.
    tax_keys: tuple[MappingKey, ...] = ()
    item_ids: tuple[int, ...] = ()

    @property
    def tax_ids(self) -> tuple[int, ...]:
        """Ids of its taxes."""
        return tuple(tax.id for tax in self.taxes)

    @property
    def is_gross(self) -> bool:
        """Whether the row contains the tax (RULES 1.1)."""
        return is_gross(self.taxes)


def is_gross(taxes: tuple[OdooTax, ...]) -> bool:
    """Whether prices with ``taxes`` contain them; such a line is priced with tax (RULES 1.1)."""
    return bool(taxes) and taxes[0].price_include


def flat(amount: Decimal) -> tuple[Decimal, Decimal, Decimal]:
    """Return quantity, row and unit of a line that is an amount: 1 x amount."""
    return Decimal(1), amount, amount + ZERO
