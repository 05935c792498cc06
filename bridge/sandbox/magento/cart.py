"""What is bought, by whom and where: the input from which Magento computes an order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from bridge.sandbox.magento.taxes import Method, Rate

Kind = Literal[
    "simple", "virtual", "downloadable", "grouped", "configurable", "bundle_dynamic", "bundle_fixed"
]
TaxClass = Literal["goods", "reduced"]


@dataclass(frozen=True, kw_only=True)
class Product:
    """What the cart needs to know of a product."""

    id: int
    sku: str
    name: str
    #: Catalog price; with tax where the website's catalog is.
    price: float
    tax_class: TaxClass = "goods"
    #: None for what is not shipped.
    weight: float | None = 0.5
    cost: float | None = None
    is_qty_decimal: bool = False


@dataclass(frozen=True, kw_only=True)
class Part:
    """A child of a configurable (one) or of a bundle (several)."""

    product: Product
    #: Quantity in one parent.
    quantity: float = 1


@dataclass(frozen=True, kw_only=True)
class CartLine:
    """One line as the customer put it into the cart."""

    product: Product
    quantity: float
    kind: Kind = "simple"
    parts: Sequence[Part] = ()
    #: Added to the unit price: custom options, or the selections of a bundle with a fixed price.
    surcharge: float = 0.0
    #: The line's SKU where it is not the product's own.
    sku: str | None = None
    #: ``product_option`` of the order's line.
    option: Mapping[str, Any] | None = None
    backordered: float = 0


@dataclass(frozen=True, kw_only=True)
class Address:
    """A postal address as an order carries it."""

    firstname: str
    lastname: str
    street: Sequence[str]
    postcode: str
    city: str
    country: str
    region: str = ""
    region_code: str = ""
    region_id: int = 0
    telephone: str = ""
    company: str | None = None
    vat_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class Buyer:
    """A customer, or a guest where ``id`` is None."""

    email: str
    firstname: str
    lastname: str
    id: int | None = None
    group: int = 0
    taxvat: str | None = None


@dataclass(frozen=True, kw_only=True)
class View:
    """A store view with the tax settings of its website."""

    id: int
    name: str
    method: Method
    prices_include_tax: bool
    #: Fixed price of one shipping, as the website keeps it.
    shipping_price: float
    currency: str = "EUR"
    #: Order currency for one of base currency.
    rate: float = 1

    def increment_id(self, number: int) -> str:
        """Return the increment id: numbered per view, the first view without its id."""
        return f"{number:09d}" if self.id == 1 else f"{self.id}{number:09d}"


@dataclass(frozen=True, kw_only=True)
class Coupon:
    """A sales rule with a coupon."""

    code: str
    rule_id: int
    label: str
    action: Literal["by_percent", "cart_fixed", "free_shipping"]
    amount: float = 0.0
    apply_to_shipping: bool = False


@dataclass(frozen=True, kw_only=True)
class Cart:
    """Everything that Magento needs to compute an order."""

    view: View
    lines: Sequence[CartLine]
    buyer: Buyer
    billing: Address
    #: None where nothing is shipped.
    shipping: Address | None
    coupon: Coupon | None = None
    shipping_method: Literal["flatrate_flatrate", "freeshipping_freeshipping"] = "flatrate_flatrate"
    remote_ip: str = "203.0.113.7"

    def rate_for(self, tax_class: TaxClass) -> Rate | None:
        """Return the tax rate by where the goods go, or None where the recorded shop had none."""
        place = self.shipping or self.billing
        return _RATES.get((place.country, place.region_code if place.country == "US" else "", tax_class))


#: The store views of the recorded shop. Website ``outlet`` (view 4) has prices and shipping with tax.
VIEWS: Mapping[int, View] = {
    1: View(
        id=1,
        name="Main Website\nMain Website Store\nDefault Store View",
        method="unit",
        prices_include_tax=False,
        shipping_price=5.95,
    ),
    3: View(
        id=3,
        name="Main Website\nMain Website Store\nUS Dollar View",
        method="unit",
        prices_include_tax=False,
        shipping_price=5.95,
        currency="USD",
        rate=1.0837,
    ),
    4: View(
        id=4,
        name="Outlet Website\nOutlet Store\nOutlet English",
        method="total",
        prices_include_tax=True,
        shipping_price=5.95,
    ),
}

#: The sales rules of the recorded shop (``stores/004`` to ``008``).
COUPONS: Mapping[str, Coupon] = {
    coupon.code: coupon
    for coupon in (
        Coupon(code="TEN", rule_id=1, label="10 percent", action="by_percent", amount=10),
        Coupon(code="CART10", rule_id=2, label="Ten off cart", action="cart_fixed", amount=10),
        Coupon(
            code="SHIP15",
            rule_id=3,
            label="15pct incl shipping",
            action="by_percent",
            amount=15,
            apply_to_shipping=True,
        ),
        Coupon(
            code="FREE100",
            rule_id=4,
            label="Everything free",
            action="by_percent",
            amount=100,
            apply_to_shipping=True,
        ),
        Coupon(code="FREESHIP", rule_id=5, label="Free shipping", action="free_shipping"),
    )
}

#: (country, region, tax class) to rate, as recorded (``stores/017``, ``stores/018``). Shipping is "goods".
_RATES: Mapping[tuple[str, str, TaxClass], Rate] = {
    ("DE", "", "goods"): Rate(code="DE-19", percent=19),
    ("DE", "", "reduced"): Rate(code="DE-7", percent=7),
    ("FR", "", "goods"): Rate(code="FR-20", percent=20),
    ("US", "NY", "goods"): Rate(code="US-NY-8.375", percent=8.375),
}
