"""Export of Odoo's prices to Magento: ``bridge run export-prices`` plans batches of products that are bound.

Each run computes all prices (``price_batch``). One with ``look`` reads all of Magento's, too, to see what a person changed
there; ``--verify`` also puts Odoo's in its place. With ``--dry-run`` nothing is written, and what would be is told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bridge.errors import BridgeError, InvalidRecord, PermanentError, RecordMissing
from bridge.flows.context import FlowContext
from bridge.flows.order_products import PRODUCT_BINDING
from bridge.flows.price_batch import Manner, Outcome, export
from bridge.flows.price_source import groups_of, scopes_of
from bridge.flows.product_writing import digest
from bridge.flows.wants import want
from bridge.ledger import Want
from bridge.magento import catalog
from bridge.translate.price_records import PriceUnclear

#: Products of one batch.
PAGE_SIZE = 100


def run(ctx: FlowContext) -> Mapping[str, Any]:
    """Want the batches of one page of bound products; the job runs again until it is through.

    Raises:
        PriceUnclear: prices are kept in other currencies on both sides, or a pricelist is gone.
        RecordMissing: Magento has none of the products that were asked for.
    """
    scan = ctx.ledger.runs.of_planner(ctx.job)
    if scan is None:
        raise PermanentError("This run is gone from the ledger. Start a new one: bridge run export-prices.")
    ctx.reread_after_block()
    if ctx.settings.master("price") != "odoo":
        ctx.ledger.runs.page(ctx.job, scan.id, cursor=None, wants=[], seen=0)
        return {"outcome": not_master(ctx.instance.name)}
    if scan.cursor is None:
        # What blocks all prices blocks here, once, and not each of the batches.
        groups_of(ctx, scopes_of(ctx), ())
    how = {name: True for name in ("verify", "look", "dry_run") if scan.args.get(name)}
    asked = scan.args.get("skus")
    how |= {"again": True} if asked else {}
    if asked:
        ids = _ids_of(ctx, asked)
        batches = [ids[start : start + PAGE_SIZE] for start in range(0, len(ids), PAGE_SIZE)]
        after = None
    else:
        known = (scan.cursor or {}).get("after")
        page = ctx.ledger.bindings.list(
            ctx.instance.name, kind=PRODUCT_BINDING, after=known or "", limit=PAGE_SIZE
        )
        ids = [int(one.magento_id) for one in page if one.magento_id.isdecimal()]
        batches = [ids] if ids else []
        after = page[-1].magento_id if len(page) == PAGE_SIZE else None
    wants = [want_batch(ctx.instance.name, batch, how) for batch in batches]
    cursor = None if after is None else {"after": after}
    ctx.ledger.runs.page(ctx.job, scan.id, cursor=cursor, wants=wants, seen=len(ids))
    return {"products": len(ids)}


def run_batch(ctx: FlowContext) -> Mapping[str, Any]:
    """Export the prices of the products that the job names; those with something against them become jobs of their own."""
    ids = ctx.job.data.get("ids")
    if not isinstance(ids, list) or not all(isinstance(one, int) for one in ids):
        raise InvalidRecord(
            "This batch of prices names no products. Start a new run: bridge run export-prices."
        )
    if ctx.settings.master("price") != "odoo":
        return {"outcome": not_master(ctx.instance.name)}
    outcome, manner = Outcome(), _manner(ctx.job.data)
    export(ctx, [str(one) for one in ids], outcome, manner)
    wants = [
        want(
            "export-price",
            instance=ctx.instance.name,
            entity=entity,
            label=_label(error),
            run_id=ctx.job.run_id,
        )
        for entity, error in sorted(outcome.refused.items())
    ]
    # What is exported now has a job that waits for that: it finds nothing to do, and is done.
    wants += [
        want("export-price", instance=ctx.instance.name, entity=entity) for entity in sorted(outcome.mended)
    ]
    if wants and not manner.is_dry:
        ctx.ledger.jobs.want(wants)
    return outcome.as_result(is_dry=manner.is_dry)


def run_one(ctx: FlowContext) -> Mapping[str, Any]:
    """Export the prices of the product whose Magento id is the job's entity.

    Raises:
        PriceUnclear, PriceRefused, BoundRecordGone: why they are not exported.
    """
    ctx.reread_after_block()
    if ctx.settings.master("price") != "odoo":
        return {"outcome": not_master(ctx.instance.name)}
    outcome = Outcome()
    export(ctx, [ctx.job.entity], outcome, Manner(again=True))
    for error in outcome.refused.values():
        raise error
    return outcome.as_result()


def want_batch(instance: str, ids: Sequence[int], how: Mapping[str, bool]) -> Want:
    """Return the want of a batch of products by Magento's ids."""
    return want(
        "export-price-batch",
        instance=instance,
        entity=digest([ids, how]),
        label=f"{len(ids)} products",
        data={"ids": ids, **how},
    )


def _manner(data: Mapping[str, Any]) -> Manner:
    verifies = bool(data.get("verify"))
    return Manner(
        reads_all=verifies or bool(data.get("look")),
        mends=None if verifies else frozenset(),
        again=verifies or bool(data.get("again")),
        is_dry=bool(data.get("dry_run")),
    )


def not_master(name: str) -> str:
    """Return what is said where prices are Magento's."""
    return (
        "Magento is the master of prices, so none were exported. To let Odoo's prices go to Magento: "
        f"bridge instance set {name} --set sync_direction=price=odoo"
    )


def _ids_of(ctx: FlowContext, skus: Sequence[str]) -> list[int]:
    """Return the ids of the products with these SKUs, of a configurable those of its variants; all of them are bound."""
    rows = catalog.products_by_sku(ctx.magento, skus)
    missing = sorted({sku for sku in skus if sku not in rows})
    if missing:
        raise RecordMissing(
            f"Magento has no product with the SKU {', '.join(missing)}.",
            system="magento",
            entity="product",
            sku=missing[0],
        )
    found: dict[int, str] = {}
    for row in rows.values():
        links = (row.get("extension_attributes") or {}).get("configurable_product_links") or ()
        found |= {int(one): str(row["sku"]) for one in links or (row["id"],)}
    bound = ctx.ledger.bindings.get_many(ctx.instance.name, PRODUCT_BINDING, found)
    unbound = sorted({sku for id_, sku in found.items() if str(id_) not in bound})
    if unbound:
        raise PriceUnclear(
            f"The bridge does not know the Odoo product of {', '.join(unbound)} yet.",
            system="odoo",
            reason="not_bound",
            sku=unbound[0],
        )
    return sorted(found)


def _label(error: BridgeError) -> str | None:
    sku = error.details.get("sku")
    return sku if isinstance(sku, str) else None
