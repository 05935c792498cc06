"""Export of Odoo's prices to Magento: ``bridge run export-prices`` plans batches of products that are bound.

A batch computes what Magento should have, and asks Magento only about products whose prices are others than those that
were last known there: the first export reads all of them, and writes what differs. A price that a person changed in
Magento meanwhile is seen by a run with ``--verify``, which reads all, and when the same price changes in Odoo. With
``--dry-run`` nothing is written, and what would be is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bridge.errors import (
    BoundRecordGone,
    BridgeError,
    InvalidRecord,
    OperatorError,
    PermanentError,
    RecordMissing,
)
from bridge.flows.context import FlowContext
from bridge.flows.order_products import PRODUCT_BINDING
from bridge.flows.price_following import PRICE_BINDING
from bridge.flows.price_source import Priced, groups_of, read_priced, scopes_of
from bridge.flows.price_writing import PriceChange, read_state, wait_for_prices, write_changes
from bridge.flows.product_writing import digest
from bridge.flows.wants import want
from bridge.ledger import Binding, Pair
from bridge.magento import catalog
from bridge.translate.magento_prices import MagentoPrices, rows_between
from bridge.translate.price_plan import plan_prices
from bridge.translate.price_records import PricedProduct, PriceGroup, PriceUnclear, ProductPrices
from bridge.translate.product_plan import read_marks, write_marks

#: Products of one batch.
PAGE_SIZE = 100
#: Types with prices of their own; a bundle's special price and tiers are percentages, others have none.
PRICED_TYPES = frozenset({"simple", "virtual", "downloadable"})
_FIELDS = "items[id,sku,type_id,extension_attributes[configurable_product_links]],total_count"
#: SKUs that a result names.
_MOST_NAMED = 10
_MODEL = "product.product"


@dataclass(kw_only=True)
class _Bound:
    """A bound product on its way."""

    entity: str
    binding: Binding
    prices: ProductPrices
    #: Digests of what Magento was last known to have.
    marks: dict[str, str]
    #: Of the row that keeps them; empty where there is none.
    version: str
    sku: str

    @property
    def changed(self) -> set[str]:
        """The prices that are others than those last known."""
        return {name for name, mark in self.prices.marks.items() if self.marks.get(name) != mark}


@dataclass(kw_only=True)
class _Outcome:
    written: int = 0
    unchanged: int = 0
    #: Magento had them already.
    found_equal: int = 0
    without_price: int = 0
    gone_in_magento: int = 0
    refused: dict[str, BridgeError] = field(default_factory=dict)
    unsaid: dict[str, list[str]] = field(default_factory=dict)
    #: By SKU and name of a price: what Magento has, and what it gets.
    changes: dict[str, dict[str, list[str | None]]] = field(default_factory=dict)
    #: Nothing is written.
    is_dry: bool = False

    def as_result(self) -> dict[str, Any]:
        """Return the outcome as a job keeps it."""
        names = ("written", "unchanged", "found_equal", "without_price", "gone_in_magento")
        shown: dict[str, Any] = {name: getattr(self, name) for name in names if getattr(self, name)}
        if self.is_dry:
            shown["would_write"] = len(self.changes)
        if self.changes:
            shown["changes"] = dict(sorted(self.changes.items())[:_MOST_NAMED])
        if self.unsaid:
            shown["not_exported"] = {
                words: {"count": len(skus), "skus": sorted(skus)[:_MOST_NAMED]}
                for words, skus in sorted(self.unsaid.items())
            }
        if self.refused:
            shown["jobs_of_their_own"] = sorted(self.refused)
        return shown


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
    how = {name: True for name in ("verify", "dry_run") if scan.args.get(name)}
    asked = scan.args.get("skus")
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
    wants = [
        want(
            "export-price-batch",
            instance=ctx.instance.name,
            entity=digest([batch, how]),
            label=f"{len(batch)} products",
            data={"ids": batch, **how},
        )
        for batch in batches
    ]
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
    outcome = _Outcome(is_dry=bool(ctx.job.data.get("dry_run")))
    _export(ctx, [str(one) for one in ids], outcome, verify=bool(ctx.job.data.get("verify")))
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
    if wants and not outcome.is_dry:
        ctx.ledger.jobs.want(wants)
    return outcome.as_result()


def run_one(ctx: FlowContext) -> Mapping[str, Any]:
    """Export the prices of the product whose Magento id is the job's entity.

    Raises:
        PriceUnclear, PriceRefused, BoundRecordGone: why they are not exported.
    """
    ctx.reread_after_block()
    if ctx.settings.master("price") != "odoo":
        return {"outcome": not_master(ctx.instance.name)}
    outcome = _Outcome()
    _export(ctx, [ctx.job.entity], outcome, verify=False)
    for error in outcome.refused.values():
        raise error
    return outcome.as_result()


def not_master(name: str) -> str:
    """Return what is said where prices are Magento's."""
    return (
        "Magento is the master of prices, so none were exported. To let Odoo's prices go to Magento: "
        f"bridge instance set {name} --set sync_direction=price=odoo"
    )


