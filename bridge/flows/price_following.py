"""Carries changes of Magento's prices and costs over to Odoo, while Magento is the master of prices.

Only what changed in Magento since it was last seen is written: what a person set in Odoo stays until then, and so does the
price of a product that was there before. What a person set and Magento's change takes the place of is kept as a conflict.
A cost is left alone where Odoo works it out itself, by average or FIFO.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from bridge.errors import BridgeError
from bridge.flows.context import FlowContext
from bridge.flows.product_writing import AT_ONCE, UPDATE, Refused, Shelf, digest, halved
from bridge.ledger import Binding, Pair, SeenEdit
from bridge.odoo import LoadRequest
from bridge.odoo.load import in_company
from bridge.translate.followed_prices import (
    COST,
    FOLLOWED,
    being_sent,
    changed_in_magento,
    is_edited,
    is_free,
    is_same,
    read_there,
    seen,
    sent,
)
from bridge.translate.price_records import number
from bridge.translate.product_plan import ProductPlan, read_marks, write_marks

#: Kind of the bindings that keep which prices both sides were last known to have.
PRICE_BINDING = "product_price"
_DIGITS = 6


@dataclass(kw_only=True)
class Followed:
    """A product with prices that follow Magento."""

    entity: str
    sku: str
    odoo_id: int
    model: str
    #: What Magento has, as cells.
    cells: Mapping[str, str]
    #: Of both sides.
    marks: dict[str, str]
    #: Of the row that keeps them; empty where there is none.
    version: str = ""
    #: The cells that are written.
    change: dict[str, str]
    #: What is only remembered.
    watched: Mapping[str, str] = field(default_factory=dict)


def follow_prices(
    ctx: FlowContext,
    shelf: Shelf,
    plans: Mapping[str, ProductPlan],
    bound: Mapping[str, Binding],
    *,
    made: Collection[str],
    refused: Refused,
) -> set[str]:
    """Write the prices of ``bound`` products that changed in Magento; return the entities of those that Odoo has now.

    ``made`` are those that the bridge has just made: Odoo has what they were made with.
    """
    if ctx.settings.master("price") != "magento":
        return set()
    digits = price_digits(ctx)
    products = _products(ctx, shelf, plans, bound)
    changed: list[Followed] = []
    new: list[Followed] = []
    for one in products:
        unseen = {name: cell for name, cell in one.cells.items() if name not in one.marks}
        names = changed_in_magento(one.marks, one.cells)
        if unseen or seen(one.watched).items() - one.marks.items():
            one.marks |= seen(one.watched) | (sent(unseen, digits) if one.entity in made else seen(unseen))
            new.append(one)
        if names:
            one.change = {name: one.cells[name] for name in names}
            changed.append(one)
    keep_prices(ctx, new)
    if not changed:
        return set()
    _heed_odoo(ctx, shelf, changed, digits)
    return write_prices(ctx, shelf, [one for one in changed if one.change], refused=refused)


def write_prices(
    ctx: FlowContext, shelf: Shelf, products: Sequence[Followed], *, refused: Refused
) -> set[str]:
    """Write what is to be written of ``products`` into Odoo; return the entities of those that have it now."""
    digits = price_digits(ctx)
    for one in products:
        one.marks |= being_sent(one.marks, one.change, digits)
    keep_prices(ctx, products)
    done: set[str] = set()

    def write(batch: Sequence[Followed]) -> None:
        names = tuple(sorted(batch[0].change))
        key = [[one.entity, one.version, *sorted(one.change.items())] for one in batch]
        request = LoadRequest(
            model=shelf.model,
            fields=(".id", *names),
            rows=tuple((str(one.odoo_id), *(one.change[name] for name in names)) for one in batch),
            create_only=False,
            company_id=ctx.settings.company_id,
        )
        ctx.writer.load_many(
            ctx.odoo, key=ctx.effect_key("products-price", digest(key)), kind=UPDATE, request=request
        )
        for one in batch:
            one.marks |= sent(one.change, digits)
        keep_prices(ctx, batch)
        done.update(one.entity for one in batch)

    def fail(one: Followed, error: BridgeError) -> None:
        refused(one.entity, error)

    groups: dict[tuple[str, ...], list[Followed]] = {}
    for one in products:
        groups.setdefault(tuple(sorted(one.change)), []).append(one)
    for group in groups.values():
        for start in range(0, len(group), AT_ONCE):
            halved(group[start : start + AT_ONCE], write, fail)
    return done


def keep_prices(ctx: FlowContext, products: Iterable[Followed]) -> None:
    """Write down what both sides are known to have."""
    ctx.ledger.bindings.bind_many(
        ctx.instance.name,
        PRICE_BINDING,
        [
            Pair(
                magento_id=one.entity,
                odoo_model=one.model,
                odoo_id=one.odoo_id,
                magento_label=one.sku,
                fingerprint=write_marks(one.marks),
            )
            for one in products
        ],
    )


def price_digits(ctx: FlowContext) -> int:
    """Return the digits that Odoo keeps of a price, as far as Magento has them."""
    return min(ctx.reference.profile.price_digits, _DIGITS)


def read_prices(
    ctx: FlowContext, shelf: Shelf, ids: Iterable[int], *, asks_method: bool = True
) -> dict[int, dict[str, str]]:
    """Return what Odoo has of the fields that follow, by id; a cost that it works out itself is left out.

    So is one whose change Odoo would post in its books at once. ``asks_method``: whether it is about costs at all.
    """
    method = ["cost_method", "valuation"] if asks_method and ctx.reference.has_cost_method() else []
    context = in_company(ctx.settings.company_id)
    rows = ctx.odoo.read(shelf.model, sorted(set(ids)), [*FOLLOWED, *method], context=context or None)
    return {
        int(row["id"]): {
            name: number(Decimal(str(row[name] or 0)))
            for name in FOLLOWED
            if name != COST or is_free(row.get("cost_method"), row.get("valuation"))
        }
        for row in rows
    }


def _products(
    ctx: FlowContext, shelf: Shelf, plans: Mapping[str, ProductPlan], bound: Mapping[str, Binding]
) -> list[Followed]:
    # Variants have the price of their product; kits are left as they are.
    priced = [
        entity
        for entity in bound
        if plans[entity].role != "kit" and (plans[entity].prices or plans[entity].watched)
    ]
    kept = ctx.ledger.bindings.get_many(ctx.instance.name, PRICE_BINDING, priced)
    return [
        Followed(
            entity=entity,
            sku=plans[entity].sku,
            odoo_id=bound[entity].odoo_id,
            model=shelf.model,
            cells=plans[entity].prices,
            marks=read_marks(kept[entity].fingerprint) if entity in kept else {},
            version=kept[entity].updated_at.isoformat() if entity in kept else "",
            change={},
            watched=plans[entity].watched,
        )
        for entity in priced
    ]


def are_changed(marks: Mapping[str, str], plan: ProductPlan) -> bool:
    """Return whether Magento's prices of a product are others than when they were seen last."""
    # A configurable has none of its own: that of its variants is carried over with them.
    cells = {} if plan.role == "template" else {**plan.prices, **plan.watched}
    return bool(changed_in_magento(marks, cells))


