"""Imports many products at once: finds them in Odoo, makes what is missing, writes what changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bridge.errors import BridgeError, InvalidRecord, OperatorError
from bridge.flows.context import FlowContext
from bridge.flows.order_products import PRODUCT_BINDING
from bridge.flows.price_following import follow_prices
from bridge.flows.product_book import gather_book, gather_texts
from bridge.flows.product_claims import owners, same_sku
from bridge.flows.product_conflicts import heed_odoo
from bridge.flows.product_match import Match, match_skus
from bridge.flows.product_updates import Bound, update
from bridge.flows.product_writing import GOODS, NewRecord, Shelf, make, refusal
from bridge.ledger import Binding, Pair
from bridge.translate.catalog_records import MagentoProduct
from bridge.translate.product_fields import knows_odoo
from bridge.translate.product_plan import ProductPlan, ProductUnclear, fingerprint_of, plan_product

#: Kind of the bindings of children to the template of their configurable; id 0 while that is not made.
VARIANT_BINDING = "product_variant"


@dataclass(kw_only=True)
class Outcome:
    """What became of products."""

    made: int = 0
    #: Found in Odoo and bound; nothing was written to them.
    bound: int = 0
    updated: int = 0
    unchanged: int = 0
    #: SKUs that Odoo lacks while ``auto_create_products`` is off.
    missing: list[str] = field(default_factory=list)
    #: SKUs of bundles and grouped products that Odoo has no product for: none is needed, orders have their parts.
    without_kit: list[str] = field(default_factory=list)
    #: Why products were not imported, by Magento's id: each becomes a job of its own.
    refused: dict[int, OperatorError] = field(default_factory=dict)
    #: Why products could not be read, by Magento's id: likewise.
    unreadable: dict[int, InvalidRecord] = field(default_factory=dict)
    #: The products themselves, for what comes after: their pictures.
    read: list[MagentoProduct] = field(default_factory=list)

    def refuse(self, product_id: int, sku: str, error: BridgeError) -> None:
        """Note why a product was not imported."""
        self.refused[product_id] = refusal(sku, error)

    def as_result(self) -> dict[str, Any]:
        """Return the outcome as a job keeps it."""
        shown: dict[str, Any] = {
            name: getattr(self, name) for name in ("made", "bound", "updated", "unchanged")
        }
        shown |= {"missing": sorted(self.missing), "without_kit": sorted(self.without_kit)}
        if self.refused or self.unreadable:
            shown["jobs_of_their_own"] = sorted({*self.refused, *self.unreadable})
        return {name: value for name, value in shown.items() if value}


def import_singles(ctx: FlowContext, products: Sequence[MagentoProduct], outcome: Outcome) -> None:
    """Import products that are no configurables and none of their children."""
    outcome.read += products
    plans = _plans(ctx, products, outcome)
    bound = bindings_of(ctx, GOODS, plans)
    unbound = [plan for entity, plan in plans.items() if entity not in bound]
    rest = bind_found(ctx, unbound, outcome)
    kits = [plan for plan in rest if plan.role == "kit"]
    outcome.without_kit += [plan.sku for plan in kits]
    create(ctx, [plan for plan in rest if plan.role != "kit"], outcome)
    carry_over(ctx, GOODS, plans, outcome, found=bound)


def bindings_of(ctx: FlowContext, shelf: Shelf, entities: Iterable[str]) -> dict[str, Binding]:
    """Return the bindings of products by Magento's entity id."""
    return ctx.ledger.bindings.get_many(ctx.instance.name, shelf.kind, entities)


