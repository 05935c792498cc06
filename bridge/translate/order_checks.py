"""Does the order add up? What stands in Magento's totals and is not understood is named, never lost.

``grand_total = subtotal + discount + shipping + tax + the two tax compensations`` on every recorded order
(FACTS 7); the lines make up the subtotal, their discounts and the shipping's the order's discount.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from bridge.errors import OrderUnclear
from bridge.translate.extras import WEEE
from bridge.translate.magento_records import Extra, MagentoOrder
from bridge.translate.money import ZERO, amount
from bridge.translate.order_lines import sold_items

#: Magento's grand total is rounded, its parts need not be (``orders/012``): so much may part them.
ROUNDING = Decimal("0.01")


def check_order(order: MagentoOrder) -> MagentoOrder:
    """Return ``order`` with those extras that its totals contain.

    Raises:
        OrderUnclear: a part of a total belongs to nothing that is known; it is named with its amount.
    """
    inside = _weee_in_subtotal(order)
    _check_discount(order)
    outside = tuple(extra for extra in order.extras if extra not in inside)
    without_weee = tuple(extra for extra in outside if extra.code != WEEE)
    for reading in (outside, without_weee, ()):
        if abs(order.unexplained - _sum(reading)) <= ROUNDING:
            return replace(order, extras=(*inside, *reading))
    raise _unexplained(order)


def _sum(extras: tuple[Extra, ...]) -> Decimal:
    return sum((extra.net for extra in extras), ZERO)


def slack(order: MagentoOrder) -> Decimal:
    """Return how far sums of Magento's figures may be apart by rounding: half a cent a line, at least one cent."""
    return max(ROUNDING, Decimal("0.005") * len(order.items))


def _weee_in_subtotal(order: MagentoOrder) -> tuple[Extra, ...]:
    """Return the fixed product taxes if the shop counts them in the subtotal.

    Raises:
        OrderUnclear: the lines do not make up the subtotal.
    """
    lines = sum((sold.item.net_before_discount for sold in sold_items(order) if sold.has_price), ZERO)
    rest = order.subtotal - lines
    if abs(rest) <= slack(order):
        return ()
    weee = tuple(extra for extra in order.extras if extra.code == WEEE)
    if weee and abs(rest - _sum(weee)) <= slack(order):
        return weee
    raise OrderUnclear(
        f"Order {order.increment_id}: its lines come to {amount(lines)}, its subtotal is "
        f"{amount(order.subtotal)}; {amount(rest)} belongs to no line.",
        system="magento",
        component="subtotal",
        amount=amount(rest),
    )


def _check_discount(order: MagentoOrder) -> None:
    on_lines = sum((sold.item.discount_amount for sold in sold_items(order) if sold.has_price), ZERO)
    rest = -order.discount_amount - on_lines - order.shipping.discount
    if abs(rest) > slack(order):
        raise OrderUnclear(
            f"Order {order.increment_id}: {amount(rest)} of its discount {amount(-order.discount_amount)} is on "
            "no line and not on the shipping; which tax it lowers is not known.",
            system="magento",
            component="discount",
            amount=amount(rest),
        )


def _unexplained(order: MagentoOrder) -> OrderUnclear:
    rest = order.unexplained
    known = ", ".join(f"{extra.label} {amount(extra.net)}" for extra in order.extras) or "none"
    return OrderUnclear(
        f"Order {order.increment_id}: {amount(rest)} {order.currency} of the grand total "
        f"{amount(order.grand_total)} is none of subtotal, discount, shipping and tax. Further charges that the "
        f"order names: {known}. Find out which Magento extension adds this amount.",
        system="magento",
        component="unexplained",
        amount=amount(rest),
        currency=order.currency,
    )


def check_currency_digits(order: MagentoOrder, digits: int) -> None:
    """Check that the currency in Odoo keeps what Magento charges.

    Raises:
        OrderUnclear: the grand total has more decimal places than the currency has in Odoo.
    """
    exponent = order.grand_total.normalize().as_tuple().exponent
    if isinstance(exponent, int) and -exponent > digits:
        raise OrderUnclear(
            f"Order {order.increment_id}: its total {order.grand_total} {order.currency} has more decimal places than "
            f"the {digits} that this currency has in Odoo.",
            system="odoo",
            field="grand_total",
            currency=order.currency,
        )
