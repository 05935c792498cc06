"""Prices of a batch of products, Odoo to Magento: what Magento should have, against what it was last known to have.

A batch computes what Magento should have, and asks Magento only about products whose prices are others than those that
were last known there: the first export reads all of them, and writes what differs. A price that a person changed in
Magento is a conflict (``price_edits``), and stays there until Odoo changes that price. What Magento refused is not sent
again with the same figures, unless a person asks for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bridge.errors import BoundRecordGone, BridgeError, OperatorError
from bridge.flows.context import FlowContext
from bridge.flows.order_products import PRODUCT_BINDING
from bridge.flows.price_edits import differing, note_edits, under_way
from bridge.flows.price_following import PRICE_BINDING
from bridge.flows.price_source import Priced, groups_of, read_priced, scopes_of
from bridge.flows.price_writing import PriceChange, read_state, wait_for_prices, write_changes
from bridge.ledger import Binding, Pair, SeenEdit
from bridge.magento import catalog
from bridge.translate.magento_prices import MagentoPrices, rows_between
from bridge.translate.price_plan import plan_prices
from bridge.translate.price_records import PricedProduct, PriceGroup, ProductPrices, mark_of_price
from bridge.translate.product_plan import read_marks, write_marks

#: Types with prices of their own; a bundle's special price and tiers are percentages, others have none.
PRICED_TYPES = frozenset({"simple", "virtual", "downloadable"})
_FIELDS = "items[id,sku,type_id,extension_attributes[configurable_product_links]],total_count"
#: SKUs that a result names.
_MOST_NAMED = 10
_MODEL = "product.product"
#: What stands among the marks for the figures, or the words, that were refused.
REFUSED = "refused"


@dataclass(frozen=True, kw_only=True)
class Manner:
    """How a batch is exported; as it stands here it is how the clock does it."""

    #: Magento's prices are read also where Odoo's did not change.
    reads_all: bool = False
    #: Names of prices that are Odoo's again though a person changed them in Magento; None: all of them.
    mends: frozenset[str] | None = frozenset()
    #: A person asks: what was refused with the same figures is sent again.
    again: bool = False
    #: Nothing is written, and what would be is told.
    is_dry: bool = False

    def takes(self, name: str) -> bool:
        """Return whether an edit of a price in Magento makes way for Odoo's."""
        return self.mends is None or name in self.mends


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

    @property
    def figures(self) -> str:
        """A digest of all of its prices."""
        return mark_of_price(str(sorted(self.prices.texts.items())))

    @property
    def was_refused(self) -> bool:
        """Whether these very prices were refused."""
        return self.marks.get(REFUSED) == self.figures


@dataclass(kw_only=True)
class Outcome:
    """What became of products."""

    written: int = 0
    unchanged: int = 0
    #: Magento had them already.
    found_equal: int = 0
    without_price: int = 0
    gone_in_magento: int = 0
    #: Edits in Magento that stand, or were just overwritten.
    conflicts: int = 0
    #: Products that were refused before, with the same figures.
    still_refused: int = 0
    #: Entities that were refused before and are exported now: their jobs have nothing more to wait for.
    mended: list[str] = field(default_factory=list)
    refused: dict[str, BridgeError] = field(default_factory=dict)
    unsaid: dict[str, list[str]] = field(default_factory=dict)
    #: By SKU and name of a price: what Magento has, and what it gets.
    changes: dict[str, dict[str, list[str | None]]] = field(default_factory=dict)

    def as_result(self, *, is_dry: bool = False) -> dict[str, Any]:
        """Return the outcome as a job keeps it."""
        names = (
            *("written", "unchanged", "found_equal", "without_price", "gone_in_magento"),
            *("conflicts", "still_refused"),
        )
        shown: dict[str, Any] = {name: getattr(self, name) for name in names if getattr(self, name)}
        if is_dry:
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


