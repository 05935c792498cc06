"""Attributes of configurables and their values in Odoo: made once, under keys of their own, and reused.

``create_variant`` is ``dynamic``: only the combinations that Magento sells are made (RULES 2.1). Attributes that were in
Odoo before are left alone: most of them make every combination.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from bridge.flows.context import FlowContext
from bridge.flows.product_writing import digest
from bridge.ledger import Pair
from bridge.odoo import LoadRequest
from bridge.translate.catalog_records import MagentoAttribute
from bridge.translate.raw_fields import clean_text

ATTRIBUTE_BINDING = "attribute"
VALUE_BINDING = "attribute_value"
#: Values of one call: an attribute may have thousands.
_AT_ONCE = 500


def attribute_ids(ctx: FlowContext, attributes: Iterable[MagentoAttribute]) -> dict[int, int]:
    """Return the Odoo attributes of Magento's, made where they are missing."""
    rows = {
        str(one.attribute_id): (
            ctx.external_id(ATTRIBUTE_BINDING, str(one.attribute_id)),
            "dynamic",
            clean_text(one.label) or one.code,
        )
        for one in attributes
    }
    found = _made(ctx, "product.attribute", ATTRIBUTE_BINDING, ("id", "create_variant", "name"), rows)
    return {int(entity): odoo_id for entity, odoo_id in found.items()}


def value_ids(
    ctx: FlowContext,
    attributes: Mapping[int, MagentoAttribute],
    odoo_attributes: Mapping[int, int],
    used: Iterable[tuple[int, str]],
) -> dict[tuple[int, str], int]:
    """Return the Odoo values of (attribute, option) pairs, made where they are missing; deleted options have none."""
    rows: dict[str, tuple[str, ...]] = {}
    pairs: dict[str, tuple[int, str]] = {}
    names = {one: _names(attribute) for one, attribute in attributes.items()}
    for attribute_id, option in sorted(set(used)):
        name = names.get(attribute_id, {}).get(option)
        if name is None or attribute_id not in odoo_attributes:
            continue
        entity = f"{attribute_id}_{option}"
        pairs[entity] = (attribute_id, option)
        rows[entity] = (ctx.external_id(VALUE_BINDING, entity), str(odoo_attributes[attribute_id]), name)
    fields = ("id", "attribute_id/.id", "name")
    found = _made(ctx, "product.attribute.value", VALUE_BINDING, fields, rows)
    return {pairs[entity]: odoo_id for entity, odoo_id in found.items()}


def _names(attribute: MagentoAttribute) -> dict[str, str]:
    """Return a name for each option that no other option has: 16 refuses two of one name."""
    labels = {value: clean_text(option.label) or value for value, option in attribute.options.items()}
    often = Counter(label.casefold() for label in labels.values())
    return {
        value: label if often[label.casefold()] == 1 else f"{label} ({value})"
        for value, label in labels.items()
    }


def _made(
    ctx: FlowContext,
    model: str,
    kind: str,
    fields: tuple[str, ...],
    rows: Mapping[str, tuple[str, ...]],
) -> dict[str, int]:
    bound = ctx.ledger.bindings.get_many(ctx.instance.name, kind, rows)
    found = {entity: binding.odoo_id for entity, binding in bound.items()}
    missing = sorted(entity for entity in rows if entity not in found)
    for start in range(0, len(missing), _AT_ONCE):
        batch = missing[start : start + _AT_ONCE]
        request = LoadRequest(model=model, fields=fields, rows=tuple(rows[entity] for entity in batch))
        loaded = ctx.writer.load_many(
            ctx.odoo,
            key=ctx.effect_key(f"{kind}s", digest(batch)),
            kind=f"create-{kind.replace('_', '-')}s",
            request=request,
        )
        made = dict(zip(batch, loaded.ids, strict=True))
        ctx.ledger.bindings.bind_many(
            ctx.instance.name,
            kind,
            [
                Pair(magento_id=entity, odoo_model=model, odoo_id=odoo_id, magento_label=rows[entity][-1])
                for entity, odoo_id in made.items()
            ],
        )
        found |= made
    return found