def bind_found(ctx: FlowContext, plans: Sequence[ProductPlan], outcome: Outcome) -> list[ProductPlan]:
    """Bind the products that Odoo has by their SKU, and return the others.

    A product that was there before keeps what it has: what Magento has now is noted, and carried over when it changes.
    """
    matches = match_skus(ctx, [plan.sku for plan in plans])
    conflicts, taken = same_sku(plans), owners(ctx, plans, matches)
    found: list[tuple[ProductPlan, Match]] = []
    rest: list[ProductPlan] = []
    for plan in plans:
        if plan.sku in matches.several:
            outcome.refuse(plan.product_id, plan.sku, matches.conflict(plan.sku))
        elif conflict := conflicts.get(plan.product_id) or taken.get(plan.product_id):
            outcome.refuse(plan.product_id, plan.sku, conflict)
        elif plan.sku in matches.found and plan.product_id not in taken:
            found.append((plan, matches.found[plan.sku]))
        else:
            rest.append(plan)
    ctx.ledger.bindings.bind_many(
        ctx.instance.name, PRODUCT_BINDING, [adoption(plan, match.product_id) for plan, match in found]
    )
    outcome.bound += len(found)
    return rest


def adoption(plan: ProductPlan, product_id: int) -> Pair:
    """Return the pair of a product with one that Odoo had before."""
    return Pair(
        magento_id=str(plan.product_id),
        odoo_model=GOODS.model,
        odoo_id=product_id,
        magento_label=plan.sku,
        odoo_label=plan.sku,
        fingerprint=fingerprint_of(plan),
    )


def create(
    ctx: FlowContext,
    plans: Sequence[ProductPlan],
    outcome: Outcome,
    *,
    more: Mapping[int, Mapping[str, str]] | None = None,
) -> None:
    """Make products, where they may be made; ``more`` has further cells by Magento's id."""
    if not ctx.settings.auto_create_products:
        outcome.missing += [plan.sku for plan in plans]
        return
    skus = {str(plan.product_id): plan.sku for plan in plans}
    records = [
        NewRecord(
            entity=str(plan.product_id),
            sku=plan.sku,
            cells={**plan.made_with, **plan.owned, **(more or {}).get(plan.product_id, {})},
        )
        for plan in plans
    ]
    outcome.made += make(
        ctx,
        GOODS,
        records,
        refused=lambda entity, error: outcome.refuse(int(entity), skus[entity], error),
    )


def carry_over(
    ctx: FlowContext,
    shelf: Shelf,
    plans: Mapping[str, ProductPlan],
    outcome: Outcome,
    *,
    found: Mapping[str, Binding],
) -> None:
    """Write what changed of products that are bound; ``found`` were bound before this import."""
    bound: list[Bound] = []
    there = bindings_of(ctx, shelf, plans)
    for entity, binding in there.items():
        plan = plans[entity]
        if plan.role == "kit":
            continue
        if binding.fingerprint is None and not ctx.writer.is_done(ctx.effect_key(shelf.kind, entity)):
            # Bound by an order, and not made for it: it keeps what it has.
            ctx.ledger.bindings.bind_many(ctx.instance.name, shelf.kind, [adoption(plan, binding.odoo_id)])
            outcome.bound += 1
            continue
        bound.append(Bound.of(plan, binding))
    # What was only just made and goes to the archive was nobody's to edit yet.
    heed_odoo(ctx, shelf, [one for one in bound if one.entity in found or one.change.names != {"active"}])
    updated = update(
        ctx,
        shelf,
        bound,
        refused=lambda entity, error: outcome.refuse(int(entity), plans[entity].sku, error),
    )
    updated |= follow_prices(
        ctx,
        shelf,
        plans,
        {entity: binding for entity, binding in there.items() if int(entity) not in outcome.refused},
        # What the bridge has made is bound with what was sent.
        made=[entity for entity in there.keys() - found.keys() if knows_odoo(there[entity].fingerprint)],
        refused=lambda entity, error: outcome.refuse(int(entity), plans[entity].sku, error),
    )
    outcome.updated += len(updated & found.keys())
    same = {one.entity for one in bound if not one.change} - updated
    outcome.unchanged += len(same & found.keys())


def _plans(ctx: FlowContext, products: Sequence[MagentoProduct], outcome: Outcome) -> dict[str, ProductPlan]:
    book = gather_book(ctx, products)
    texts = gather_texts(ctx, products)
    plans: dict[str, ProductPlan] = {}
    for product in products:
        try:
            plan = plan_product(product, book, texts=texts.of(product.product_id))
        except ProductUnclear as error:
            outcome.refuse(product.product_id, product.sku, error)
        else:
            plans[str(product.product_id)] = plan
    return plans