def _export(ctx: FlowContext, entities: Sequence[str], outcome: _Outcome, *, verify: bool) -> None:
    products, groups = _plan(ctx, entities, outcome)
    wanted = [one for one in products if verify or one.changed]
    outcome.unchanged += len(products) - len(wanted)
    if wanted:
        _name(ctx, wanted, outcome)
        wanted = [one for one in wanted if one.sku]
    if not wanted:
        return
    wait_for_prices(ctx, [one.sku for one in wanted])
    state = read_state(ctx, [one.sku for one in wanted])
    changes: list[PriceChange] = []
    nothing = MagentoPrices(base={}, special={}, tiers=())
    for one in wanted:
        has = state.get(one.sku.casefold(), nothing)
        there = has.like(one.prices, groups).texts
        differing = {name for name, text in one.prices.texts.items() if there.get(name) != text}
        if differing:
            rows = rows_between(one.sku, has, one.prices, groups, differing)
            changes.append(PriceChange(entity=one.entity, sku=one.sku, version=one.version, rows=rows))
            texts = one.prices.texts
            outcome.changes[one.sku] = {name: [there.get(name), texts[name]] for name in sorted(differing)}
        # Until the answer is there nobody knows what Magento has of these.
        one.marks = {name: mark for name, mark in one.marks.items() if name not in differing}
    if outcome.is_dry:
        outcome.found_equal += len(wanted) - len(changes)
        return
    written = {one.entity for one in changes if one.rows}
    _keep(ctx, [one for one in wanted if one.entity in written])
    write_changes(ctx, changes, refused=lambda entity, error: outcome.refused.update({entity: error}))
    done = [one for one in wanted if one.entity not in outcome.refused]
    for one in done:
        one.marks = {name: mark for name, mark in one.prices.marks.items() if name not in one.prices.given_up}
    _keep(ctx, done)
    outcome.written += len(written - outcome.refused.keys())
    outcome.found_equal += len([one for one in done if one.entity not in written])


def _plan(
    ctx: FlowContext, entities: Sequence[str], outcome: _Outcome
) -> tuple[list[_Bound], list[PriceGroup]]:
    bound = ctx.ledger.bindings.get_many(ctx.instance.name, PRODUCT_BINDING, entities)
    kept = ctx.ledger.bindings.get_many(ctx.instance.name, PRICE_BINDING, bound)
    marks = {entity: read_marks(one.fingerprint) for entity, one in kept.items()}
    scopes = scopes_of(ctx, _places(marks.values(), "base"))
    groups = groups_of(ctx, scopes, _places(marks.values(), "tier"))
    sources = [*(one.pricelist for one in scopes), *(one.pricelist for one in groups)]
    priced = read_priced(ctx, [one.odoo_id for one in bound.values()], sources)
    now = ctx.ledger.now()
    products: list[_Bound] = []
    for entity, binding in bound.items():
        sku = binding.magento_label or entity
        known = marks.get(entity, {})
        try:
            prices = plan_prices(
                _product(priced, binding, sku),
                priced.book,
                scopes=[one for one in scopes if not one.is_left_over or f"base@{one.store_id}" in known],
                groups=groups,
                now=now,
                sku=sku,
                given=known,
            )
        except OperatorError as error:
            outcome.refused[entity] = error
            continue
        for words in prices.unsaid:
            outcome.unsaid.setdefault(words, []).append(sku)
        products.append(
            _Bound(
                entity=entity,
                binding=binding,
                prices=prices,
                marks=known,
                version=kept[entity].updated_at.isoformat() if entity in kept else "",
                sku=sku,
            )
        )
    return products, groups


def _product(priced: Priced, binding: Binding, sku: str) -> PricedProduct:
    product = priced.products.get(binding.odoo_id)
    if product is None:
        raise BoundRecordGone(
            f"The Odoo product (id {binding.odoo_id}) of Magento's product {sku} was deleted. "
            "Archive products that are not sold any more.",
            system="odoo",
            model=_MODEL,
            id=binding.odoo_id,
            sku=sku,
        )
    return product


def _name(ctx: FlowContext, products: Sequence[_Bound], outcome: _Outcome) -> None:
    """Give products the SKU that Magento knows them by now; none where they have no price of their own, or are gone."""
    rows = catalog.products_by_id(ctx.magento, [int(one.entity) for one in products], fields=_FIELDS)
    for one in products:
        row = rows.get(int(one.entity))
        if row is None:
            outcome.gone_in_magento += 1
        elif row.get("type_id") not in PRICED_TYPES:
            outcome.without_price += 1
        one.sku = str(row["sku"]) if row is not None and row.get("type_id") in PRICED_TYPES else ""


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


def _keep(ctx: FlowContext, products: Iterable[_Bound]) -> None:
    """Write down what Magento is known to have."""
    ctx.ledger.bindings.bind_many(
        ctx.instance.name,
        PRICE_BINDING,
        [
            Pair(
                magento_id=one.entity,
                odoo_model=_MODEL,
                odoo_id=one.binding.odoo_id,
                magento_label=one.sku,
                fingerprint=write_marks(one.marks),
            )
            for one in products
        ],
    )


def _places(marks: Iterable[Mapping[str, str]], kind: str) -> set[int]:
    """Return the stores that base prices, or the groups that tiers, were written for."""
    names = (name.split("@") for one in marks for name in one)
    return {int(parts[1]) for parts in names if parts[0] == kind}


def _label(error: BridgeError) -> str | None:
    sku = error.details.get("sku")
    return sku if isinstance(sku, str) else None
