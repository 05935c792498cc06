"""Import of Magento's products into Odoo: one by its id or SKU, or a batch that ``import-products`` planned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bridge.errors import BridgeError, InvalidRecord, RecordMissing
from bridge.flows import picture_edits, price_looks, product_source
from bridge.flows.context import FlowContext
from bridge.flows.freshness import insist_on_version
from bridge.flows.order_products import ProductUnknown
from bridge.flows.product_batch import VARIANT_BINDING, Outcome, import_singles
from bridge.flows.product_images import want_images
from bridge.flows.product_variants import import_configurables
from bridge.flows.product_writing import close_changes, settle, wait_for_changes
from bridge.flows.wants import want
from bridge.translate.catalog_records import MagentoProduct
from bridge.translate.product_plan import CONFIGURABLE


def run(ctx: FlowContext) -> Mapping[str, Any]:
    """Import the product whose entity id is the job's entity, with its children.

    Raises:
        InvalidRecord: Magento's product cannot be read.
        ProductUnclear, ProductRefused, DuplicateRecord, BoundRecordGone: why it is not imported.
        ProductUnknown: Odoo has no such product, ``auto_create_products`` is off, and a person asked for it.
    """
    product_id = int(ctx.job.entity)
    product = product_source.catalog_of(ctx).products_by_id([product_id]).get(product_id)
    if product is None:
        # Never deleted in Odoo either: orders may still name it.
        return {"gone_in_magento": 1}
    ctx.label = product.sku
    insist_on_version(ctx, {"updated_at": product.updated_at})
    outcome = Outcome()
    parent = _parent(ctx, product)
    _import(ctx, [parent or product], outcome)
    if product_id in outcome.refused:
        raise outcome.refused[product_id]
    if parent is not None and parent.product_id in outcome.refused:
        raise outcome.refused[parent.product_id]
    about = {product.sku} if parent is not None else set(outcome.missing)
    missing = sorted(about & set(outcome.missing))
    # A shop that says so of every product it saves is not to fill the list of what waits for a person.
    if missing and not ctx.job.data.get("by_event"):
        raise ProductUnknown(
            f"Odoo has no product with the SKU {', '.join(missing)}.", system="odoo", sku=missing
        )
    _own_jobs(ctx, outcome)
    _look_for_edits(ctx, outcome)
    # Whoever waits for this product waits for its pictures too.
    pictures = want_images(ctx, outcome.read)
    return outcome.as_result() | ({"job_ids": pictures} if pictures else {})


def run_batch(ctx: FlowContext) -> Mapping[str, Any]:
    """Import the products that the job names; those with something against them become jobs of their own."""
    ids = ctx.job.data.get("ids")
    if not isinstance(ids, list) or not all(isinstance(one, int) for one in ids):
        raise InvalidRecord("This batch of products names none. Start a new run: bridge run import-products.")
    outcome = Outcome()
    products = product_source.read_products(ctx, ids, outcome.unreadable)
    _import(ctx, [products[one] for one in ids if one in products], outcome)
    _own_jobs(ctx, outcome)
    want_images(ctx, outcome.read)
    _look_for_edits(ctx, outcome)
    gone = len(ids) - len(products) - len(outcome.unreadable.keys() & set(ids))
    return outcome.as_result() | ({"gone_in_magento": gone} if gone else {})


def find(ctx: FlowContext) -> Mapping[str, Any]:
    """Want the import of the product whose SKU is the job's entity.

    Raises:
        RecordMissing: Magento has no product with this SKU.
    """
    sku = ctx.job.entity
    row = ctx.magento.product_by_sku(sku)
    if row is None:
        raise RecordMissing(
            f"Magento has no product with the SKU {sku}.", system="magento", entity="product", sku=sku
        )
    wanted = want("import-product", instance=ctx.instance.name, entity=str(row["id"]), label=str(row["sku"]))
    return {"product_id": int(row["id"]), "job_id": ctx.ledger.jobs.want([wanted])[0].job_id}


def _import(ctx: FlowContext, products: Sequence[MagentoProduct], outcome: Outcome) -> None:
    wait_for_changes(ctx)
    settle(ctx)
    configurables = [one for one in products if one.type_id == CONFIGURABLE]
    if configurables:
        import_configurables(ctx, configurables, outcome)
    singles = [one for one in products if one.type_id != CONFIGURABLE]
    if singles:
        import_singles(ctx, singles, outcome)
    close_changes(ctx)


def _look_for_edits(ctx: FlowContext, outcome: Outcome) -> None:
    """Look in Magento for edits of what Odoo is the master of and no field of the product says."""
    price_looks.look_in_magento(ctx, [one.product_id for one in outcome.read])
    picture_edits.look_in_magento(ctx, outcome.read)


def _parent(ctx: FlowContext, product: MagentoProduct) -> MagentoProduct | None:
    """Return the configurable that a product is a variant of, as far as the bridge has seen it."""
    relation = ctx.ledger.bindings.get(ctx.instance.name, VARIANT_BINDING, product.product_id)
    if relation is None or not (relation.magento_label or "").isdecimal():
        return None
    parent_id = int(relation.magento_label or 0)
    parent = product_source.catalog_of(ctx).products_by_id([parent_id]).get(parent_id)
    # It may have left its configurable since.
    return parent if parent is not None and product.product_id in parent.child_ids else None


def _own_jobs(ctx: FlowContext, outcome: Outcome) -> None:
    """Make a job for each product that has something against it: it says what, and waits for a person."""
    wants = [
        want(
            "import-product",
            instance=ctx.instance.name,
            entity=str(product_id),
            label=_label(error),
            run_id=ctx.job.run_id,
        )
        for product_id, error in sorted({**outcome.refused, **outcome.unreadable}.items())
    ]
    if wants:
        ctx.ledger.jobs.want(wants)


def _label(error: BridgeError) -> str | None:
    sku = error.details.get("sku")
    return sku if isinstance(sku, str) else None
