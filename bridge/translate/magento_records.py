"""A Magento order as typed records. All money is in the order's currency (FACTS 7: never ``base_*``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from bridge.translate.money import ZERO


@dataclass(frozen=True, kw_only=True)
class AppliedTax:
    """A tax that Magento applied, to the order, a line or the shipping."""

    code: str
    #: 19 is 19 %.
    percent: Decimal
    amount: Decimal

    @property
    def key(self) -> str:
        """The value of its mapping of the kind ``tax``: ``CODE|PERCENT``."""
        return tax_key(self.code, self.percent)


def tax_key(code: str, percent: Decimal) -> str:
    """Return ``CODE|PERCENT``, the percent without needless zeros."""
    text = f"{percent:f}"
    return f"{code}|{text.rstrip('0').rstrip('.') if '.' in text else text}"


@dataclass(frozen=True, kw_only=True)
class OrderItem:
    """One line of ``items``. Amounts as REST sends them; ``row_total`` is after the discount (FACTS 7)."""

    item_id: int
    parent_item_id: int | None
    product_id: int | None
    product_type: str
    sku: str
    name: str
    qty_ordered: Decimal
    qty_canceled: Decimal
    qty_invoiced: Decimal
    qty_shipped: Decimal
    qty_refunded: Decimal
    price: Decimal
    price_incl_tax: Decimal | None
    row_total: Decimal
    row_total_incl_tax: Decimal | None
    tax_amount: Decimal
    #: Absent on the parent of a dynamic bundle.
    tax_percent: Decimal | None
    #: Positive on lines.
    discount_amount: Decimal
    discount_tax_compensation: Decimal
    taxes: tuple[AppliedTax, ...] = ()
    #: Texts of custom options, choices and links, for the line's text.
    options: tuple[str, ...] = ()
    has_custom_options: bool = False
    is_virtual: bool = False
    #: Fixed product taxes (weee) of the row.
    weee_amount: Decimal = ZERO
    gift_message: str = ""

    @property
    def net(self) -> Decimal:
        """The row without tax, after the discount: row_total_incl_tax - tax_amount (RULES 1.2)."""
        if self.row_total_incl_tax is None:
            return self.row_total + self.discount_tax_compensation
        return self.row_total_incl_tax - self.tax_amount

    @property
    def gross(self) -> Decimal:
        """The row with tax, after the discount."""
        return self.net + self.tax_amount

    @property
    def net_discount(self) -> Decimal:
        """The discount without tax: its tax is in ``discount_tax_compensation`` where prices include tax."""
        return self.discount_amount - self.discount_tax_compensation

    @property
    def net_before_discount(self) -> Decimal:
        """The row without tax, before the discount (RULES 1.2)."""
        return self.net + self.net_discount

    @property
    def discounts_gross(self) -> bool:
        """Whether the discount was taken off a price that includes tax."""
        return self.discount_tax_compensation != ZERO


@dataclass(frozen=True, kw_only=True)
class OrderAddress:
    """A billing or shipping address: a copy that belongs to the order (FACTS 7)."""

    firstname: str = ""
    middlename: str = ""
    lastname: str = ""
    prefix: str = ""
    suffix: str = ""
    company: str = ""
    street: tuple[str, ...] = ()
    postcode: str = ""
    city: str = ""
    #: ISO 3166 alpha-2, upper case.
    country: str = ""
    region: str = ""
    region_code: str = ""
    telephone: str = ""
    email: str = ""
    vat_id: str = ""


@dataclass(frozen=True, kw_only=True)
class Shipping:
    """The order's shipping; amounts before, tax after the shipping discount (FACTS 7)."""

    method: str
    description: str
    amount: Decimal
    incl_tax: Decimal
    discount: Decimal
    discount_tax_compensation: Decimal
    tax: Decimal
    taxes: tuple[AppliedTax, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Extra:
    """Something else that stands in the grand total: a fee, gift wrapping, a fixed product tax, a credit."""

    #: Value of its mapping of the kind ``service``: ``gift_wrapping``, ``store_credit``, ``fee|CODE``.
    code: str
    label: str
    #: Without tax; negative for what was paid by credit.
    net: Decimal
    tax: Decimal = ZERO
    #: Its taxes by Magento's own word, where it gives them.
    taxes: tuple[AppliedTax, ...] = ()
    #: Whether it is a means of payment and not revenue (RULES 1.5): never taxed.
    is_payment: bool = False


@dataclass(frozen=True, kw_only=True)
class OrderCustomer:
    """Who ordered."""

    #: Magento's customer id; None for a guest.
    id: int | None
    is_guest: bool
    email: str
    firstname: str
    middlename: str
    lastname: str
    prefix: str
    suffix: str
    taxvat: str
    group_id: int | None


@dataclass(frozen=True, kw_only=True)
class MagentoOrder:
    """One order, parsed."""

    entity_id: int
    increment_id: str
    quote_id: int | None
    store_id: int
    store_name: str
    state: str
    status: str
    #: UTC.
    created_at: datetime
    #: UTC; the version of the record, as the event names it.
    updated_at: str
    currency: str
    base_currency: str
    base_to_order_rate: Decimal
    subtotal: Decimal
    #: Negative; contains the shipping discount.
    discount_amount: Decimal
    discount_tax_compensation: Decimal
    tax_amount: Decimal
    grand_total: Decimal
    coupon_code: str
    discount_description: str
    customer: OrderCustomer
    billing: OrderAddress
    #: None where everything is virtual.
    delivery: OrderAddress | None
    shipping: Shipping
    items: tuple[OrderItem, ...]
    taxes: tuple[AppliedTax, ...]
    extras: tuple[Extra, ...] = ()
    payment_method: str = ""
    payment_title: str = ""
    customer_note: str = ""
    gift_message: str = ""
    comments: tuple[str, ...] = ()
    ext_order_id: str = ""
    #: Other amounts by field name, for who explains a difference.
    other_amounts: Mapping[str, Decimal] = field(default_factory=dict)

    @property
    def nameless(self) -> str:
        """What the customer is called where the order has no name at all."""
        return f"Customer of order {self.increment_id}"

    @property
    def destination(self) -> OrderAddress:
        """Where the goods go: what taxes depend on."""
        return self.delivery or self.billing

    @property
    def has_vat_id(self) -> bool:
        """Whether the buyer gave a VAT id."""
        return bool(self.destination.vat_id or self.billing.vat_id or self.customer.taxvat)

    def children_of(self, item: OrderItem) -> tuple[OrderItem, ...]:
        """Return the lines whose parent is ``item``."""
        return tuple(other for other in self.items if other.parent_item_id == item.item_id)

    @property
    def top_items(self) -> tuple[OrderItem, ...]:
        """The lines without a parent."""
        return tuple(item for item in self.items if item.parent_item_id is None)

    @property
    def unexplained(self) -> Decimal:
        """What stands in the grand total beyond its known parts (FACTS 7); 0 in every recording."""
        known = (
            self.subtotal
            + self.discount_amount
            + self.shipping.amount
            + self.tax_amount
            + self.discount_tax_compensation
            + self.shipping.discount_tax_compensation
        )
        return self.grand_total - known
