"""``bridge run sweep-products``: compare all of Magento's products with what Odoo was sent, and import those that differ.

Bulk writes of prices, costs, stock and categories do not move ``updated_at`` (``catalog/128``), so a scan misses them, and
a product that is deleted is in no scan. Twice over all products by id, as in ``import-products``: configurables first.
Nothing is asked of Odoo for a product that is as it was sent; products that are gone in Magento are named, never deleted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bridge.errors import PermanentError
from bridge.flows import product_source
from bridge.flows.context import FlowContext
from bridge.flows.import_products import batches
from bridge.flows.price_following import PRICE_BINDING, are_changed
from bridge.flows.product_batch import VARIANT_BINDING, bindings_of
from bridge.flows.product_book import Texts, gather_book, gather_texts
from bridge.flows.product_variants import note_children
from bridge.flows.product_writing import GOODS, TEMPLATES, Shelf
from bridge.flows.scanning import PAGE_SIZE
from bridge.ledger import Binding
from bridge.translate.catalog_records import MagentoProduct
from bridge.translate.product_plan import (
    CONFIGURABLE,
    ProductUnclear,
    change_of,
    plan_product,
    read_marks,
    role_of,
)

_FAMILIES, _SINGLES = "configurables", "others"
#: Products that are gone in Magento and named in the result; the others are only counted.
_NAMED = 50


def run(ctx: FlowContext) -> Mapping[str, Any]:
    """Compare one page of products and want the batches of those that differ; the job runs again until it is through."""
    sweep = ctx.ledger.runs.of_planner(ctx.job)
    if sweep is None:
        raise PermanentError("This run is gone from the ledger. Start a new one: bridge run sweep-products.")
    state: dict[str, Any] = dict(
        sweep.cursor or {"pass": _FAMILIES, "after": 0, "differ": 0, "gone": 0, "named": []}
    )
    is_first = state["pass"] == _FAMILIES
    page = product_source.catalog_of(ctx).sweep_products(after_id=state["after"], page_size=PAGE_SIZE)
    there = {*(one.product_id for one in page.products), *page.refused}
    if is_first:
        found = _families(ctx, page.products)
    else:
        found = _others(ctx, page.products)
        _note_gone(ctx, state, there, up_to=None if page.is_last else page.after_id)
    state["differ"] += sum(map(len, found.values()))
    wants = batches(ctx, state, found, is_last=page.is_last)
    result = {name: state[name] for name in ("differ", "gone", "named") if state[name]}
    onward: dict[str, Any] | None = {**state, "after": page.after_id}
    if page.is_last:
        onward = {**state, "pass": _SINGLES, "after": 0} if is_first else None
    # Each product is looked at twice and counted once.
    seen = 0 if is_first else len(there)
    ctx.ledger.runs.page(ctx.job, sweep.id, cursor=onward, wants=wants, seen=seen)
    return {"products": len(there), "pass": state["pass"], **result}


def _families(ctx: FlowContext, products: Sequence[MagentoProduct]) -> dict[str, Sequence[MagentoProduct]]:
    """Return the configurables that differ from what was sent, or have other children than the bridge knew."""
    parents = [one for one in products if one.type_id == CONFIGURABLE]
    children = [child for one in parents for child in one.child_ids]
    known = ctx.ledger.bindings.get_many(ctx.instance.name, VARIANT_BINDING, children)
    note_children(ctx, parents)
    changed = {one.product_id for one in _differing(ctx, TEMPLATES, parents)}
    changed -= _without_template(ctx, parents)
    return {
        "families": [
            one
            for one in parents
            if one.product_id in changed
            or any(_parent_of(known, child) != one.product_id for child in one.child_ids)
        ]
    }


def _without_template(ctx: FlowContext, parents: Sequence[MagentoProduct]) -> set[int]:
    """Return the configurables that need none: all of their children stand alone in Odoo."""
    made = bindings_of(ctx, TEMPLATES, [str(one.product_id) for one in parents])
    bare = [one for one in parents if str(one.product_id) not in made and one.child_ids]
    goods = bindings_of(ctx, GOODS, [str(child) for one in bare for child in one.child_ids])
    return {one.product_id for one in bare if all(str(child) in goods for child in one.child_ids)}


def _others(ctx: FlowContext, products: Sequence[MagentoProduct]) -> dict[str, Sequence[MagentoProduct]]:
    """Return the products that differ and stand alone, and the configurables of the children that differ."""
    ids = [one.product_id for one in products]
    known = ctx.ledger.bindings.get_many(ctx.instance.name, VARIANT_BINDING, ids)
    singles = [one for one in products if one.type_id != CONFIGURABLE]
    alone = [one for one in singles if str(one.product_id) not in known]
    children = [one for one in singles if str(one.product_id) in known]
    parents = {_parent_of(known, one.product_id) for one in _differing(ctx, GOODS, children, is_variant=True)}
    named = sorted(parent for parent in parents if parent is not None)
    families = product_source.catalog_of(ctx).products_by_id(named) if named else {}
    return {"families": list(families.values()), "alone": list(_differing(ctx, GOODS, alone))}


def _parent_of(known: Mapping[str, Binding], child: int) -> int | None:
    label = known[str(child)].magento_label if str(child) in known else None
    return int(label) if label is not None and label.isdecimal() else None


def _differing(
    ctx: FlowContext, shelf: Shelf, products: Sequence[MagentoProduct], *, is_variant: bool = False
) -> Iterator[MagentoProduct]:
    """Yield the products that are not bound, or of which something is not as it was sent."""
    if not products:
        return
    bound = bindings_of(ctx, shelf, [str(one.product_id) for one in products])
    book = gather_book(ctx, products)
    texts = Texts(by_language={}) if is_variant else gather_texts(ctx, products)
    follows = ctx.settings.master("price") == "magento"
    kept = ctx.ledger.bindings.get_many(ctx.instance.name, PRICE_BINDING, bound) if follows else {}
    for product in products:
        binding = bound.get(str(product.product_id))
        if binding is None:
            # Bundles and grouped products are bound where Odoo has them, and never made.
            if role_of(product) != "kit":
                yield product
        elif role_of(product) != "kit":
            try:
                plan = plan_product(product, book, is_variant=is_variant, texts=texts.of(product.product_id))
            except ProductUnclear:
                # Its batch says why, in a job of its own.
                yield product
                continue
            price = kept.get(str(product.product_id))
            marks = read_marks(price.fingerprint) if price is not None else {}
            if change_of(plan, binding.fingerprint) or are_changed(marks, plan):
                yield product


def _note_gone(ctx: FlowContext, state: dict[str, Any], there: set[int], *, up_to: int | None) -> None:
    """Note the products between two pages that Odoo has and Magento has not any more."""
    for shelf in (GOODS, TEMPLATES):
        bound = ctx.ledger.bindings.between(ctx.instance.name, shelf.kind, after=state["after"], up_to=up_to)
        for one in bound:
            if not one.magento_id.isdecimal() or int(one.magento_id) in there:
                continue
            state["gone"] += 1
            if len(state["named"]) < _NAMED:
                state["named"] = [*state["named"], one.magento_label or one.magento_id]
