"""What else can stand in a grand total: gift wrapping, fixed product taxes, fees, and credits used as payment.

Field names: the order's extension attributes in Magento's REST contract of 2.4.6 and 2.4.8. None of them is in
a recording, so the order's own sum decides whether an extra is part of the total (see ``bridge.translate.order_checks``), and what
nothing explains is named and blocks the order: it is never lost.
"""

from __future__ import annotations

from collections.abc import Mapping

from bridge.translate.magento_records import AppliedTax, Extra
from bridge.translate.money import ZERO
from bridge.translate.raw_fields import Fields

#: Payments that lower the grand total: extension attribute, code, label (RULES 1.5).
_PAYMENTS = (
    ("customer_balance_amount", "store_credit", "Store credit"),
    ("gift_cards_amount", "gift_card", "Gift card"),
    ("reward_currency_amount", "reward_points", "Reward points"),
)
#: Gift wrapping: net, tax, type in ``item_applied_taxes``, label.
_WRAPPINGS = (
    ("gw_price", "gw_tax_amount", "quote_gw", "Gift wrapping of the order"),
    ("gw_items_price", "gw_items_tax_amount", "item_gw", "Gift wrapping of items"),
    ("gw_card_price", "gw_card_tax_amount", "printed_card_gw", "Printed card"),
)

#: Code of fixed product taxes (weee).
WEEE = "weee"


def order_extras(
    order: Fields, extension: Fields, taxes_of: Mapping[int | str, tuple[AppliedTax, ...]]
) -> tuple[Extra, ...]:
    """Return the extras that the order's fields name, whether or not the total contains them."""
    found = []
    for field, code, label in _PAYMENTS:
        paid = extension.decimal(field) or order.decimal(field)
        if paid:
            found.append(Extra(code=code, label=label, net=-abs(paid), is_payment=True))
    for field, tax_field, kind, label in _WRAPPINGS:
        price = extension.decimal(field)
        if price:
            found.append(
                Extra(
                    code="gift_wrapping",
                    label=label,
                    net=price,
                    tax=extension.decimal(tax_field),
                    taxes=taxes_of.get(kind, ()),
                )
            )
    weee = sum((row.decimal("weee_tax_applied_row_amount") for row in order.children("items")), ZERO)
    if weee:
        found.append(Extra(code=WEEE, label="Fixed product taxes", net=weee, taxes=taxes_of.get(WEEE, ())))
    found += _fees(extension)
    return tuple(found)


def _fees(extension: Fields) -> list[Extra]:
    found = []
    for row in extension.children("custom_fees"):
        value = row.decimal("custom_fee_amount")
        if value:
            code = row.code("custom_fee_code") or "fee"
            found.append(Extra(code=f"fee|{code}", label=row.text("custom_fee_label") or code, net=value))
    return found
