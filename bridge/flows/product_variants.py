"""Imports configurables: a template with its attributes, and a variant under a key of its own for each child (RULES 2.1)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from bridge.flows import product_source
from bridge.flows.context import FlowContext
from bridge.flows.order_writing import write_absolute
from bridge.flows.product_attributes import ATTRIBUTE, attribute_ids, mapped_attributes, value_ids
from bridge.flows.product_batch import (
    VARIANT_BINDING,
    Outcome,
    adoption,
    bindings_of,
    carry_over,
    create,
)
from bridge.flows.product_claims import owners, same_sku
from bridge.flows.product_families import Family, plan_families
from bridge.flows.product_match import match_skus
from bridge.flows.product_writing import GOODS, TEMPLATES, NewRecord, digest, make
from bridge.ledger import Binding, Pair
from bridge.translate.catalog_records import MagentoAttribute, MagentoProduct
from bridge.translate.product_plan import ProductPlan, fingerprint_of
from bridge.translate.raw_fields import clean_text

_OWN_VALUES = "product.template.attribute.value"
_LINES = "product.template.attribute.line"


def import_configurables(ctx: FlowContext, parents: Sequence[MagentoProduct], outcome: Outcome) -> None:
    """Import configurables with their children."""
    ids = sorted({child for parent in parents for child in parent.child_ids})
    children = product_source.read_products(ctx, ids, outcome.unreadable)
    outcome.read += (*parents, *children.values())
    wanted = sorted({option.attribute_id for parent in parents for option in parent.options})
    attributes = product_source.catalog_of(ctx).attributes(wanted) if wanted else {}
    _observe(ctx, parents, attributes)
    families = plan_families(ctx, parents, children, attributes, outcome)
    plans = {entity: plan for one in families for entity, plan in one.children.items()}
    bound = bindings_of(ctx, GOODS, plans)
    templates = bindings_of(ctx, TEMPLATES, [one.entity for one in families])
    unfinished = _bind_found(ctx, families, bound, templates, outcome)
    if ctx.settings.auto_create_products:
        _make(ctx, unfinished, attributes, outcome)
    else:
        for family in unfinished:
            outcome.missing += [] if family.entity in templates else [family.plan.sku]
            outcome.missing += _lacking(ctx, family)
    note_children(ctx, parents)
    carry_over(ctx, TEMPLATES, {one.entity: one.plan for one in families}, outcome, found=templates)
    carry_over(ctx, GOODS, plans, outcome, found=bound)


def _observe(
    ctx: FlowContext, parents: Sequence[MagentoProduct], attributes: Mapping[int, MagentoAttribute]
) -> None:
    """Count for the mapping center by which attributes the children of configurables differ."""
    ctx.ledger.mappings.observe_each(
        ctx.instance.name,
        "configurable",
        {
            str(parent.product_id): [
                (ATTRIBUTE, one.code, clean_text(one.label) or None, f"product {parent.sku}")
                for option in parent.options
                if (one := attributes.get(option.attribute_id)) is not None
            ]
            for parent in parents
        },
    )


def note_children(ctx: FlowContext, parents: Sequence[MagentoProduct]) -> None:
    """Write down whose children products are: read alone they look like any other, and are not to be made alone."""
    made = bindings_of(ctx, TEMPLATES, [str(one.product_id) for one in parents])
    ctx.ledger.bindings.bind_many(
        ctx.instance.name,
        VARIANT_BINDING,
        [
            Pair(
                magento_id=str(child),
                odoo_model=TEMPLATES.model,
                odoo_id=made[str(parent.product_id)].odoo_id if str(parent.product_id) in made else 0,
                magento_label=str(parent.product_id),
            )
            for parent in parents
            for child in parent.child_ids
        ],
    )


def _bind_found(
    ctx: FlowContext,
    families: Sequence[Family],
    bound: Mapping[str, Binding],
    templates: Mapping[str, Binding],
    outcome: Outcome,
) -> list[Family]:
    """Bind the variants that Odoo has by their SKU; return the families of which something is to be made.

    Where Odoo has variants of one template, that is the configurable. Products that stand alone stay alone: what is
    lacking beside them gets a template of its own.
    """
    plans = [plan for one in families for entity, plan in one.children.items() if entity not in bound]
    matches = match_skus(ctx, [plan.sku for plan in plans])
    conflicts, taken = same_sku(plans), owners(ctx, plans, matches)
    unfinished: list[Family] = []
    pairs: list[Pair] = []
    for family in families:
        open_ = [plan for entity, plan in family.children.items() if entity not in bound]
        homes: set[int] = set()
        lacking = False
        for plan in open_:
            if plan.sku in matches.several:
                outcome.refuse(plan.product_id, plan.sku, matches.conflict(plan.sku))
            elif conflict := conflicts.get(plan.product_id) or taken.get(plan.product_id):
                outcome.refuse(plan.product_id, plan.sku, conflict)
            elif plan.sku in matches.found and plan.product_id not in taken:
                match = matches.found[plan.sku]
                pairs.append(adoption(plan, match.product_id))
                homes |= {match.template_id} if match.is_variant else set()
            else:
                lacking = True
        if len(homes) == 1 and family.entity not in templates:
            _adopt_template(ctx, family.plan, homes.pop())
        if lacking:
            # What has something against it is not made either.
            unfinished.append(family.without(outcome.refused))
    ctx.ledger.bindings.bind_many(ctx.instance.name, GOODS.kind, pairs)
    outcome.bound += len(pairs)
    return unfinished


def _adopt_template(ctx: FlowContext, plan: ProductPlan, template_id: int) -> None:
    pair = Pair(
        magento_id=str(plan.product_id),
        odoo_model=TEMPLATES.model,
        odoo_id=template_id,
        magento_label=plan.sku,
        odoo_label=plan.sku,
        fingerprint=fingerprint_of(plan),
    )
    ctx.ledger.bindings.bind_many(ctx.instance.name, TEMPLATES.kind, [pair])


def _lacking(ctx: FlowContext, family: Family) -> list[str]:
    bound = bindings_of(ctx, GOODS, family.children)
    return [plan.sku for entity, plan in family.children.items() if entity not in bound]


def _make(
    ctx: FlowContext,
    families: Sequence[Family],
    known: Mapping[int, MagentoAttribute],
    outcome: Outcome,
) -> None:
    """Make the templates that are missing, and the variants."""
    varying = {attribute for family in families for attribute, _ in family.used}
    mapped, wrong = mapped_attributes(ctx, [known[one] for one in sorted(varying)])
    by_entity: dict[str, Family] = {}
    for family in families:
        error = next((wrong[one] for one, _ in sorted(family.used) if one in wrong), None)
        if error is not None:
            outcome.refuse(family.plan.product_id, family.plan.sku, error)
        elif family.children:
            by_entity[family.entity] = family
    if not by_entity:
        return
    used = {pair for family in by_entity.values() for pair in family.used}
    attributes = attribute_ids(ctx, [known[one] for one in sorted({one for one, _ in used})], mapped)
    values = value_ids(ctx, known, attributes, used, mapped)
    there = bindings_of(ctx, TEMPLATES, by_entity)
    outcome.made += make(
        ctx,
        TEMPLATES,
        [
            _template(ctx, family, attributes, values)
            for entity, family in by_entity.items()
            if entity not in there
        ],
        refused=lambda entity, error: outcome.refuse(int(entity), by_entity[entity].plan.sku, error),
    )
    templates = {entity: one.odoo_id for entity, one in bindings_of(ctx, TEMPLATES, by_entity).items()}
    own_values = _own_values(ctx, {templates[one]: by_entity[one] for one in templates}, attributes, values)
    plans: list[ProductPlan] = []
    cells: dict[int, dict[str, str]] = {}
    bound = bindings_of(ctx, GOODS, [entity for one in by_entity.values() for entity in one.children])
    for entity, template_id in templates.items():
        for child, plan in by_entity[entity].children.items():
            wanted = [(template_id, values[pair]) for pair in by_entity[entity].options[child].items()]
            if child in bound:
                continue
            if not all(pair in own_values for pair in wanted):
                # A template that was in Odoo before, with attributes of its own: a person adds to it.
                outcome.missing.append(plan.sku)
                continue
            plans.append(plan)
            cells[plan.product_id] = {
                "product_tmpl_id/.id": str(template_id),
                "product_template_attribute_value_ids/.id": ",".join(
                    str(one) for one in sorted(own_values[pair] for pair in wanted)
                ),
            }
    create(ctx, plans, outcome, more=cells)


def _template(
    ctx: FlowContext,
    family: Family,
    attributes: Mapping[int, int],
    values: Mapping[tuple[int, str], int],
) -> NewRecord:
    lines = []
    for option in family.parent.options:
        used = sorted({values[pair] for pair in family.used if pair[0] == option.attribute_id})
        line = ctx.external_id("product_template_line", f"{family.entity}_{option.attribute_id}")
        lines.append(
            {
                "attribute_line_ids/id": line,
                "attribute_line_ids/attribute_id/.id": str(attributes[option.attribute_id]),
                "attribute_line_ids/value_ids/.id": ",".join(map(str, used)),
            }
        )
    cells = {**family.plan.made_with, **family.plan.owned}
    return NewRecord(entity=family.entity, sku=family.plan.sku, cells=cells, lines=lines)


def _own_values(
    ctx: FlowContext,
    families: Mapping[int, Family],
    attributes: Mapping[int, int],
    values: Mapping[tuple[int, str], int],
) -> dict[tuple[int, int], int]:
    """Return the own values of templates by (template, value), added where a new child needs one."""
    if not families:
        return {}
    found, lines = _read_own_values(ctx, families)
    lacking: dict[int, list[int]] = {}
    for template_id, family in families.items():
        for pair in sorted(family.used):
            line_id = lines.get((template_id, attributes[pair[0]]))
            if line_id is not None and (template_id, values[pair]) not in found:
                lacking.setdefault(line_id, []).append(values[pair])
    for line_id, new in lacking.items():
        key = ctx.effect_key("product-line-values", digest([line_id, new]))
        links = [[4, one] for one in new]
        write_absolute(ctx, _LINES, [line_id], key=key, values={"value_ids": links})
    return _read_own_values(ctx, families)[0] if lacking else found


def _read_own_values(
    ctx: FlowContext, templates: Iterable[int]
) -> tuple[dict[tuple[int, int], int], dict[tuple[int, int], int]]:
    rows = ctx.odoo.search_read(
        _OWN_VALUES,
        [["product_tmpl_id", "in", sorted(templates)]],
        ["product_tmpl_id", "product_attribute_value_id", "attribute_line_id", "attribute_id"],
        order="id",
    )
    found: dict[tuple[int, int], int] = {}
    lines: dict[tuple[int, int], int] = {}
    for row in rows:
        template_id = int(row["product_tmpl_id"][0])
        found[template_id, int(row["product_attribute_value_id"][0])] = int(row["id"])
        lines[template_id, int(row["attribute_id"][0])] = int(row["attribute_line_id"][0])
    return found, lines
