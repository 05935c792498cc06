"""Shipping with its own tax and discount (FACTS 7: amounts before, tax after the shipping discount)."""

from __future__ import annotations

from decimal import Decimal

from bridge.translate.discounts import DISCOUNT
from bridge.translate.drafts import Draft, flat, is_gross
from bridge.translate.magento_records import MagentoOrder
from bridge.translate.order_book import OrderBook
from bridge.translate.services import service_product
from bridge.translate.taxes import odoo_taxes, shipping_tax_keys

#: The service that shipping is a line of.
SHIPPING = "shipping"


def shipping_net(order: MagentoOrder) -> Decimal:
    """Return the shipping without tax, after its discount.

    ``shipping_incl_tax - shipping_tax_amount`` would mix a figure before with one after the discount
    (``orders/009``, ``orders/010``).
    """
    shipping = order.shipping
    return shipping.amount - shipping.discount + shipping.discount_tax_compensation


def shipping_drafts(order: MagentoOrder, book: OrderBook) -> list[Draft]:
    """Return the shipping line and, where there is one, its discount; nothing where shipping costs nothing."""
    shipping = order.shipping
    if not shipping.amount and not shipping.tax:
        return []
    keys = shipping_tax_keys(order)
    taxes = odoo_taxes(book, keys)
    after = shipping_net(order) + (shipping.tax if is_gross(taxes) else 0)
    before = shipping.incl_tax if is_gross(taxes) else shipping.amount
    if not shipping.discount:
        before = after
    quantity, row, unit = flat(before)
    line = Draft(
        key="shipping",
        role="shipping",
        product_id=service_product(book, SHIPPING),
        name=shipping.description or "Shipping",
        quantity=quantity,
        row=row,
        unit=unit,
        taxes=taxes,
        tax_keys=keys,
    )
    if before == after:
        return [line]
    quantity, row, unit = flat(after - before)
    off = Draft(
        key="shipping_discount",
        role="shipping_discount",
        product_id=service_product(book, DISCOUNT),
        name="Discount on shipping",
        quantity=quantity,
        row=row,
        unit=unit,
        taxes=taxes,
        tax_keys=keys,
    )
    return [line, off]
