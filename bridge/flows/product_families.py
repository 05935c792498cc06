"""Plans configurables with their children: what Odoo should hold of each, and which option each child has."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from bridge.flows.context import FlowContext
from bridge.flows.product_batch import Outcome
from bridge.flows.product_book import gather_book, gather_texts
from bridge.translate.catalog_records import MagentoAttribute, MagentoProduct
from bridge.translate.product_plan import ProductBook, ProductPlan, ProductUnclear, plan_product


@dataclass(frozen=True, kw_only=True)
class Family:
    """A configurable with its children."""

    parent: MagentoProduct
    plan: ProductPlan
    #: The children that can be imported, by Magento's id.
    children: Mapping[str, ProductPlan]
    #: The option of each attribute, by child.
    options: Mapping[str, Mapping[int, str]]

    @property
    def entity(self) -> str:
        """Magento's id of the configurable."""
        return str(self.plan.product_id)

    @property
    def used(self) -> set[tuple[int, str]]:
        """The (attribute, option) pairs that children have."""
        return {pair for chosen in self.options.values() for pair in chosen.items()}

    def without(self, product_ids: Container[int]) -> Family:
        """Return the family without the children that ``product_ids`` names."""
        kept = {entity: plan for entity, plan in self.children.items() if plan.product_id not in product_ids}
        return replace(self, children=kept, options={entity: self.options[entity] for entity in kept})


def plan_families(
    ctx: FlowContext,
    parents: Sequence[MagentoProduct],
    children: Mapping[int, MagentoProduct],
    attributes: Mapping[int, MagentoAttribute],
    outcome: Outcome,
) -> list[Family]:
    """Return the configurables that can be imported, each with those of its children that can be."""
    book = gather_book(ctx, [*parents, *children.values()])
    texts = gather_texts(ctx, parents)
    families: list[Family] = []
    for parent in parents:
        own = [children[one] for one in parent.child_ids if one in children]
        plans, options = _plan_children(parent, own, attributes, book, outcome)
        prices = [one.price for one in own if one.price is not None and one.price > 0]
        try:
            plan = plan_product(
                parent, book, texts=texts.of(parent.product_id), list_price=min(prices, default=Decimal(0))
            )
        except ProductUnclear as error:
            outcome.refuse(parent.product_id, parent.sku, error)
        else:
            families.append(Family(parent=parent, plan=plan, children=plans, options=options))
    return families


def _plan_children(
    parent: MagentoProduct,
    children: Sequence[MagentoProduct],
    attributes: Mapping[int, MagentoAttribute],
    book: ProductBook,
    outcome: Outcome,
) -> tuple[dict[str, ProductPlan], dict[str, dict[int, str]]]:
    plans: dict[str, ProductPlan] = {}
    options: dict[str, dict[int, str]] = {}
    for child in children:
        try:
            chosen = _chosen(parent, child, attributes)
            plan = plan_product(child, book, is_variant=True)
        except ProductUnclear as error:
            outcome.refuse(child.product_id, child.sku, error)
        else:
            plans[str(child.product_id)], options[str(child.product_id)] = plan, chosen
    return plans, options


def _chosen(
    parent: MagentoProduct, child: MagentoProduct, attributes: Mapping[int, MagentoAttribute]
) -> dict[int, str]:
    """Return the option that a child has of each attribute of its configurable.

    Raises:
        ProductUnclear: it has none, or one that was deleted.
    """
    chosen: dict[int, str] = {}
    for option in parent.options:
        attribute = attributes.get(option.attribute_id)
        name = (
            attribute.label or attribute.code if attribute is not None else f"attribute {option.attribute_id}"
        )
        value = child.attributes.get(attribute.code) if attribute is not None else None
        if attribute is None or not isinstance(value, str) or value not in attribute.options:
            said = (
                f"option {value} of {name}, which is"
                if isinstance(value, str) and value
                else f"a {name} that is"
            )
            raise ProductUnclear(
                f"The product {child.sku}, a variant of {parent.sku}, has {said} not in Magento any more.",
                system="magento",
                reason="option",
                sku=child.sku,
            )
        chosen[option.attribute_id] = value
    return chosen
