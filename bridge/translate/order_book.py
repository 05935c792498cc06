"""What the translation of an order is given beside the order: settings, mapped taxes, products, Odoo's profile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from bridge.translate.money import ZERO
from bridge.translate.odoo_totals import OdooProfile, OdooTax

#: A mapping's kind and value, as the ledger keeps it.
MappingKey = tuple[str, str]

#: Kind of the mapping of an applied tax, value ``CODE|PERCENT``.
TAX = "tax"
#: Kind of the mapping of a line without tax, value ``COUNTRY|vat or novat|PERCENT or shipping`` (RULES 1.3).
ZERO_TAX = "zero_tax"
#: Kind of the mapping of what is no product of the catalog, value ``shipping``, ``discount``, ``store_credit``, ...
SERVICE = "service"
#: Kind of the error that names a product which is not in Odoo.
PRODUCT = "product"


@dataclass(frozen=True, kw_only=True)
class OrderRules:
    """The settings of an instance that decide about orders; names as in the settings."""

    order_total_policy: Literal["block", "warn", "adjust"] = "block"
    order_total_tolerance: Decimal = ZERO
    order_adjust_max: Decimal = Decimal("1.00")
    order_name_prefix: str = ""
    company_id: int | None = None
    warehouse_id: int | None = None
    team_id: int | None = None
    user_id: int | None = None
    payment_term_id: int | None = None
    #: The most lines that one Magento line may become so that its tax comes out as Magento's.
    most_pieces: int = 12
    #: The most lines that all lines which are cut may become; a pair of rounding lines is better than more.
    most_cut_lines: int = 30


@dataclass(frozen=True, kw_only=True)
class OrderBook:
    """Everything looked up for one order."""

    profile: OdooProfile
    rules: OrderRules = OrderRules()
    #: Odoo taxes by mapping key; an empty tuple is the explicit decision *no tax*. Absent is unmapped.
    taxes: Mapping[MappingKey, tuple[OdooTax, ...]] = field(default_factory=dict)
    #: Odoo product ids by Magento's ``item_id`` as ``needs(order).products`` names it.
    products: Mapping[int, int] = field(default_factory=dict)
    #: Odoo product ids by service: ``shipping``, ``discount``, ``adjustment`` and what extras name.
    services: Mapping[str, int] = field(default_factory=dict)
    #: Ids of ``res.country`` by ISO code.
    countries: Mapping[str, int] = field(default_factory=dict)
    #: Ids of ``res.country.state`` by (country code, state code), both upper case.
    states: Mapping[tuple[str, str], int] = field(default_factory=dict)
    #: Language of the customer, an installed one (``de_DE``); None leaves Odoo's default.
    lang: str | None = None
    #: Pricelist of the order's currency and company without discount display (RULES 1.12).
    pricelist_id: int | None = None
    #: Version of each mapping that was in force; one that is missing was not mapped.
    versions: Mapping[MappingKey, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ProductNeed:
    """A product that a line needs."""

    #: The line that it is for: the key into ``OrderBook.products``.
    item_id: int
    #: Magento's entity id of the product (configurable: the child's); the first thing to look up (RULES 1.7).
    product_id: int | None
    sku: str
    #: False for custom options and dynamic bundles: their SKU is in no catalog.
    is_catalog_sku: bool
    name: str
    product_type: str
    #: True where the line carries the price of a fixed bundle: its goods are lines of their own.
    is_service: bool = False


@dataclass(frozen=True, kw_only=True)
class OrderNeeds:
    """What must be looked up to translate an order."""

    #: Mappings of the kinds ``tax`` and ``zero_tax``.
    taxes: tuple[MappingKey, ...]
    #: Services (``shipping``, ``discount``, ...) that lines will need. ``adjustment`` only where it comes to that.
    services: tuple[str, ...]
    products: tuple[ProductNeed, ...]
    #: ISO codes of countries.
    countries: tuple[str, ...]
    #: (country code, region code).
    states: tuple[tuple[str, str], ...]
    currency: str
    store_id: int
    #: A label for each mapping, to show the operator what it stands for.
    labels: Mapping[MappingKey, str] = field(default_factory=dict)
