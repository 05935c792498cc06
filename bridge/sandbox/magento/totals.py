"""The totals of a cart: discounts, then taxes, in order currency and in base currency apart.

Follows the order of Magento's collectors: prices, discount, tax after discount, grand total. A configurable
and a bundle with a fixed price carry the amounts on the parent; a dynamic bundle on the children, and its
parent repeats their sum.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bridge.sandbox.magento.cart import Cart, CartLine, Product
from bridge.sandbox.magento.taxes import Calculation, Carry, Rate, Taxable, Taxed, php_round


@dataclass(frozen=True, kw_only=True)
class Charge:
    """A line that carries a price of its own, or the shipping."""

    rate: Rate | None
    amounts: Taxed
    discount: float


@dataclass(frozen=True, kw_only=True)
class Totals:
    """The amounts of an order in one currency."""

    #: By (number of the cart's line, number of its part or None).
    charges: dict[tuple[int, int | None], Charge]
    shipping: Charge
    subtotal: float
    subtotal_incl_tax: float
    #: Negative, with the discount on shipping.
    discount: float
    tax: float
    compensation: float
    grand_total: float


@dataclass(frozen=True)
class _Priced:
    """A line or a part before tax."""

    key: tuple[int, int | None]
    product: Product
    unit_price: float
    quantity: float


def priced_lines(lines: Sequence[CartLine]) -> Iterator[_Priced]:
    """Yield what carries a price of its own, in the order of the cart."""
    for number, line in enumerate(lines):
        if line.kind == "bundle_dynamic":
            for index, part in enumerate(line.parts):
                yield _Priced(
                    (number, index), part.product, part.product.price, part.quantity * line.quantity
                )
        else:
            # A configurable is sold at its child's price and taxed by its own class.
            base = line.parts[0].product if line.kind == "configurable" else line.product
            yield _Priced((number, None), base, base.price + line.surcharge, line.quantity)


def compute_totals(cart: Cart, *, exchange_rate: float = 1) -> Totals:
    """Return the totals of ``cart`` in base currency (rate 1) or in the order's currency."""
    rows = list(priced_lines(cart.lines))
    prices = [round(row.unit_price * exchange_rate, 4) for row in rows]
    discounts = _discounts(cart, rows, prices, exchange_rate)
    calculation = Calculation(cart.view.method, cart.view.prices_include_tax)
    charges: dict[tuple[int, int | None], Charge] = {}
    for row, price, discount in zip(rows, prices, discounts, strict=True):
        rate = cart.rate_for(row.product.tax_class)
        taxable = Taxable(code=row.key, unit_price=price, quantity=row.quantity, discount=discount, rate=rate)
        charges[row.key] = Charge(rate=rate, amounts=calculation.apply(taxable), discount=discount)
    shipping = _shipping(cart, calculation, exchange_rate)
    everything = [*charges.values(), shipping]
    subtotal = sum(charge.amounts.row_total for charge in charges.values())
    discount = -sum(charge.discount for charge in everything)
    tax = sum(charge.amounts.tax for charge in everything)
    compensation = sum(charge.amounts.compensation for charge in everything)
    return Totals(
        charges=charges,
        shipping=shipping,
        subtotal=subtotal,
        subtotal_incl_tax=sum(charge.amounts.row_total_incl_tax for charge in charges.values()),
        discount=discount,
        tax=tax,
        compensation=compensation - shipping.amounts.compensation,
        grand_total=php_round(subtotal + discount + shipping.amounts.row_total + tax + compensation, 4),
    )


def _shipping(cart: Cart, calculation: Calculation, exchange_rate: float) -> Charge:
    is_free = cart.shipping is None or cart.shipping_method == "freeshipping_freeshipping"
    price = 0.0 if is_free else php_round(cart.view.shipping_price * exchange_rate)
    discount = 0.0
    if cart.coupon is not None and cart.coupon.apply_to_shipping:
        discount = php_round(price * cart.coupon.amount / 100)
    rate = cart.rate_for("goods")
    taxable = Taxable(code="shipping", unit_price=price, quantity=1, discount=discount, rate=rate)
    return Charge(rate=rate, amounts=calculation.apply(taxable), discount=discount)


def _discounts(
    cart: Cart, rows: Sequence[_Priced], prices: Sequence[float], exchange_rate: float
) -> list[float]:
    values = [php_round(price) * row.quantity for row, price in zip(rows, prices, strict=True)]
    coupon = cart.coupon
    if coupon is None or coupon.action == "free_shipping":
        return [0.0] * len(rows)
    if coupon.action == "by_percent":
        # Here, unlike for taxes, the first carried difference is nothing.
        carry = Carry(first=0.0)
        return [carry.round(value * (coupon.amount / 100), coupon.rule_id) for value in values]
    return _spread(php_round(coupon.amount * exchange_rate), values)


def _spread(amount: float, values: Sequence[float]) -> list[float]:
    """Spread a fixed amount over the lines by their value; the last takes what is left."""
    carry = Carry()
    whole = sum(values)
    amount = min(amount, whole)
    shares = [carry.round(amount * (value / whole), "cart") for value in values[:-1]]
    return [*shares, php_round(amount - sum(shares))]
