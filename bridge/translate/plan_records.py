"""The plan of a sales order: what will be written into Odoo, and what Odoo will make of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from bridge.translate.money import ZERO
from bridge.translate.odoo_totals import OdooTax, OrderTotals

Role = Literal[
    "product", "bundle", "component", "discount", "shipping", "shipping_discount", "fee", "payment",
    "tax_rounding", "adjustment",
]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class PlanLine:
    """One line of the sales order."""

    #: Unique in the order, the same in every translation: the entity of its external id.
    key: str
    role: Role
    #: The Magento lines that it stands for; empty for shipping, fees and the like.
    item_ids: tuple[int, ...]
    #: Id of the ``product.product``.
    product_id: int
    name: str
    quantity: Decimal
    price_unit: Decimal
    tax_ids: tuple[int, ...] = ()
    #: Always 0: discounts are lines of their own (see ``bridge.translate.discounts``).
    discount: Decimal = ZERO


@dataclass(frozen=True, kw_only=True)
class AddressPlan:
    """An address as a child contact."""

    #: Digest of the normalised fields: equal addresses have equal keys.
    key: str
    type: Literal["invoice", "delivery", "other"]
    #: Fields of ``res.partner``; ids as numbers, empty texts left out.
    values: Mapping[str, str | int | bool]
    #: Region that Odoo does not know; for the note.
    unknown_region: str = ""


@dataclass(frozen=True, kw_only=True)
class CustomerPlan:
    """The commercial partner."""

    #: Digest of email, VAT id and company (RULES 1.11).
    key: str
    #: Magento's customer id, None for a guest: the binding to look for first.
    magento_customer_id: int | None
    #: Lower case; for the look-up without regard to case.
    email: str
    #: Normalised; a found partner with another VAT id is another commercial partner.
    vat: str
    company: str
    is_company: bool
    #: Fields of ``res.partner`` to make it with; its own address is that of ``address_key``.
    values: Mapping[str, str | int | bool]
    #: The address that the partner itself has: an order with it needs no child. None where it has none.
    address_key: str | None


@dataclass(frozen=True, kw_only=True)
class PartnersPlan:
    """Customer and addresses of an order."""

    customer: CustomerPlan
    invoice: AddressPlan
    #: None where nothing is shipped: then the invoice address serves.
    delivery: AddressPlan | None


@dataclass(frozen=True, kw_only=True)
class ItemLine:
    """For one Magento line: an order line and how many Magento units it carries. Becomes ``order_items_json``."""

    key: str
    quantity: Decimal


@dataclass(frozen=True, kw_only=True)
class Component:
    """A part of the grand total as Magento has it."""

    #: ``lines``, ``discount``, ``shipping``, ``shipping_discount``, ``extra:CODE``, ``tax:CODE|PERCENT``.
    name: str
    amount: Decimal


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What the total policy says (RULES 1.4)."""

    outcome: Literal["exact", "tolerated", "adjusted", "warned"]
    #: Magento's grand total less Odoo's before the adjustment line.
    difference: Decimal
    #: Amount of the adjustment line, 0 without one.
    adjustment: Decimal = ZERO


@dataclass(frozen=True, kw_only=True)
class OrderPlan:
    """The whole sales order."""

    increment_id: str
    #: Columns of ``load`` without partners and lines, all cells text: ``client_order_ref``, ``date_order``, ...
    head: Mapping[str, str]
    #: ``YYYY-MM-DD HH:MM:SS`` UTC, written back after confirmation (RULES 1.10).
    date_order: str
    lines: tuple[PlanLine, ...]
    partners: PartnersPlan
    #: By Magento ``item_id``.
    order_items: Mapping[int, tuple[ItemLine, ...]]
    #: Odoo taxes by id, those of the lines.
    taxes: Mapping[int, OdooTax]
    #: Odoo tax ids by Magento tax key (``CODE|PERCENT``).
    tax_ids: Mapping[str, tuple[int, ...]]
    #: Magento's components.
    expected: tuple[Component, ...]
    #: What the calculator says Odoo will store.
    predicted: OrderTotals
    verdict: Verdict
    #: Plain HTML for the order's chatter.
    note: str
    #: ``held``, ``payment_review``, ``unknown_region``, ``tax_rounding``, ...: what an operator should know.
    flags: tuple[str, ...] = ()
    #: Ways in which lines were split so that the tax is Magento's, in words.
    reasons: tuple[str, ...] = ()