def _heed_odoo(ctx: FlowContext, shelf: Shelf, products: Sequence[Followed], digits: int) -> None:
    """Take out of the changes what Odoo has already, or works out itself, and keep the edits that make way for the rest."""
    costs = any(COST in one.change for one in products)
    odoo = read_prices(ctx, shelf, [one.odoo_id for one in products], asks_method=costs)
    edits: list[SeenEdit] = []
    settled: list[Followed] = []
    for one in products:
        has = odoo.get(one.odoo_id)
        if has is None:
            # Writing it says that it is gone.
            continue
        for name, cell in list(one.change.items()):
            if name not in has or is_same(cell, has[name], digits):
                del one.change[name]
                one.marks |= seen({name: cell}) | (read_there(name, has[name]) if name in has else {})
                settled.append(one)
        edits += [
            edit_of(one, name, has[name], is_overwritten=name in one.change)
            for name in one.cells
            # A cost moves in Odoo with each purchase: only what Magento takes the place of is shown.
            if name in has
            and (name in one.change or name != COST)
            and is_edited(one.marks, name, has[name])
            and not is_same(one.cells[name], has[name], digits)
        ]
    # Kept before the write that takes their place.
    ctx.ledger.conflicts.note(
        ctx.instance.name, PRICE_BINDING, edits, looked_at=[one.entity for one in products]
    )
    keep_prices(ctx, settled)


def edit_of(one: Followed, name: str, has: str, *, is_overwritten: bool = False) -> SeenEdit:
    """Return an edit in Odoo as the ledger keeps it."""
    return SeenEdit(
        magento_id=one.entity,
        field=name,
        master="magento",
        magento_value=one.cells[name],
        odoo_value=has,
        label=one.sku,
        is_overwritten=is_overwritten,
    )
