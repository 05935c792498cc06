"""Translate a Magento order into the plan of a sales order. Pure: no reading, no writing, no clock."""

from __future__ import annotations

from collections.abc import Mapping

from bridge.translate.discounts import DISCOUNT
from bridge.translate.magento_records import MagentoOrder
from bridge.translate.money import ZERO
from bridge.translate.order_book import MappingKey, OrderBook, OrderNeeds, OrderRules
from bridge.translate.order_checks import check_currency_digits, check_order
from bridge.translate.order_lines import product_needs, sold_items
from bridge.translate.order_note import order_note
from bridge.translate.partners import partners_plan
from bridge.translate.plan_lines import PlannedLines, plan_lines
from bridge.translate.plan_records import Component, OrderPlan, PartnersPlan
from bridge.translate.shipping import SHIPPING
from bridge.translate.taxes import extra_tax_keys, item_tax_keys, magento_taxes, shipping_tax_keys

#: States and statuses in which an order's goods must not leave yet (RULES 1.13).
HELD = frozenset({"holded"})
PAYMENT_REVIEW = frozenset({"payment_review", "fraud"})


def needs(order: MagentoOrder) -> OrderNeeds:
    """Return what must be looked up to translate ``order``.

    Raises:
        OrderUnclear: the order holds something that is not understood.
    """
    order = check_order(order)
    labels: dict[MappingKey, str] = {}
    for sold in sold_items(order):
        if sold.has_price:
            for key in item_tax_keys(order, sold.item):
                labels.setdefault(key, f"tax of {sold.item.name}")
    for key in shipping_tax_keys(order):
        labels.setdefault(key, "tax of shipping")
    for extra in order.extras:
        if not extra.is_payment:
            for key in extra_tax_keys(order, extra.taxes, extra.tax):
                labels.setdefault(key, f"tax of {extra.label}")
    addresses = [address for address in (order.billing, order.delivery) if address is not None]
    return OrderNeeds(
        taxes=tuple(labels),
        services=_services(order),
        products=product_needs(order),
        countries=tuple(dict.fromkeys(address.country for address in addresses if address.country)),
        states=tuple(
            dict.fromkeys(
                (address.country, address.region_code.upper()) for address in addresses if address.region_code
            )
        ),
        currency=order.currency,
        store_id=order.store_id,
        labels=labels,
    )


def _services(order: MagentoOrder) -> tuple[str, ...]:
    wanted = [extra.code for extra in order.extras]
    if order.shipping.amount or order.shipping.tax:
        wanted.append(SHIPPING)
    if order.discount_amount or any(item.discount_amount for item in order.items):
        wanted.append(DISCOUNT)
    return tuple(dict.fromkeys(wanted))


def translate_order(order: MagentoOrder, book: OrderBook) -> OrderPlan:
    """Return the plan of ``order``.

    Raises:
        MappingMissing: a tax, a product or a service has nothing mapped to it.
        OrderUnclear: something stands in the order that is not understood; it is named with its amount.
        TotalDiffers: Odoo's total would differ from Magento's and the policy blocks.
    """
    order = check_order(order)
    check_currency_digits(order, book.profile.currency_digits)
    partners = partners_plan(order, book)
    planned = plan_lines(order, book)
    expected = components(order, book)
    regions = _unknown_regions(partners)
    return OrderPlan(
        increment_id=order.increment_id,
        head=_head(order, book),
        date_order=f"{order.created_at:%Y-%m-%d %H:%M:%S}",
        lines=planned.lines,
        partners=partners,
        order_items=planned.order_items,
        taxes=planned.taxes,
        tax_ids={
            key: tuple(sorted(target.tax_ids)) for target in planned.targets for key in sorted(target.keys)
        },
        expected=expected,
        predicted=planned.predicted,
        verdict=planned.verdict,
        note=order_note(order, planned, expected, unknown_regions=regions),
        flags=_flags(order, planned, regions),
        reasons=planned.reasons,
    )


def _head(order: MagentoOrder, book: OrderBook) -> Mapping[str, str]:
    """The columns of RULES 1.10; partners, and the external id, are the flow's."""
    rules: OrderRules = book.rules
    head = {
        "client_order_ref": order.increment_id,
        "date_order": f"{order.created_at:%Y-%m-%d %H:%M:%S}",
        # Booleans are texts too: a JSON boolean is a fault of load, not a message (rules/load-cell-types).
        "require_signature": "0",
        "require_payment": "0",
    }
    if rules.order_name_prefix:
        head["name"] = f"{rules.order_name_prefix}{order.increment_id}"
    ids = {
        "pricelist_id/.id": book.pricelist_id,
        "company_id/.id": rules.company_id,
        "warehouse_id/.id": rules.warehouse_id,
        "team_id/.id": rules.team_id,
        "user_id/.id": rules.user_id,
        "payment_term_id/.id": rules.payment_term_id,
    }
    return head | {column: str(value) for column, value in ids.items() if value is not None}


def components(order: MagentoOrder, book: OrderBook) -> tuple[Component, ...]:
    """Return Magento's components without tax, then each tax; with what rounding leaves they are the grand total."""
    sold = [one.item for one in sold_items(order) if one.has_price]
    parts = {
        "lines": sum((item.net_before_discount for item in sold), ZERO),
        "discount": -sum((item.net_discount for item in sold), ZERO),
        "shipping": order.shipping.amount,
        "shipping_discount": order.shipping.discount_tax_compensation - order.shipping.discount,
    }
    for extra in order.extras:
        parts[f"extra:{extra.code}"] = parts.get(f"extra:{extra.code}", ZERO) + extra.net
    taxes = magento_taxes(order, book.profile.currency_digits)
    parts |= {f"tax:{key}": tax for key, tax in taxes.items()}
    return tuple(
        Component(name=name, amount=value) for name, value in parts.items() if value or name == "lines"
    )


def _unknown_regions(partners: PartnersPlan) -> tuple[str, ...]:
    plans = (partners.invoice, partners.delivery)
    return tuple(dict.fromkeys(plan.unknown_region for plan in plans if plan and plan.unknown_region))


def _flags(order: MagentoOrder, planned: PlannedLines, regions: tuple[str, ...]) -> tuple[str, ...]:
    flags = []
    if order.state in HELD:
        flags.append("held")
    if order.state in PAYMENT_REVIEW or order.status in PAYMENT_REVIEW:
        flags.append("payment_review")
    if regions:
        flags.append("unknown_region")
    if any(line.role == "tax_rounding" for line in planned.lines):
        flags.append("tax_rounding")
    if any(target.of(planned.predicted.taxes) != target.amount for target in planned.targets):
        flags.append("tax_differs")
    if planned.verdict.outcome != "exact":
        flags.append(f"total_{planned.verdict.outcome}")
    return tuple(flags)
