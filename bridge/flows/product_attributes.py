"""Attributes of configurables and their values in Odoo: made once, under keys of their own, and reused.

``create_variant`` is ``dynamic``: only the combinations that Magento sells are made (RULES 2.1). Attributes that were in
Odoo before are left alone, since most of them make every combination, unless a mapping names one that does not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from bridge.errors import MappingWrong
from bridge.flows.context import FlowContext
from bridge.flows.product_writing import digest
from bridge.ledger import Pair
from bridge.odoo import LoadRequest
from bridge.translate.catalog_records import MagentoAttribute
from bridge.translate.raw_fields import clean_text

#: Kind of the mappings of Magento's attributes to Odoo's.
ATTRIBUTE = "attribute"
ATTRIBUTE_BINDING = "attribute"
VALUE_BINDING = "attribute_value"
_VALUES = "product.attribute.value"
#: Values of one call: an attribute may have thousands.
_AT_ONCE = 500


def mapped_attributes(
    ctx: FlowContext, attributes: Iterable[MagentoAttribute]
) -> tuple[dict[int, int], dict[int, MappingWrong]]:
    """Return the Odoo attributes that mappings name, and why a mapping cannot be followed, by Magento's id."""
    wrong: dict[int, MappingWrong] = {}
    wanted: dict[int, tuple[MagentoAttribute, int]] = {}
    for one in attributes:
        row = ctx.ledger.mappings.get(ctx.instance.name, ATTRIBUTE, one.code)
        if row is not None and row.state == "ignored":
            wrong[one.attribute_id] = _wrong(one, "is ignored by its mapping, and variants differ by it")
        elif row is not None and row.state == "mapped" and row.odoo_id is not None:
            wanted[one.attribute_id] = (one, row.odoo_id)
    ids = sorted({odoo_id for _, odoo_id in wanted.values()})
    made = {int(row["id"]): row for row in ctx.odoo.read("product.attribute", ids, ["create_variant"])}
    for attribute_id, (one, odoo_id) in wanted.items():
        if odoo_id not in made:
            wrong[attribute_id] = _wrong(
                one, f"is mapped to an attribute (id {odoo_id}) that Odoo does not have"
            )
        elif made[odoo_id]["create_variant"] != "dynamic":
            wrong[attribute_id] = _wrong(
                one,
                f"is mapped to an attribute of Odoo (id {odoo_id}) that does not make its variants dynamically: "
                "it would make combinations that Magento does not sell",
            )
    found = {one: odoo_id for one, (_, odoo_id) in wanted.items() if one not in wrong}
    return found, wrong


def attribute_ids(
    ctx: FlowContext, attributes: Iterable[MagentoAttribute], mapped: Mapping[int, int]
) -> dict[int, int]:
    """Return the Odoo attributes of Magento's: those that are ``mapped``, the others made where they are missing."""
    rows = {
        str(one.attribute_id): (
            ctx.external_id(ATTRIBUTE_BINDING, str(one.attribute_id)),
            "dynamic",
            clean_text(one.label) or one.code,
        )
        for one in attributes
        if one.attribute_id not in mapped
    }
    found = _made(ctx, "product.attribute", ATTRIBUTE_BINDING, ("id", "create_variant", "name"), rows)
    return {int(entity): odoo_id for entity, odoo_id in found.items()} | dict(mapped)


def value_ids(
    ctx: FlowContext,
    attributes: Mapping[int, MagentoAttribute],
    odoo_attributes: Mapping[int, int],
    used: Iterable[tuple[int, str]],
    mapped: Mapping[int, int],
) -> dict[tuple[int, str], int]:
    """Return the Odoo values of (attribute, option) pairs, made where they are missing; deleted options have none.

    Of a ``mapped`` attribute the values that Odoo has by name are taken before any is made.
    """
    rows: dict[str, tuple[str, ...]] = {}
    pairs: dict[str, tuple[int, str]] = {}
    names = {one: _names(attribute) for one, attribute in attributes.items()}
    for attribute_id, option in sorted(set(used)):
        name = names.get(attribute_id, {}).get(option)
        if name is None or attribute_id not in odoo_attributes:
            continue
        # Values of an attribute that a mapping names are others than those of the bridge's own.
        own = f"_{mapped[attribute_id]}" if attribute_id in mapped else ""
        entity = f"{attribute_id}_{option}{own}"
        pairs[entity] = (attribute_id, option)
        rows[entity] = (ctx.external_id(VALUE_BINDING, entity), str(odoo_attributes[attribute_id]), name)
    _take_named(ctx, {entity: row for entity, row in rows.items() if pairs[entity][0] in mapped})
    fields = ("id", "attribute_id/.id", "name")
    found = _made(ctx, _VALUES, VALUE_BINDING, fields, rows)
    return {pairs[entity]: odoo_id for entity, odoo_id in found.items()}


def _take_named(ctx: FlowContext, rows: Mapping[str, tuple[str, ...]]) -> None:
    """Bind the values of mapped attributes that Odoo has by their names, without regard to case."""
    bound = ctx.ledger.bindings.get_many(ctx.instance.name, VALUE_BINDING, rows)
    missing = {entity: row for entity, row in rows.items() if entity not in bound}
    if not missing:
        return
    ids = sorted({int(attribute_id) for _, attribute_id, _ in missing.values()})
    there = {
        (str(row["attribute_id"][0]), str(row["name"]).casefold()): int(row["id"])
        for row in ctx.odoo.search_read(
            _VALUES, [["attribute_id", "in", ids]], ["attribute_id", "name"], order="id desc"
        )
    }
    pairs = [
        Pair(magento_id=entity, odoo_model=_VALUES, odoo_id=odoo_id, magento_label=name)
        for entity, (_, attribute_id, name) in missing.items()
        if (odoo_id := there.get((attribute_id, name.casefold()))) is not None
    ]
    ctx.ledger.bindings.bind_many(ctx.instance.name, VALUE_BINDING, pairs)


def _wrong(attribute: MagentoAttribute, said: str) -> MappingWrong:
    return MappingWrong(
        f"Magento's attribute {attribute.code} {said}.",
        system="odoo",
        reason="attribute",
        kind=ATTRIBUTE,
        value=attribute.code,
    )


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
