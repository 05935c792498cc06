"""Which of Magento's attributes and options the values of variants stand for; options that are missing are added once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bridge.errors import OperatorError
from bridge.flows import magento_writes, product_source
from bridge.flows.context import FlowContext
from bridge.flows.export_goods import Goods
from bridge.flows.product_attributes import ATTRIBUTE_BINDING, VALUE_BINDING
from bridge.ledger import Pair
from bridge.translate.catalog_records import MagentoAttribute
from bridge.translate.raw_fields import clean_text

_OWN_VALUES = "product.template.attribute.value"
_ATTRIBUTE_MAPPING = "attribute"


class AttributeUnmapped(OperatorError):
    """An attribute of Odoo stands for none of Magento's."""

    code = "attribute_unmapped"


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One value of a variant."""

    attribute_id: int
    attribute: str
    value_id: int
    value: str


def choices_of(ctx: FlowContext, variants: Sequence[Goods]) -> dict[int, tuple[Choice, ...]]:
    """Return the values of each variant by its id."""
    ids = sorted({int(one) for v in variants for one in v.row["product_template_attribute_value_ids"]})
    fields = ["attribute_id", "product_attribute_value_id", "name"]
    rows = {int(row["id"]): row for row in ctx.odoo.read(_OWN_VALUES, ids, fields)}
    values = {
        own: Choice(
            attribute_id=int(row["attribute_id"][0]),
            attribute=str(row["attribute_id"][1]),
            value_id=int(row["product_attribute_value_id"][0]),
            value=clean_text(str(row["name"])),
        )
        for own, row in rows.items()
    }
    return {
        one.odoo_id: tuple(
            values[int(own)] for own in one.row["product_template_attribute_value_ids"] if int(own) in values
        )
        for one in variants
    }


def attributes_of(ctx: FlowContext, choices: Mapping[int, Iterable[Choice]]) -> dict[int, MagentoAttribute]:
    """Return Magento's attribute of each of Odoo's.

    Raises:
        AttributeUnmapped: one stands for none.
    """
    names = {one.attribute_id: one.attribute for chosen in choices.values() for one in chosen}
    bound = {
        one.odoo_id: int(one.magento_id)
        for one in ctx.ledger.bindings.by_odoo_many(ctx.instance.name, ATTRIBUTE_BINDING, names)
    }
    mapped = {
        row.odoo_id: row.value
        for row in ctx.ledger.mappings.list(ctx.instance.name, kind=_ATTRIBUTE_MAPPING)
        if row.state == "mapped" and row.odoo_id in names and row.odoo_id not in bound
    }
    catalog = product_source.catalog_of(ctx)
    there = catalog.attributes(sorted(bound.values()), codes=sorted(mapped.values()))
    by_code = {one.code: one for one in there.values()}
    found: dict[int, MagentoAttribute] = {}
    for odoo_id, name in names.items():
        known = there.get(bound[odoo_id]) if odoo_id in bound else by_code.get(mapped.get(odoo_id, ""))
        if known is None:
            raise AttributeUnmapped(
                f"Odoo's attribute {name} stands for no attribute of Magento.",
                system="magento",
                attribute=name,
                odoo_id=odoo_id,
            )
        found[odoo_id] = known
    return found


def options_of(
    ctx: FlowContext, choices: Mapping[int, Iterable[Choice]], attributes: Mapping[int, MagentoAttribute]
) -> dict[Choice, str]:
    """Return the option of each value, added where Magento has none of that label."""
    wanted = {choice for chosen in choices.values() for choice in chosen}
    bound = {
        (one.odoo_id, one.magento_id.partition("_")[0]): one.magento_id.partition("_")[2]
        for one in ctx.ledger.bindings.by_odoo_many(
            ctx.instance.name, VALUE_BINDING, [one.value_id for one in wanted]
        )
    }
    found: dict[Choice, str] = {}
    for choice in sorted(wanted, key=lambda one: (one.attribute_id, one.value_id)):
        attribute = attributes[choice.attribute_id]
        option = bound.get((choice.value_id, str(attribute.attribute_id)))
        if option is None or option not in attribute.options:
            option = _labelled(attribute, choice.value)
            is_adding = magento_writes.is_adding(
                ctx, attribute.code, choice.value, odoo_value=choice.value_id
            )
            if option is None or is_adding:
                option = _add_option(ctx, attribute, choice)
            _bind_option(ctx, attribute, choice, option)
        found[choice] = option
    return found


def _add_option(ctx: FlowContext, attribute: MagentoAttribute, choice: Choice) -> str:
    def find() -> str | None:
        again = product_source.catalog_of(ctx).attributes(codes=[attribute.code])
        return next((_labelled(one, choice.value) for one in again.values()), None)

    return magento_writes.add_option(ctx, attribute.code, choice.value, odoo_value=choice.value_id, find=find)


def _bind_option(ctx: FlowContext, attribute: MagentoAttribute, choice: Choice, option: str) -> None:
    pair = Pair(
        magento_id=f"{attribute.attribute_id}_{option}",
        odoo_model="product.attribute.value",
        odoo_id=choice.value_id,
        magento_label=choice.value,
    )
    ctx.ledger.bindings.bind_many(ctx.instance.name, VALUE_BINDING, [pair])


def _labelled(attribute: MagentoAttribute, label: str) -> str | None:
    wanted = label.casefold()
    return next(
        (option.value for option in attribute.options.values() if option.label.strip().casefold() == wanted),
        None,
    )
