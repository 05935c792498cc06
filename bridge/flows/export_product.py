"""Export of Odoo's products to Magento: one by its id or SKU, or a batch that ``export-products`` planned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bridge.errors import InvalidRecord, RecordMissing, StaleRead
from bridge.flows.context import FlowContext
from bridge.flows.export_batch import bind_found, carry_over, make_single
from bridge.flows.export_book import shop_of
from bridge.flows.export_families import make_families
from bridge.flows.export_goods import Exported, Goods, read_goods, with_refusals
from bridge.flows.export_images import export_images
from bridge.flows.freshness import insist_on_version, stale_reads
from bridge.flows.product_match import match_skus
from bridge.flows.product_writing import GOODS, TEMPLATES
from bridge.flows.wants import CHANGED_PRODUCTS, want, want_prices
from bridge.ledger import Binding

_SERVICE_BINDING = "service"
#: Odoo's own webhooks speak before the commit: what is unchanged is read once more, so much later (RULES 5.3).
LATER_SECONDS = 30.0


def run(ctx: FlowContext) -> Mapping[str, Any]:
    """Export the product whose ``product.product`` id is the job's entity, with its template and the other variants.

    Raises:
        ProductRefused, ProductUnclear, BoundRecordGone, AttributeUnmapped: why it is not exported.
    """
    product_id = int(ctx.job.entity)
    rows = ctx.odoo.read(GOODS.model, [product_id], ["product_tmpl_id", "default_code", "write_date"])
    if not rows:
        # Never deleted in Magento either: orders may still name it.
        return {"gone_in_odoo": 1}
    ctx.label = str(rows[0]["default_code"] or "") or None
    insist_on_version(ctx, rows[0], field="write_date", system="odoo")
    if ctx.settings.master("price") == "odoo":
        ctx.ledger.jobs.want([want_prices(ctx.instance.name, CHANGED_PRODUCTS)])
    outcome = Exported()
    export_templates(ctx, [int(rows[0]["product_tmpl_id"][0])], outcome)
    if product_id in outcome.refused:
        raise outcome.refused[product_id]
    _own_jobs(ctx, outcome)
    changed = outcome.made or outcome.bound or outcome.updated or outcome.conflicts
    if ctx.job.data.get("unversioned") and not changed and not stale_reads(ctx):
        raise StaleRead(
            "Nothing has changed in Odoo yet; the event may have come before the change was stored.",
            waits_for="version",
            retry_after=LATER_SECONDS,
            system="odoo",
        )
    return outcome.as_result()


def run_batch(ctx: FlowContext) -> Mapping[str, Any]:
    """Export the templates that the job names; products with something against them become jobs of their own."""
    ids = ctx.job.data.get("templates")
    if not isinstance(ids, list) or not all(isinstance(one, int) for one in ids):
        raise InvalidRecord("This batch of products names none. Start a new run: bridge run export-products.")
    outcome = Exported()
    export_templates(ctx, ids, outcome)
    _own_jobs(ctx, outcome)
    return outcome.as_result()


def find(ctx: FlowContext) -> Mapping[str, Any]:
    """Want the export of the product whose internal reference is the job's entity.

    Raises:
        RecordMissing: Odoo has no product with this reference.
        DuplicateRecord: it has several.
    """
    sku = ctx.job.entity
    matches = match_skus(ctx, [sku])
    if sku in matches.several:
        raise matches.conflict(sku)
    if sku not in matches.found:
        raise RecordMissing(
            f"Odoo has no product with the SKU {sku}.", system="odoo", entity="product", sku=sku
        )
    product_id = matches.found[sku].product_id
    wanted = want("export-product", instance=ctx.instance.name, entity=str(product_id), label=sku)
    return {"product_id": product_id, "job_id": ctx.ledger.jobs.want([wanted])[0].job_id}


def export_templates(ctx: FlowContext, template_ids: Sequence[int], outcome: Exported) -> None:
    """Export templates with their variants."""
    shop = shop_of(ctx)
    families = read_goods(ctx, template_ids, shop.languages)
    goods = _without_services(ctx, [one for variants in families.values() for one in variants])
    bound = _bindings(ctx, goods)
    known = [(one, bound[key]) for one in goods if (key := (one.shelf.kind, one.odoo_id)) in bound]
    carry_over(ctx, shop, known, outcome)
    unbound = [one for one in goods if (one.shelf.kind, one.odoo_id) not in bound]
    lacking = bind_found(ctx, [one for one in unbound if one.shelf is GOODS], outcome)
    for one in lacking:
        if not one.is_variant:
            # Variants are made with their configurable.
            with_refusals(outcome, one, lambda one=one: make_single(ctx, shop, one, outcome))  # type: ignore[misc]  # bound now
    make_families(ctx, shop, families, lacking, outcome)
    export_images(ctx, goods, outcome)


def _without_services(ctx: FlowContext, goods: Sequence[Goods]) -> list[Goods]:
    """Leave out what the bridge made for itself: shipping, discounts."""
    ids = [one.odoo_id for one in goods if one.shelf is GOODS]
    services = {
        one.odoo_id for one in ctx.ledger.bindings.by_odoo_many(ctx.instance.name, _SERVICE_BINDING, ids)
    }
    return [one for one in goods if one.shelf is TEMPLATES or one.odoo_id not in services]


def _bindings(ctx: FlowContext, goods: Sequence[Goods]) -> dict[tuple[str, int], Binding]:
    found: dict[tuple[str, int], Binding] = {}
    for shelf in (GOODS, TEMPLATES):
        ids = [one.odoo_id for one in goods if one.shelf is shelf]
        for binding in ctx.ledger.bindings.by_odoo_many(ctx.instance.name, shelf.kind, ids):
            found.setdefault((shelf.kind, binding.odoo_id), binding)
    return found


def _own_jobs(ctx: FlowContext, outcome: Exported) -> None:
    """Make a job for each product that has something against it: it says what, and waits for a person."""
    wants = [
        want(
            "export-product",
            instance=ctx.instance.name,
            entity=str(product_id),
            label=str(error.details["sku"]) if isinstance(error.details.get("sku"), str) else None,
            run_id=ctx.job.run_id,
        )
        for product_id, error in sorted(outcome.refused.items())
        if product_id and str(product_id) != ctx.job.entity
    ]
    if wants:
        ctx.ledger.jobs.want(wants)
