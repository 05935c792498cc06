"""Which mappings a translated order used, and what another mapping would change in it.

What was used is kept with the order's explanation: from then on the ledger alone can say, without a call to either
system, which orders another decision would have changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from bridge.translate.discounts import DISCOUNT
from bridge.translate.magento_records import MagentoOrder
from bridge.translate.money import amount
from bridge.translate.order_book import SERVICE, TAX, ZERO_TAX, MappingKey, OrderBook
from bridge.translate.plan_records import OrderPlan, Role
from bridge.translate.shipping import SHIPPING

#: The service whose product a line has, by the line's role; fees and payments name theirs.
_SERVICE_OF: Mapping[Role, str] = {
    "shipping": SHIPPING,
    "shipping_discount": DISCOUNT,
    "discount": DISCOUNT,
    "bundle": "bundle",
    "adjustment": "adjustment",
    "tax_rounding": "tax_rounding",
}
#: What a kind of mapping decides in a sales order, in words.
_DECIDES: Mapping[str, str] = {
    TAX: "tax",
    ZERO_TAX: "tax",
    "payment_method": "payment term",
    "shipping_method": "product of the shipping line",
    "currency": "pricelist",
    "store": "sales team",
}


@dataclass(frozen=True, kw_only=True)
class MappingChange:
    """What another mapping would change in one order."""

    #: ``tax``, ``payment term``, ``product of the shipping line``, ...
    what: str
    #: Odoo's ids; None where Odoo's own default was taken.
    old_id: int | None
    new_id: int
    #: Version of the mapping that was used; 0 where there was none.
    version: int
    #: For taxes: Magento's tax under this code.
    amount: str | None = None


def mappings_used(order: MagentoOrder, plan: OrderPlan, book: OrderBook) -> list[dict[str, Any]]:
    """Return each value that decided something in ``plan``: its Odoo id, and the version of its mapping, 0 for none."""
    taxes = {part.name.removeprefix("tax:"): part.amount for part in plan.expected}
    found: dict[MappingKey, dict[str, Any]] = {}
    for key, odoo_id in _decided(order, plan, book):
        entry: dict[str, Any] = {"kind": key[0], "value": key[1], "odoo_id": odoo_id}
        entry["version"] = book.versions.get(key, 0)
        if key[0] == TAX and key[1] in taxes:
            entry["amount"] = amount(taxes[key[1]])
        found.setdefault(key, entry)
    return list(found.values())


def _decided(
    order: MagentoOrder, plan: OrderPlan, book: OrderBook
) -> Iterator[tuple[MappingKey, int | None]]:
    for key, mapped in book.taxes.items():
        yield key, mapped[0].id if mapped else 0
    products = {_SERVICE_OF[line.role]: line.product_id for line in plan.lines if line.role in _SERVICE_OF}
    products |= {
        extra.code: book.services[extra.code] for extra in order.extras if extra.code in book.services
    }
    for name, product_id in products.items():
        yield (SERVICE, name), product_id
    if SHIPPING in products and order.shipping.method:
        yield ("shipping_method", order.shipping.method), products[SHIPPING]
    if order.payment_method:
        yield ("payment_method", order.payment_method), book.rules.payment_term_id
    yield ("currency", order.currency), book.pricelist_id
    yield ("store", str(order.store_id)), book.rules.team_id


def mapping_change(
    used: Sequence[Mapping[str, Any]], kind: str, value: str, odoo_id: int
) -> MappingChange | None:
    """Return what would be otherwise in an order that used ``used`` if ``value`` were mapped to ``odoo_id``."""
    entry = next((one for one in used if (one["kind"], one["value"]) == (kind, value)), None)
    if entry is None or entry["odoo_id"] == odoo_id:
        return None
    if (kind, value) == (SERVICE, SHIPPING) and _has_carrier(used):
        # The shipping method's own product goes before that of shipping as such.
        return None
    return MappingChange(
        what=_DECIDES.get(kind) or f"product of the {value} line",
        old_id=entry["odoo_id"],
        new_id=odoo_id,
        version=int(entry["version"]),
        amount=None if entry.get("amount") is None else amount(Decimal(entry["amount"])),
    )


def _has_carrier(used: Sequence[Mapping[str, Any]]) -> bool:
    return any(one["kind"] == "shipping_method" and one["version"] for one in used)
