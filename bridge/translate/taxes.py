"""Which mapped Odoo taxes a line gets (RULES 1.3): by code and percent, never guessed, never by omission."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from bridge.errors import MappingMissing, MappingWrong, OrderUnclear
from bridge.translate.magento_records import AppliedTax, MagentoOrder, OrderItem, tax_key
from bridge.translate.money import ZERO, amount, plain, round_to
from bridge.translate.odoo_totals import OdooTax, line_taxes
from bridge.translate.order_book import TAX, ZERO_TAX, MappingKey, OrderBook

#: In place of the percent in the key of untaxed shipping.
SHIPPING_CLASS = "shipping"


def item_tax_keys(order: MagentoOrder, item: OrderItem) -> tuple[MappingKey, ...]:
    """Return the mapping keys of a line's taxes; none for a line that costs nothing."""
    if item.taxes:
        return _keys(item.taxes)
    if not item.net_before_discount and not item.tax_amount:
        return ()
    percent = item.tax_percent or ZERO
    return _rounded_away(order, percent) or (zero_tax_key(order, plain(percent)),)


def shipping_tax_keys(order: MagentoOrder) -> tuple[MappingKey, ...]:
    """Return the mapping keys of the shipping's taxes; none where shipping costs nothing."""
    if not order.shipping.amount and not order.shipping.tax:
        return ()
    if order.shipping.taxes:
        return _keys(order.shipping.taxes)
    if order.shipping.tax and len(order.taxes) == 1:
        return _keys(order.taxes)
    return (zero_tax_key(order, SHIPPING_CLASS),)


def extra_tax_keys(
    order: MagentoOrder, taxes: tuple[AppliedTax, ...], tax: Decimal
) -> tuple[MappingKey, ...]:
    """Return the mapping keys of a fee's taxes: Magento's own word, else the order's only tax.

    Raises:
        OrderUnclear: the fee is taxed, and Magento does not say with which of several taxes.
    """
    if taxes:
        return _keys(taxes)
    if not tax:
        return ()
    if len(order.taxes) == 1:
        return _keys(order.taxes)
    raise OrderUnclear(
        f"Order {order.increment_id}: a charge is taxed with {amount(tax)}, and Magento does not say by which tax.",
        system="magento",
        component="extra_tax",
        amount=amount(tax),
    )


def zero_tax_key(order: MagentoOrder, tax_class: str) -> MappingKey:
    """Return the key of what bears no tax: ``COUNTRY|vat or novat|CLASS``.

    Export, intra-EU and exempt look alike in Magento's order (RULES 1.3), so the destination, whether a VAT id
    was given and the class decide. REST names no tax class in an order: the line's percent stands for it.
    """
    vat = "vat" if order.has_vat_id else "novat"
    return (ZERO_TAX, f"{order.destination.country}|{vat}|{tax_class}")


def _keys(taxes: Iterable[AppliedTax]) -> tuple[MappingKey, ...]:
    return tuple(dict.fromkeys((TAX, tax.key) for tax in taxes))


def _rounded_away(order: MagentoOrder, percent: Decimal) -> tuple[MappingKey, ...]:
    """A rate whose tax rounds to 0 is missing from the line; another line of that percent tells its code."""
    if not percent:
        return ()
    codes = {tax.code for tax in order.taxes if tax.percent == percent}
    return ((TAX, tax_key(codes.pop(), percent)),) if len(codes) == 1 else ()


def odoo_taxes(book: OrderBook, keys: Sequence[MappingKey]) -> tuple[OdooTax, ...]:
    """Return the Odoo taxes mapped to ``keys``; an empty mapping is the decision *no tax*.

    Raises:
        MappingMissing: a key is not mapped.
        MappingWrong: a key is mapped to a tax of another percentage.
        OrderUnclear: the taxes cannot be on one line.
    """
    found: dict[int, OdooTax] = {}
    for kind, value in keys:
        taxes = book.taxes.get((kind, value))
        if taxes is None:
            raise MappingMissing(kind, value)
        found.update({tax.id: tax for tax in taxes})
    line_taxes(tuple(found), found)
    _check_percent(keys, tuple(found.values()))
    return tuple(found[tax_id] for tax_id in sorted(found))


def _check_percent(keys: Sequence[MappingKey], taxes: Sequence[OdooTax]) -> None:
    """Refuse a mapping to another rate: small orders would hide it in their rounding."""
    if not taxes or any(kind != TAX for kind, _ in keys):
        return
    wanted = sum((Decimal(value.rpartition("|")[2]) for _, value in keys), ZERO)
    mapped = sum((tax.amount for tax in taxes), ZERO)
    if wanted != mapped:
        names = ", ".join(value.replace("|", " ") for _, value in keys)
        raise MappingWrong(
            f"Magento's tax {names} % is mapped to Odoo taxes of {plain(mapped)} %. Map it to taxes of "
            f"{plain(wanted)} %.",
            # Of several that share a line any may be the wrong one; a person who mends another retries the job.
            kind=TAX,
            value=keys[0][1],
            reason="tax_percent",
            wanted=plain(wanted),
            mapped=plain(mapped),
            keys=[value for _, value in keys],
        )


def magento_taxes(order: MagentoOrder, digits: int) -> Mapping[str, Decimal]:
    """Return Magento's tax by key (``CODE|PERCENT``), rounded to the currency.

    Raises:
        OrderUnclear: the taxes that are named are not the order's tax; the difference is named.
    """
    exact: dict[str, Decimal] = {}
    for tax in order.taxes:
        exact[tax.key] = exact.get(tax.key, ZERO) + tax.amount
    unnamed = order.tax_amount - sum(exact.values(), ZERO)
    if abs(unnamed) > Decimal("0.01") * max(1, len(exact)):
        raise OrderUnclear(
            f"Order {order.increment_id}: {amount(unnamed)} of its tax {amount(order.tax_amount)} belongs to no tax "
            "that Magento names.",
            system="magento",
            component="tax",
            amount=amount(unnamed),
        )
    return {key: round_to(value, digits) for key, value in exact.items()}
