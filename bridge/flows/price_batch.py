"""Prices of a batch of products, Odoo to Magento: what Magento should have, against what it was last known to have.

A batch computes what Magento should have, and asks Magento only about products whose prices are others than those that
were last known there: the first export reads all of them, and writes what differs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bridge.errors import BoundRecordGone, BridgeError, OperatorError
from bridge.flows.context import FlowContext
from bridge.flows.order_products import PRODUCT_BINDING
from bridge.flows.price_following import PRICE_BINDING
from bridge.flows.price_source import Priced, groups_of, read_priced, scopes_of
from bridge.flows.price_writing import PriceChange, read_state, wait_for_prices, write_changes
from bridge.ledger import Binding, Pair
from bridge.magento import catalog
from bridge.translate.magento_prices import MagentoPrices, rows_between
from bridge.translate.price_plan import plan_prices
from bridge.translate.price_records import PricedProduct, PriceGroup, ProductPrices
from bridge.translate.product_plan import read_marks, write_marks

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
class Outcome:
    """What became of products."""

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


def export(ctx: FlowContext, entities: Sequence[str], outcome: Outcome, *, verify: bool) -> None:
    """Export the prices of products by Magento's ids; ``outcome`` is told of each that has something against it."""
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
    ctx: FlowContext, entities: Sequence[str], outcome: Outcome
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


def _name(ctx: FlowContext, products: Sequence[_Bound], outcome: Outcome) -> None:
    """Give products the SKU that Magento knows them by now; none where they have no price of their own, or are gone."""
    rows = catalog.products_by_id(ctx.magento, [int(one.entity) for one in products], fields=_FIELDS)
    for one in products:
        row = rows.get(int(one.entity))
        if row is None:
            outcome.gone_in_magento += 1
        elif row.get("type_id") not in PRICED_TYPES:
            outcome.without_price += 1
        one.sku = str(row["sku"]) if row is not None and row.get("type_id") in PRICED_TYPES else ""


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
