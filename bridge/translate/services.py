"""The service products that stand for shipping, discounts, fees and credits, and their lines."""

from __future__ import annotations

from bridge.errors import MappingMissing
from bridge.translate.drafts import Draft, flat, is_gross
from bridge.translate.magento_records import MagentoOrder
from bridge.translate.order_book import SERVICE, OrderBook
from bridge.translate.taxes import extra_tax_keys, odoo_taxes


def service_product(book: OrderBook, service: str) -> int:
    """Return the Odoo product that stands for ``service``.

    Raises:
        MappingMissing: none is set.
    """
    product_id = book.services.get(service)
    if product_id is None:
        raise MappingMissing(
            SERVICE,
            service,
            f"No Odoo service product is set for {service.replace('|', ' ').replace('_', ' ')}.",
        )
    return product_id


def extra_drafts(order: MagentoOrder, book: OrderBook) -> list[Draft]:
    """Return the lines of fees and wrappings, and of credits, which are payments and never taxed (RULES 1.5)."""
    drafts = []
    for number, extra in enumerate(order.extras, start=1):
        keys = () if extra.is_payment else extra_tax_keys(order, extra.taxes, extra.tax)
        taxes = odoo_taxes(book, keys)
        quantity, row, unit = flat(extra.net + extra.tax if is_gross(taxes) else extra.net)
        drafts.append(
            Draft(
                key=f"extra_{number}",
                role="payment" if extra.is_payment else "fee",
                product_id=service_product(book, extra.code),
                name=extra.label,
                quantity=quantity,
                row=row,
                unit=unit,
                taxes=taxes,
                tax_keys=keys,
            )
        )
    return drafts
