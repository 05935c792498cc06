"""Parse a raw Magento order (``GET /V1/orders/ID``) into typed records; tolerant of what shops really send.

Field names and meanings: FACTS 7 of Magento and ``orders/001`` to ``orders/031``. What is absent is 0 or empty;
only what an order cannot be without is demanded. A wrong type or a missing necessity is an InvalidRecord that
names the field.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from bridge.errors import InvalidRecord, OrderUnclear
from bridge.translate.extras import order_extras
from bridge.translate.item_options import item_options
from bridge.translate.magento_records import (
    AppliedTax,
    MagentoOrder,
    OrderAddress,
    OrderCustomer,
    OrderItem,
    Shipping,
)
from bridge.translate.raw_fields import Fields

#: Magento's timestamps are UTC, whole seconds (FACTS 3).
_TIME_FORMAT = "%Y-%m-%d %H:%M:%S"
#: Years that an order can be of.
_YEARS = range(1970, 3000)

#: Tax per line or kind of charge, from ``item_applied_taxes``: by ``item_id``, or by type (``shipping``, ...).
TaxesOf = Mapping[int | str, tuple[AppliedTax, ...]]


def parse_order(raw: Any) -> MagentoOrder:
    """Return ``raw`` as a MagentoOrder.

    Raises:
        InvalidRecord: it is not an order, or a field is missing or of a wrong type; ``details["field"]`` names it.
        OrderUnclear: the order contradicts itself: a negative total, a line of an unknown parent.
    """
    if not isinstance(raw, Mapping):
        raise InvalidRecord("Magento's answer is not an order.", system="magento", field="")
    order = Fields(raw)
    extension = order.child("extension_attributes")
    taxes_of = _taxes_by_item(extension)
    delivery, shipping = _shipping(order, extension, taxes_of)
    items = _items(order, taxes_of)
    payment = order.child("payment")
    parsed = MagentoOrder(
        entity_id=order.required_integer("entity_id"),
        increment_id=order.required_text("increment_id"),
        quote_id=order.integer("quote_id"),
        store_id=order.integer("store_id") or 0,
        store_name=" / ".join(order.text("store_name").split("\n")),
        state=order.text("state"),
        status=order.text("status"),
        created_at=_time(order, "created_at"),
        updated_at=order.text("updated_at"),
        currency=order.required_text("order_currency_code").upper(),
        base_currency=order.text("base_currency_code").upper(),
        base_to_order_rate=order.decimal("base_to_order_rate"),
        subtotal=order.decimal("subtotal"),
        discount_amount=order.decimal("discount_amount"),
        discount_tax_compensation=order.decimal("discount_tax_compensation_amount"),
        tax_amount=order.decimal("tax_amount"),
        grand_total=order.required_decimal("grand_total"),
        coupon_code=order.text("coupon_code"),
        discount_description=order.text("discount_description"),
        customer=_customer(order),
        billing=read_address(order.child("billing_address")),
        delivery=delivery,
        shipping=shipping,
        items=items,
        taxes=_applied(extension.children("applied_taxes")),
        extras=order_extras(order, extension, taxes_of),
        payment_method=payment.code("method"),
        payment_title=_payment_title(extension),
        customer_note=order.text("customer_note"),
        gift_message=extension.child("gift_message").text("message"),
        comments=tuple(
            comment for row in order.children("status_histories") if (comment := row.text("comment"))
        ),
        ext_order_id=order.text("ext_order_id"),
    )
    _refuse_contradictions(parsed)
    return parsed


def _refuse_contradictions(order: MagentoOrder) -> None:
    if order.grand_total < 0:
        raise OrderUnclear(
            f"Order {order.increment_id} has a negative grand total ({order.grand_total}).",
            system="magento",
            field="grand_total",
        )
    if not order.items:
        raise OrderUnclear(
            f"Order {order.increment_id} has no lines.", system="magento", field="items", reason="no_items"
        )
    known = {item.item_id for item in order.items}
    if len(known) != len(order.items):
        raise OrderUnclear(
            f"Order {order.increment_id} has two lines with one item_id.", system="magento", field="items"
        )
    for item in order.items:
        if item.parent_item_id is not None and item.parent_item_id not in known:
            raise OrderUnclear(
                f"Line {item.item_id} of order {order.increment_id} belongs to line {item.parent_item_id}, "
                "which is not in the order.",
                system="magento",
                field="parent_item_id",
                item_id=item.item_id,
            )


def _time(order: Fields, field: str) -> datetime:
    text = order.required_text(field)
    try:
        found = datetime.strptime(text[:19].replace("T", " "), _TIME_FORMAT).replace(tzinfo=UTC)
    except ValueError:
        found = None
    # A year of no shop cannot be moved into the store's time zone, and is no date of Odoo's.
    if found is None or found.year not in _YEARS:
        raise InvalidRecord(f"The order's field {field} is not a time.", system="magento", field=field)
    return found


def _applied(rows: list[Fields]) -> tuple[AppliedTax, ...]:
    # base_amount is the tax in base currency, not the taxable base (FACTS, RULES 1.3): it is not read.
    return tuple(
        AppliedTax(
            code=row.code("code") or row.code("title"),
            percent=row.decimal("percent"),
            amount=row.decimal("amount"),
        )
        for row in rows
    )


def _taxes_by_item(extension: Fields) -> TaxesOf:
    found: dict[int | str, tuple[AppliedTax, ...]] = {}
    for row in extension.children("item_applied_taxes"):
        kind = row.text("type") or "product"
        item_id = row.integer("item_id") or row.integer("associated_item_id")
        key: int | str = item_id if kind == "product" and item_id else kind
        found[key] = found.get(key, ()) + _applied(row.children("applied_taxes"))
    return found


def _items(order: Fields, taxes_of: TaxesOf) -> tuple[OrderItem, ...]:
    return tuple(_item(row, taxes_of) for row in order.children("items"))


def _item(row: Fields, taxes_of: TaxesOf) -> OrderItem:
    item_id = row.required_integer("item_id")
    parent = row.integer("parent_item_id")
    options, has_custom = item_options(row)
    taxes = taxes_of.get(item_id) or _itemized(row)
    return OrderItem(
        item_id=item_id,
        parent_item_id=parent or None,
        product_id=row.integer("product_id"),
        product_type=row.text("product_type") or "simple",
        sku=row.text("sku"),
        name=row.text("name") or row.text("sku") or f"Line {item_id}",
        qty_ordered=row.required_decimal("qty_ordered"),
        qty_canceled=row.decimal("qty_canceled"),
        qty_invoiced=row.decimal("qty_invoiced"),
        qty_shipped=row.decimal("qty_shipped"),
        qty_refunded=row.decimal("qty_refunded"),
        price=row.decimal("price"),
        price_incl_tax=row.optional_decimal("price_incl_tax"),
        row_total=row.decimal("row_total"),
        row_total_incl_tax=row.optional_decimal("row_total_incl_tax"),
        tax_amount=row.decimal("tax_amount"),
        tax_percent=row.optional_decimal("tax_percent"),
        discount_amount=abs(row.decimal("discount_amount")),
        discount_tax_compensation=row.decimal("discount_tax_compensation_amount"),
        taxes=taxes,
        options=options,
        has_custom_options=has_custom,
        is_virtual=row.flag("is_virtual"),
        weee_amount=row.decimal("weee_tax_applied_row_amount"),
        gift_message=row.child("extension_attributes").child("gift_message").text("message"),
    )


def _itemized(row: Fields) -> tuple[AppliedTax, ...]:
    rows = row.child("extension_attributes").children("itemized_taxes")
    return tuple(
        AppliedTax(
            code=tax.code("tax_code"), percent=tax.decimal("tax_percent"), amount=tax.decimal("amount")
        )
        for tax in rows
        if tax.text("tax_code") and tax.text("taxable_item_type") in {"", "product"}
    )


def _shipping(order: Fields, extension: Fields, taxes_of: TaxesOf) -> tuple[OrderAddress | None, Shipping]:
    # The shipping address and method stand only here; virtual orders have neither (FACTS 7, orders/006).
    assignments = extension.children("shipping_assignments")
    first = (assignments[0] if assignments else Fields({})).child("shipping")
    address = first.child("address")
    shipping = Shipping(
        method=first.code("method"),
        description=order.text("shipping_description") or first.text("method"),
        amount=order.decimal("shipping_amount"),
        incl_tax=order.decimal("shipping_incl_tax"),
        discount=abs(order.decimal("shipping_discount_amount")),
        discount_tax_compensation=order.decimal("shipping_discount_tax_compensation_amount"),
        tax=order.decimal("shipping_tax_amount"),
        taxes=taxes_of.get("shipping", ()),
    )
    return (read_address(address) if address.names() else None), shipping


def _customer(order: Fields) -> OrderCustomer:
    customer_id = order.integer("customer_id")
    return OrderCustomer(
        id=customer_id or None,
        is_guest=order.flag("customer_is_guest") or not customer_id,
        email=order.text("customer_email"),
        firstname=order.text("customer_firstname"),
        middlename=order.text("customer_middlename"),
        lastname=order.text("customer_lastname"),
        prefix=order.text("customer_prefix"),
        suffix=order.text("customer_suffix"),
        taxvat=order.text("customer_taxvat"),
        group_id=order.integer("customer_group_id"),
    )


def read_address(row: Fields) -> OrderAddress:
    """Return an address, of an order or of a customer."""
    region = row.raw("region")
    # In orders the region is flat; in customers an object (FACTS 7). Both are taken.
    flat = row.child("region") if isinstance(region, Mapping) else row
    return OrderAddress(
        firstname=row.text("firstname"),
        middlename=row.text("middlename"),
        lastname=row.text("lastname"),
        prefix=row.text("prefix"),
        suffix=row.text("suffix"),
        company=row.text("company"),
        street=row.texts("street"),
        postcode=row.text("postcode"),
        city=row.text("city"),
        country=row.code("country_id").upper(),
        region=flat.text("region"),
        region_code=flat.text("region_code"),
        telephone=row.text("telephone"),
        email=row.text("email"),
        vat_id=row.text("vat_id"),
    )


def _payment_title(extension: Fields) -> str:
    for row in extension.children("payment_additional_info"):
        if row.text("key") == "method_title":
            return row.text("value")
    return ""
