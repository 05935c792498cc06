"""Magento's catalog as it answers over REST, read into records: products, attributes, categories.

What a record needs and lacks is refused by the path of its field. What a shop may leave out is absent here too:
no price is None, and 0 is a price.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from bridge.errors import InvalidRecord
from bridge.translate.catalog_records import (
    ConfigurableOption,
    MagentoAttribute,
    MagentoCategory,
    MagentoImage,
    MagentoOption,
    MagentoProduct,
    ProductText,
)
from bridge.translate.raw_fields import Fields, clean_text

#: What stands where a product has no image of a role (``catalog/033-product-get-configurable``).
NO_IMAGE = "no_selection"
#: Custom attributes that are fields of the record.
_OWN_FIELDS = frozenset({"category_ids", "cost", "description", "short_description", "tax_class_id"})
_DISABLED = 2
_VISIBLE_EVERYWHERE = 4

Value = str | tuple[str, ...]


def parse_product(raw: object) -> MagentoProduct:
    """Return one product of ``GET /V1/products`` or ``/V1/products/SKU``.

    A product without a name is named by its SKU; one without a status counts as enabled, as in Magento.

    Raises:
        InvalidRecord: it cannot be read; the field is named.
    """
    fields = _fields(raw, "product", "sku", "id")
    product_id = _id(fields, "id")
    sku = fields.required_text("sku")
    custom = _custom_attributes(fields)
    extension = fields.child("extension_attributes")
    visibility = fields.integer("visibility")
    return MagentoProduct(
        product_id=product_id,
        sku=sku,
        name=fields.text("name") or sku,
        type_id=fields.required_text("type_id"),
        attribute_set_id=fields.integer("attribute_set_id") or 0,
        price=fields.optional_decimal("price"),
        cost=_amount(custom, "cost", sku),
        weight=fields.optional_decimal("weight"),
        is_enabled=fields.integer("status") != _DISABLED,
        visibility=_VISIBLE_EVERYWHERE if visibility is None else visibility,
        tax_class_id=_text(custom, "tax_class_id") or None,
        description=_text(custom, "description"),
        short_description=_text(custom, "short_description"),
        category_ids=_category_ids(extension, custom, sku),
        website_ids=extension.integers("website_ids"),
        attributes={
            code: value for code, value in custom.items() if code not in _OWN_FIELDS and value != NO_IMAGE
        },
        images=tuple(sorted(_images(fields), key=lambda image: (image.position, image.entry_id))),
        options=tuple(_options(extension)),
        child_ids=extension.integers("configurable_product_links"),
        updated_at=fields.text("updated_at"),
    )


def parse_text(raw: object) -> ProductText:
    """Return the texts of one product of a list that a store view was asked for.

    Raises:
        InvalidRecord: it cannot be read; the field is named.
    """
    fields = _fields(raw, "product", "sku", "id")
    custom = _custom_attributes(fields)
    return ProductText(
        name=fields.text("name"),
        description=_text(custom, "description"),
        short_description=_text(custom, "short_description"),
    )


def parse_attribute(raw: object) -> MagentoAttribute:
    """Return one attribute of ``GET /V1/products/attributes``. An option without a label is named by its id.

    Raises:
        InvalidRecord: it cannot be read; the field is named.
    """
    fields = _fields(raw, "attribute", "attribute_code", "attribute_id")
    code = fields.required_text("attribute_code")
    options = {}
    for option in fields.children("options"):
        # The empty option stands for no choice; groups of options have a list for a value.
        if value := option.text("value"):
            options[value] = MagentoOption(value=value, label=option.text("label") or value)
    return MagentoAttribute(
        attribute_id=_id(fields, "attribute_id"),
        code=code,
        label=fields.text("default_frontend_label") or code,
        frontend_input=fields.text("frontend_input"),
        options=options,
    )


def parse_category(raw: object) -> MagentoCategory:
    """Return one category of ``GET /V1/categories/list``. Its name may be empty: whoever needs it decides.

    Raises:
        InvalidRecord: it cannot be read; the field is named.
    """
    fields = _fields(raw, "category", "name", "id")
    return MagentoCategory(
        category_id=_id(fields, "id"),
        parent_id=fields.required_integer("parent_id"),
        name=" ".join(fields.text("name").split()),
        is_active=fields.flag("is_active"),
        position=fields.integer("position") or 0,
        level=fields.integer("level") or 0,
    )


def _fields(raw: object, what: str, *names: str) -> Fields:
    """Return the fields of a record that messages call by the first of ``names`` that it has."""
    if not isinstance(raw, Mapping):
        raise InvalidRecord(f"Magento's {what} is not an object.", system="magento", field=what)
    called = next((text for name in names if (text := clean_text(raw.get(name)))), "")
    return Fields(raw, of=f"{what} {called[:80]}" if called else what)


def _id(fields: Fields, name: str) -> int:
    number = fields.required_integer(name)
    if number < 1:
        raise InvalidRecord(f"Magento's {name} {number} is no id.", system="magento", field=name)
    return number


def _custom_attributes(fields: Fields) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for row in fields.children("custom_attributes"):
        code = row.required_text("attribute_code")
        value = row.raw("value")
        if isinstance(value, list):
            found[code] = row.texts("value")
        elif value is not None and not isinstance(value, Mapping):
            found[code] = clean_text(value)
    return found


def _text(custom: Mapping[str, Value], code: str) -> str:
    value = custom.get(code, "")
    return value if isinstance(value, str) else ",".join(value)


def _amount(custom: Mapping[str, Value], code: str, sku: str) -> Decimal | None:
    return Fields(custom, of=f"product {sku}").optional_decimal(code)


def _category_ids(extension: Fields, custom: Mapping[str, Value], sku: str) -> tuple[int, ...]:
    """Return the categories of a product; lists carry them twice, and a module may leave one of the two out."""
    links = [_id(link, "category_id") for link in extension.children("category_links")]
    value = custom.get("category_ids", ())
    rows = list(value) if isinstance(value, tuple) else [part for part in value.split(",") if part.strip()]
    others = Fields({"category_ids": rows}, of=f"product {sku}").integers("category_ids")
    return tuple(dict.fromkeys([*links, *others]))


def _images(fields: Fields) -> Iterator[MagentoImage]:
    for entry in fields.children("media_gallery_entries"):
        file = entry.text("file")
        if not file or file == NO_IMAGE:
            continue
        yield MagentoImage(
            entry_id=_id(entry, "id"),
            file=file,
            label=entry.text("label"),
            position=entry.integer("position") or 0,
            is_disabled=entry.flag("disabled"),
            types=frozenset(entry.texts("types")),
        )


def _options(extension: Fields) -> Iterator[ConfigurableOption]:
    for option in extension.children("configurable_product_options"):
        values: list[Any] = [row.required_integer("value_index") for row in option.children("values")]
        yield ConfigurableOption(
            attribute_id=_id(option, "attribute_id"), values=tuple(dict.fromkeys(map(str, values)))
        )
