"""The note in the order's chatter: the reconciliation and what Odoo has no field for, as plain escaped HTML."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from bridge.translate.magento_records import MagentoOrder
from bridge.translate.money import amount
from bridge.translate.plan_lines import PlannedLines
from bridge.translate.plan_records import Component

#: Names of components as people read them.
LABELS = {
    "lines": "Lines",
    "discount": "Discount",
    "shipping": "Shipping",
    "shipping_discount": "Discount on shipping",
    "grand_total": "Grand total",
}


def component_label(name: str) -> str:
    """Return a component's name for people."""
    kind, _, detail = name.partition(":")
    if kind == "tax":
        return f"Tax {detail.replace('|', ' ')} %"
    if kind == "extra":
        return detail.replace("|", " ").replace("_", " ").capitalize()
    return LABELS.get(name, name)


def order_note(
    order: MagentoOrder,
    planned: PlannedLines,
    expected: Iterable[Component],
    *,
    unknown_regions: Iterable[str],
) -> str:
    """Return the note. Every text of the shop or its customer is escaped."""
    currency = order.currency
    rows = [(component_label(part.name), amount(part.amount)) for part in expected]
    rows.append(("Grand total in Magento", amount(order.grand_total)))
    rows.append(("Total in Odoo", amount(planned.predicted.total)))
    if planned.verdict.adjustment:
        rows.append(("Adjusted by", amount(planned.verdict.adjustment)))
    elif planned.verdict.difference:
        rows.append(("Difference", amount(planned.verdict.difference)))
    body = "".join(
        f"<tr><td>{escape(label)}</td><td>{escape(value)} {escape(currency)}</td></tr>"
        for label, value in rows
    )
    facts = [
        ("Magento order", f"{order.increment_id} ({order.status or order.state})"),
        ("Store", order.store_name),
        ("Payment", order.payment_title or order.payment_method),
        ("Shipping", order.shipping.description),
        ("Coupon", order.coupon_code),
        ("Customer's note", order.customer_note),
        ("Gift message", order.gift_message),
        *(("Comment", comment) for comment in order.comments),
        *(("Region not known to Odoo", region) for region in unknown_regions),
    ]
    lines = "".join(f"<li>{escape(label)}: {_multiline(text)}</li>" for label, text in facts if text)
    why = "".join(f"<li>{escape(reason)}</li>" for reason in planned.reasons)
    return f"<ul>{lines}</ul><table>{body}</table>" + (f"<ul>{why}</ul>" if why else "")


def _multiline(text: str) -> str:
    return escape(text).replace("\n", "<br>")