def export(ctx: FlowContext, entities: Sequence[str], outcome: Outcome, manner: Manner) -> None:
    """Export the prices of products by Magento's ids; ``outcome`` is told of each that has something against it."""
    products, groups = _plan(ctx, entities, outcome, manner)
    wanted = [one for one in products if manner.reads_all or one.changed]
    outcome.unchanged += len(products) - len(wanted)
    if wanted:
        _name(ctx, wanted, outcome)
        wanted = [one for one in wanted if one.sku]
    if not wanted:
        return
    wait_for_prices(ctx, [one.sku for one in wanted])
    state = read_state(ctx, [one.sku for one in wanted])
    changes: list[PriceChange] = []
    edits: list[SeenEdit] = []
    nothing = MagentoPrices(base={}, special={}, tiers=())
    for one in wanted:
        has = state.get(one.sku.casefold(), nothing)
        there, texts = has.like(one.prices, groups).texts, one.prices.texts
        names, own = differing(one.entity, one.sku, there, texts, one.marks, takes=manner.takes)
        edits += own
        if names:
            rows = rows_between(one.sku, has, one.prices, groups, names)
            changes.append(PriceChange(entity=one.entity, sku=one.sku, version=one.version, rows=rows))
            outcome.changes[one.sku] = {name: [there.get(name), texts[name]] for name in sorted(names)}
        one.marks |= {name: under_way(one.marks.get(name), texts[name]) for name in names}
    edited = {edit.magento_id for edit in edits}
    changing = {one.entity for one in changes}
    outcome.conflicts += len(edits)
    outcome.found_equal += len([one for one in wanted if one.entity not in edited | changing])
    if manner.is_dry:
        return
    # Kept before the write that takes their place.
    # A conflict that is being decided ends as decided.
    note_edits(ctx, edits, looked_at=() if manner.mends else [one.entity for one in wanted])
    written = {one.entity for one in changes if one.rows}
    _keep(ctx, [one for one in wanted if one.entity in written])
    write_changes(ctx, changes, refused=lambda entity, error: outcome.refused.update({entity: error}))
    for one in wanted:
        if one.entity in outcome.refused:
            one.marks |= {REFUSED: one.figures}
            continue
        if REFUSED in one.marks:
            outcome.mended.append(one.entity)
        one.marks = {name: mark for name, mark in one.prices.marks.items() if name not in one.prices.given_up}
    _keep(ctx, wanted)
    outcome.written += len(written - outcome.refused.keys())
    outcome.found_equal += len(changing - written - outcome.refused.keys() - edited)


def _plan(
    ctx: FlowContext, entities: Sequence[str], outcome: Outcome, manner: Manner
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
    unclear: list[tuple[Binding, OperatorError]] = []
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
            unclear.append((binding, error))
            continue
        for words in prices.unsaid:
            outcome.unsaid.setdefault(words, []).append(sku)
        one = _Bound(
            entity=entity,
            binding=binding,
            prices=prices,
            marks=known,
            version=kept[entity].updated_at.isoformat() if entity in kept else "",
            sku=sku,
        )
        if one.was_refused and not manner.again:
            outcome.still_refused += 1
        else:
            products.append(one)
    _refuse(ctx, unclear, marks, outcome, manner)
    return products, groups


def _refuse(
    ctx: FlowContext,
    unclear: Iterable[tuple[Binding, OperatorError]],
    marks: Mapping[str, Mapping[str, str]],
    outcome: Outcome,
    manner: Manner,
) -> None:
    """Note the products whose prices cannot be said; what was said of them before is not said again."""
    pairs: list[Pair] = []
    for binding, error in unclear:
        known, words = marks.get(binding.magento_id, {}), mark_of_price(error.message)
        if known.get(REFUSED) == words and not manner.again:
            outcome.still_refused += 1
            continue
        outcome.refused[binding.magento_id] = error
        pairs.append(_pair(binding.magento_id, binding, binding.magento_label, {**known, REFUSED: words}))
    if not manner.is_dry:
        ctx.ledger.bindings.bind_many(ctx.instance.name, PRICE_BINDING, pairs)


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
        [_pair(one.entity, one.binding, one.sku, one.marks) for one in products],
    )


def _pair(entity: str, binding: Binding, sku: str | None, marks: Mapping[str, str]) -> Pair:
    return Pair(
        magento_id=entity,
        odoo_model=_MODEL,
        odoo_id=binding.odoo_id,
        magento_label=sku,
        fingerprint=write_marks(marks),
    )


def _places(marks: Iterable[Mapping[str, str]], kind: str) -> set[int]:
    """Return the stores that base prices, or the groups that tiers, were written for."""
    names = (name.split("@") for one in marks for name in one)
    return {int(parts[1]) for parts in names if parts[0] == kind}
