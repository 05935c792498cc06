"""Records of prices: Odoo's pricelists with their rules, and what Magento should hold of a product."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from bridge.errors import OperatorError

AppliesTo = Literal["3_global", "2_product_category", "1_product", "0_product_variant"]
Method = Literal["fixed", "percentage", "formula"]
PriceBase = Literal["list_price", "standard_price", "pricelist"]

#: Magento's id of all customer groups (``catalog/103-product-get-tier-prices``).
ALL_GROUPS = 32000
#: Magento's id of all websites, and of the store that holds default values.
EVERYWHERE = 0
#: Length of the digest of one price.
_MARK = 10


class PriceUnclear(OperatorError):
    """A price of Odoo cannot be said in Magento as it is."""

    code = "price_unclear"


@dataclass(frozen=True, kw_only=True)
class PriceRule:
    """A rule of a pricelist (``product.pricelist.item``)."""

    id: int
    applies_to: AppliesTo
    #: The variant, template or category that it is about.
    about: int | None
    min_quantity: Decimal
    #: From when on and until when it holds, both with their second.
    start: datetime | None
    end: datetime | None
    method: Method
    fixed: Decimal
    percent: Decimal
    base: PriceBase
    base_pricelist: int | None
    discount: Decimal
    rounding: Decimal
    surcharge: Decimal
    min_margin: Decimal
    max_margin: Decimal


@dataclass(frozen=True, kw_only=True)
class Pricelist:
    """A pricelist with the rules that may be about the products at hand, in Odoo's own order: the first that fits counts."""

    id: int
    name: str
    currency: str
    rules: Sequence[PriceRule] = ()


@dataclass(frozen=True, kw_only=True)
class PricedProduct:
    """What of a product (``product.product``) its prices are computed from, in the company's currency."""

    variant_id: int
    template_id: int
    #: Its category and all above it.
    categories: frozenset[int]
    list_price: Decimal
    cost: Decimal


@dataclass(frozen=True, kw_only=True)
class PriceBook:
    """What prices are computed with."""

    #: The company's currency: list prices and costs are in it.
    currency: str
    #: Digits that a price keeps in Odoo.
    digits: int
    pricelists: Mapping[int, Pricelist] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class PriceScope:
    """Where in Magento one base price and one special price hold: everywhere, or on one website."""

    #: Magento's store id: 0 everywhere, else a store view of the website.
    store_id: int
    #: Further store views of the website: a special price holds for one view alone, a base price for all of them.
    other_views: Sequence[int] = ()
    #: What people call it: ``all websites``, ``website outlet``.
    title: str
    #: Where prices come from; None: the sales price of the product.
    pricelist: int | None
    #: The currency that prices are kept in.
    currency: str
    #: IANA name of the time zone that dates are read in.
    timezone: str = "UTC"
    #: The websites whose tier prices are computed beside this base price; all of them (0) where there is no other.
    websites: Sequence[int] = (EVERYWHERE,)
    #: Whether it has prices only because it had some before: a website's own price cannot be deleted.
    is_left_over: bool = False

    @property
    def special_stores(self) -> tuple[int, ...]:
        """Where a special price is said: in each store view of the website."""
        return (self.store_id, *self.other_views)


@dataclass(frozen=True, kw_only=True)
class PriceGroup:
    """A customer group of Magento whose customers buy by a pricelist of their own."""

    group_id: int
    #: The name that the price endpoints know it by; None where Magento has no such group any more.
    name: str | None
    #: None: not any more; what the bridge gave it is taken away.
    pricelist: int | None
    #: The currency of that pricelist: it is for websites that keep prices in it.
    currency: str = ""


@dataclass(frozen=True, kw_only=True)
class SpecialPrice:
    """A price for some days, both included, in the time zone of the store; None is without end."""

    price: Decimal
    first_day: date | None
    last_day: date | None


#: Quantity and price from it on.
Tiers = tuple[tuple[Decimal, Decimal], ...]
#: A group and a website.
TierKey = tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class ProductPrices:
    """The prices that Magento should have of one product, or has. What is missing here is not the bridge's."""

    base: Mapping[int, Decimal] = field(default_factory=dict)
    #: None: there is none.
    special: Mapping[int, SpecialPrice | None] = field(default_factory=dict)
    tiers: Mapping[TierKey, Tiers] = field(default_factory=dict)
    #: What of Odoo's prices Magento cannot say, by the words for it.
    unsaid: frozenset[str] = frozenset()
    #: Names (as in ``texts``) of what is taken away because no pricelist says it any more.
    given_up: frozenset[str] = frozenset()

    @property
    def texts(self) -> dict[str, str]:
        """Each price as a text, by name: ``base@0``, ``special@3``, ``tier@2@0``. Equal texts are equal prices."""
        found = {f"base@{store}": number(price) for store, price in self.base.items()}
        for store, special in self.special.items():
            found[f"special@{store}"] = (
                "none"
                if special is None
                else f"{number(special.price)} {special.first_day or ''}..{special.last_day or ''}"
            )
        for (group, website), tiers in self.tiers.items():
            rows = sorted(tiers)
            found[f"tier@{group}@{website}"] = " ".join(
                f"{number(quantity)}:{number(price)}" for quantity, price in rows
            )
        return found

    @property
    def marks(self) -> dict[str, str]:
        """A digest of each of ``texts``."""
        return {name: mark_of_price(text) for name, text in self.texts.items()}


def mark_of_price(text: str) -> str:
    """Return a short digest of a price that is a text: what was sent is told from it, never kept."""
    return hashlib.sha256(text.encode()).hexdigest()[:_MARK]


def number(value: Decimal) -> str:
    """Return ``value`` in its shortest form, without an exponent."""
    text = f"{value:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in {"-0", ""} else text
