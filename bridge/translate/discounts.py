"""Discounts as amounts on lines of their own, one per set of taxes (RULES 1.2).

Why lines and not the line's own percentage or price: Odoo keeps a percentage with 2 digits, and 10.00 off 99.99
is none (FACTS 6, ``rules/onchange-discount-3-digits``); a fixed amount has no percentage at all
(``orders/008``); and a price with the discount inside would hide the discount from the people who invoice and
refund. A line per set of taxes takes each line's own discount, so the tax falls where Magento's fell.
"""

from __future__ import annotations

from decimal import Decimal

from bridge.translate.drafts import Draft, flat, is_gross
from bridge.translate.magento_records import MagentoOrder, OrderItem
from bridge.translate.money import ZERO
from bridge.translate.odoo_totals import OdooTax
from bridge.translate.order_book import MappingKey, OrderBook
from bridge.translate.order_lines import gross_before_discount, sold_items
from bridge.translate.services import service_product
from bridge.translate.taxes import item_tax_keys, odoo_taxes

#: The service that discounts are lines of.
DISCOUNT = "discount"


def discount_drafts(order: MagentoOrder, book: OrderBook) -> list[Draft]:
    """Return the discount lines of the products, one per set of taxes; that of the shipping stands with it.

    Where Magento computed the tax before the discount, the discount lowers no tax and its line has none.

    Raises:
        MappingMissing: a tax or the discount product has nothing mapped to it.
    """
    groups: dict[tuple[MappingKey, ...], tuple[tuple[OdooTax, ...], Decimal]] = {}
    for sold in sold_items(order):
        item = sold.item
        if not sold.has_price or not item.discount_amount:
            continue
        keys = () if taxed_before_discount(item) else item_tax_keys(order, item)
        taxes = odoo_taxes(book, keys)
        off = gross_before_discount(item) - item.gross if is_gross(taxes) else item.net_discount
        groups[keys] = (taxes, groups.get(keys, (taxes, ZERO))[1] + off)
    drafts = []
    for number, (keys, (taxes, off)) in enumerate(groups.items(), start=1):
        quantity, row, unit = flat(-off)
        drafts.append(
            Draft(
                key=f"discount_{number}",
                role="discount",
                product_id=service_product(book, DISCOUNT),
                name=discount_text(order),
                quantity=quantity,
                row=row,
                unit=unit,
                taxes=taxes,
                tax_keys=keys,
            )
        )
    return drafts


def taxed_before_discount(item: OrderItem) -> bool:
    """Whether the tax of a line is that of its undiscounted row (a setting of the shop)."""
    percent = (item.tax_percent or ZERO) / 100
    rounding = Decimal("0.005") * item.qty_ordered + Decimal("0.02")
    after = abs(item.tax_amount - item.net * percent)
    before = abs(item.tax_amount - item.net_before_discount * percent)
    return after > rounding and before <= rounding


def discount_text(order: MagentoOrder) -> str:
    """Return the text of discount lines: the rule's label and the coupon."""
    label = order.discount_description
    coupon = f"coupon {order.coupon_code}" if order.coupon_code and order.coupon_code != label else ""
    detail = ", ".join(part for part in (label, coupon) if part)
    return f"Discount ({detail})" if detail else "Discount"
