"""Magento's catalog as the translation takes it: typed, with money as ``Decimal`` and nothing of JSON left.

Made from ``GET /V1/products``, ``/V1/products/attributes`` and ``/V1/categories/list`` (``catalog/*`` of the recordings).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

#: Magento's product types. Another one is kept as it is named: a module's own.
ProductType = Literal["simple", "configurable", "virtual", "downloadable", "bundle", "grouped", "giftcard"]


@dataclass(frozen=True, kw_only=True)
class MagentoCategory:
    """One category."""

    category_id: int
    #: 0 for the root of all, which is no category of a shop.
    parent_id: int
    name: str
    is_active: bool
    position: int
    #: 1 for a root category of a store group.
    level: int


@dataclass(frozen=True, kw_only=True)
class MagentoOption:
    """One value of an attribute."""

    #: Option id, as products name it.
    value: str
    label: str


@dataclass(frozen=True, kw_only=True)
class MagentoAttribute:
    """A product attribute with its values."""

    attribute_id: int
    code: str
    label: str
    #: ``select``, ``multiselect``, ``text``, ``price``, ...
    frontend_input: str
    options: Mapping[str, MagentoOption]


@dataclass(frozen=True, kw_only=True)
class MagentoImage:
    """An entry of a product's gallery."""

    entry_id: int
    #: Path below ``base_media_url`` + ``catalog/product``, with a slash in front.
    file: str
    label: str
    position: int
    is_disabled: bool
    #: ``image``, ``small_image``, ``thumbnail``: the roles it has.
    types: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class ConfigurableOption:
    """An attribute by which the children of a configurable differ."""

    attribute_id: int
    #: Option ids that the configurable offers.
    values: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class MagentoProduct:
    """One product, as the store code in the path shows it."""

    product_id: int
    sku: str
    name: str
    #: ``simple``, ``configurable``, ... as Magento names it.
    type_id: str
    attribute_set_id: int
    #: Price in the website's base currency; None where Magento has none. 0 for a configurable.
    price: Decimal | None
    cost: Decimal | None
    #: In the store's weight unit (``lbs`` or ``kgs``).
    weight: Decimal | None
    is_enabled: bool
    #: 1 not visible, 2 catalog, 3 search, 4 both.
    visibility: int
    tax_class_id: str | None
    #: HTML as Magento has it.
    description: str
    short_description: str
    category_ids: tuple[int, ...]
    website_ids: tuple[int, ...]
    #: Other custom attributes by code: strings, or lists of them.
    attributes: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    images: tuple[MagentoImage, ...] = ()
    options: tuple[ConfigurableOption, ...] = ()
    #: Entity ids of the children of a configurable.
    child_ids: tuple[int, ...] = ()
    #: UTC, as Magento writes it: ``2026-11-23 15:46:12``.
    updated_at: str = ""


@dataclass(frozen=True, kw_only=True)
class ProductText:
    """The texts of one product, as a store view shows them."""

    name: str
    #: HTML as Magento has it.
    description: str = ""
    short_description: str = ""
