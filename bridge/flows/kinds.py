"""The kinds of mappings: what a Magento value of each kind stands for in Odoo."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class MappingKind:
    """One kind of mapping."""

    #: The Odoo model that values of this kind are mapped to.
    model: str
    #: What a value is, for people.
    title: str
    #: Whether a value may stand for nothing.
    may_ignore: bool = False
    #: Whether the bridge does without a mapping; of services all but its own need one.
    is_optional: bool = False


MAPPING_KINDS: Mapping[str, MappingKind] = {
    "tax": MappingKind(model="account.tax", title="Magento tax code and percent"),
    "zero_tax": MappingKind(model="account.tax", title="why a line bears no tax: country, VAT id, tax class"),
    "payment_method": MappingKind(
        model="account.payment.term", title="Magento payment method", may_ignore=True, is_optional=True
    ),
    "shipping_method": MappingKind(
        model="product.product", title="Magento shipping method", may_ignore=True, is_optional=True
    ),
    "service": MappingKind(
        model="product.product",
        title="what is no catalog product: shipping, a fee, gift wrapping, store credit; a service product",
    ),
    "currency": MappingKind(
        model="product.pricelist", title="order currency: the pricelist of that currency", is_optional=True
    ),
    "customer_group": MappingKind(
        model="res.partner.category",
        title="Magento customer group, by its id: a contact tag",
        may_ignore=True,
        is_optional=True,
    ),
    "customer_group_pricelist": MappingKind(
        model="product.pricelist",
        title="Magento customer group, by its id: the pricelist that its customers buy by",
        may_ignore=True,
        is_optional=True,
    ),
    "store": MappingKind(
        model="crm.team", title="Magento store view: the sales team", may_ignore=True, is_optional=True
    ),
    "order_status": MappingKind(
        model="crm.tag", title="Magento order status: a tag of the order", may_ignore=True, is_optional=True
    ),
    "source": MappingKind(
        model="stock.warehouse", title="Magento inventory source", may_ignore=True, is_optional=True
    ),
    "attribute": MappingKind(
        model="product.attribute",
        title="Magento product attribute with choices",
        may_ignore=True,
        is_optional=True,
    ),
    "unit": MappingKind(
        model="uom.uom", title="unit of weight of a store view", may_ignore=True, is_optional=True
    ),
    "carrier": MappingKind(
        model="delivery.carrier",
        title="carrier of a shipment, by its code",
        may_ignore=True,
        is_optional=True,
    ),
    "tax_class": MappingKind(
        model="account.tax",
        title="Magento product tax class: the sales tax that products of it get in Odoo",
        may_ignore=True,
        is_optional=True,
    ),
}
#: Kinds that decide how an order is translated; the others are for other flows, some of them still to come.
ORDER_KINDS = frozenset(
    {"tax", "zero_tax", "payment_method", "shipping_method", "service", "currency", "store"}
)
#: Services that the bridge makes a product for, unless the settings or a mapping name one. All others are money
#: that belongs on an account somebody must choose.
OWN_SERVICES: Mapping[str, str] = {
    "shipping": "Shipping",
    "discount": "Discount",
    "adjustment": "Rounding adjustment",
    "bundle": "Bundle",
    "tax_rounding": "Tax rounding",
}


def needs_mapping(kind: str, value: str) -> bool:
    """Return whether an order with this value blocks until it is mapped."""
    if kind == "service":
        return value not in OWN_SERVICES
    return kind in MAPPING_KINDS and not MAPPING_KINDS[kind].is_optional
