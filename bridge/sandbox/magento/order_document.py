"""An order exactly as ``GET /V1/orders/ID`` shows it, made from a cart and its totals.

The oddities of FACTS 7 are kept: fields without a value are absent; a line's ``row_total`` is already net
of discount; each child repeats its parent; all lines stand again in the shipping assignment.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from bridge.sandbox.magento.cart import Address, Cart
from bridge.sandbox.magento.order_lines import line_weight, order_items
from bridge.sandbox.magento.order_taxes import TaxNumbers, line_taxes, order_taxes
from bridge.sandbox.magento.rest import Raw
from bridge.sandbox.magento.taxes import shown
from bridge.sandbox.magento.totals import Totals, compute_totals

_METHODS = {
    "flatrate_flatrate": "Flat Rate - Fixed",
    "freeshipping_freeshipping": "Free Shipping - Free",
}


@dataclass
class Numbers:
    """The last number given of each kind, so that orders of one shop never share one."""

    order: int = 0
    line: int = 0
    address: int = 0
    taxes: TaxNumbers = field(default_factory=TaxNumbers)
    increment: Counter[int] = field(default_factory=Counter)

    @classmethod
    def after(cls, orders: Sequence[Raw]) -> Numbers:
        """Return numbers that go on after those of ``orders``."""
        numbers = cls()
        for order in orders:
            numbers.order = max(numbers.order, order["entity_id"])
            numbers.line = max([numbers.line, *(line["item_id"] for line in order["items"])])
            numbers.address = max(numbers.address, order["billing_address_id"])
            numbers.increment[order["store_id"]] = max(
                numbers.increment[order["store_id"]], int(order["increment_id"][-9:])
            )
            numbers.taxes.see(order)
        return numbers


def place_order(cart: Cart, numbers: Numbers, created_at: str) -> Raw:
    """Return the order of ``cart`` as it stands right after it was placed."""
    base = compute_totals(cart)
    local = compute_totals(cart, exchange_rate=cart.view.rate) if cart.view.rate != 1 else base
    numbers.order += 1
    numbers.increment[cart.view.id] += 1
    order_id = numbers.order
    shipping = _address(cart.shipping, "shipping", cart, numbers) if cart.shipping else None
    billing = _address(cart.billing, "billing", cart, numbers)
    taxes = order_taxes(
        local, base, order_id=order_id, first_line=numbers.line + 1, lines=cart.lines, numbers=numbers.taxes
    )
    items = order_items(cart, local, base, first_line=numbers.line + 1)
    numbers.line += len(items)
    for item in items:
        item.update(order_id=order_id, created_at=created_at, updated_at=created_at)
    for item in items:
        item["extension_attributes"] = {"itemized_taxes": line_taxes(taxes, item["item_id"])}
    by_id = {item["item_id"]: item for item in items}
    for item in items:
        if "parent_item_id" in item:
            item["parent_item"] = by_id[item["parent_item_id"]]
    payment = _payment(order_id, local, base)
    return {
        **_head(cart, local, base, order_id, created_at),
        "increment_id": cart.view.increment_id(numbers.increment[cart.view.id]),
        "billing_address_id": billing["entity_id"],
        "total_item_count": sum(max(len(line.parts), 1) for line in cart.lines),
        "items": items,
        "billing_address": billing,
        "payment": payment,
        "status_histories": [],
        "extension_attributes": {
            "shipping_assignments": [{"shipping": _shipping(cart, local, base, shipping), "items": items}],
            "payment_additional_info": [
                {"key": "method_title", "value": payment["additional_information"][0]}
            ],
            "applied_taxes": taxes.applied,
            "item_applied_taxes": taxes.by_item,
            "converting_from_quote": False,
            "taxes": taxes.rows,
            "additional_itemized_taxes": taxes.shipping,
        },
    }


def _head(cart: Cart, local: Totals, base: Totals, order_id: int, created_at: str) -> Raw:
    view, buyer = cart.view, cart.buyer
    head: Raw = {
        **_amounts(local),
        **{f"base_{name}": value for name, value in _amounts(base).items()},
        "base_currency_code": "EUR",
        "base_to_global_rate": 1,
        "base_to_order_rate": shown(view.rate),
        "created_at": created_at,
        "customer_email": buyer.email,
        "customer_firstname": buyer.firstname,
        "customer_group_id": buyer.group,
        "customer_is_guest": 0 if buyer.id else 1,
        "customer_lastname": buyer.lastname,
        "customer_note_notify": 1,
        "entity_id": order_id,
        "global_currency_code": "EUR",
        "is_virtual": 0 if cart.shipping else 1,
        "order_currency_code": view.currency,
        "protect_code": hashlib.sha256(f"order {order_id}".encode()).hexdigest()[:32],
        "quote_id": order_id,
        "remote_ip": cart.remote_ip,
        "state": "new",
        "status": "pending",
        "store_currency_code": "EUR",
        "store_id": view.id,
        "store_name": view.name,
        "store_to_base_rate": 0,
        "store_to_order_rate": 0,
        "total_qty_ordered": shown(sum(line.quantity for line in cart.lines)),
        "updated_at": created_at,
        "weight": shown(sum((line_weight(line) or 0) * line.quantity for line in cart.lines)),
    }
    # The only name that differs between the two currencies.
    head["base_shipping_discount_tax_compensation_amnt"] = head.pop(
        "base_shipping_discount_tax_compensation_amount"
    )
    if cart.shipping:
        head["shipping_description"] = _METHODS[cart.shipping_method]
    if buyer.id:
        head["customer_id"] = buyer.id
    if buyer.taxvat:
        head["customer_taxvat"] = buyer.taxvat
    if cart.coupon:
        head["applied_rule_ids"] = str(cart.coupon.rule_id)
        head["coupon_code"] = cart.coupon.code
        head["discount_description"] = cart.coupon.label
    return head


def _amounts(totals: Totals) -> Raw:
    return {
        "discount_amount": shown(totals.discount),
        "discount_tax_compensation_amount": shown(totals.compensation),
        "grand_total": shown(totals.grand_total),
        **_shipping_amounts(totals),
        "subtotal": shown(totals.subtotal),
        "subtotal_incl_tax": shown(totals.subtotal_incl_tax),
        "tax_amount": shown(totals.tax),
        "total_due": shown(totals.grand_total),
    }


def _shipping_amounts(totals: Totals) -> Raw:
    shipping = totals.shipping
    return {
        "shipping_amount": shown(shipping.amounts.row_total),
        "shipping_discount_amount": shown(shipping.discount),
        "shipping_discount_tax_compensation_amount": shown(shipping.amounts.compensation),
        "shipping_incl_tax": shown(shipping.amounts.row_total_incl_tax),
        "shipping_tax_amount": shown(shipping.amounts.tax),
    }


def _shipping(cart: Cart, local: Totals, base: Totals, address: Raw | None) -> Raw:
    """A virtual order has the assignment without address and method (``orders/006-order-virtual-only``)."""
    total = {
        **_shipping_amounts(local),
        **{f"base_{name}": value for name, value in _shipping_amounts(base).items()},
    }
    total["base_shipping_discount_tax_compensation_amnt"] = total.pop(
        "base_shipping_discount_tax_compensation_amount"
    )
    if address is None:
        return {"total": total}
    return {"address": address, "method": cart.shipping_method, "total": total}


def _payment(order_id: int, local: Totals, base: Totals) -> Raw:
    is_free = base.grand_total == 0
    return {
        "account_status": None,
        "additional_information": ["No Payment Information Required" if is_free else "Check / Money order"],
        "amount_ordered": shown(local.grand_total),
        "base_amount_ordered": shown(base.grand_total),
        "base_shipping_amount": shown(base.shipping.amounts.row_total),
        "cc_last4": None,
        "entity_id": order_id,
        "method": "free" if is_free else "checkmo",
        "parent_id": order_id,
        "shipping_amount": shown(local.shipping.amounts.row_total),
    }


def _address(address: Address, kind: str, cart: Cart, numbers: Numbers) -> Raw:
    numbers.address += 1
    raw: Raw = {
        "address_type": kind,
        "city": address.city,
        "country_id": address.country,
        "email": cart.buyer.email,
        "entity_id": numbers.address,
        "firstname": address.firstname,
        "lastname": address.lastname,
        "parent_id": numbers.order,
        "postcode": address.postcode,
        "street": list(address.street),
        "telephone": address.telephone,
    }
    if address.region:
        raw["region"] = address.region
        raw["region_code"] = address.region_code
        raw["region_id"] = address.region_id
    if address.company:
        raw["company"] = address.company
    if address.vat_id:
        raw["vat_id"] = address.vat_id
    return raw
