"""What an order would total in Odoo, computed by Odoo itself without writing (RULES 1.4 and its appendix)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from bridge.errors import ServiceRejected
from bridge.odoo.protocols import MethodCall
from bridge.odoo.versions import OdooVersion, names_of, onchange_argument_names, onchange_spec


@dataclass(frozen=True, kw_only=True)
class Totals:
    """An order's totals as Odoo computes them, in the currency of its pricelist.

    16 answers unrounded floats (6.299999999999997): the caller rounds to the currency's digits.
    """

    untaxed: Decimal
    tax: Decimal
    total: Decimal


def preview_call(
    version: OdooVersion, head: Mapping[str, Any], lines: Sequence[Mapping[str, Any]]
) -> MethodCall:
    """Return the call of ``sale.order.onchange`` that totals an order, in the form of ``version``.

    The changed names are exactly ``["order_line"]``: with ``[]`` the total comes without tax, with ``partner_id``
    among them too on 16 (``rules/onchange-forms``).

    Raises:
        ValueError: the head or a line leaves out what Odoo would then fill by itself: the product's own taxes and
            its catalog price, or, on 16, a total without tax for want of a customer.
    """
    tax = names_of(version).order_line_tax
    if "partner_id" not in head:
        raise ValueError("the preview needs partner_id: without it Odoo 16 computes no tax")
    for line in lines:
        if "display_type" in line:
            continue
        missing = {"product_id", "product_uom_qty", "price_unit", "discount", tax} - set(line)
        if missing:
            raise ValueError(f"a line of the preview lacks {', '.join(sorted(missing))}")
    values = {**head, "order_line": [[0, f"v{index}", dict(line)] for index, line in enumerate(lines)]}
    arguments = (values, ["order_line"], onchange_spec(version))
    return MethodCall(
        model="sale.order",
        method="onchange",
        ids=(),
        arguments=dict(zip(onchange_argument_names(version), arguments, strict=True)),
    )


def read_preview(answer: Any) -> Totals:
    """Read the answer of ``onchange``; an amount that is 0 is left out of it."""
    value = answer.get("value") if isinstance(answer, Mapping) else None
    if not isinstance(value, Mapping):
        raise ServiceRejected(
            "Odoo did not compute the order's total.", system="odoo", model="sale.order", method="onchange"
        )
    return Totals(
        untaxed=_amount(value, "amount_untaxed"),
        tax=_amount(value, "amount_tax"),
        total=_amount(value, "amount_total"),
    )


def _amount(value: Mapping[str, Any], name: str) -> Decimal:
    return Decimal(value.get(name) or 0)
