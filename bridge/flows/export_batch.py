"""Exports products of Odoo to Magento, many at once: finds them there, makes what is missing, writes what changed.

Odoo's side is read a batch in one call, Magento's likewise; each product that changed is one ``PUT``. What Magento is master
of is never written: an edit of it in Odoo is a conflict. Where ``export_products`` is off, nothing is written at all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bridge.errors import BoundRecordGone
from bridge.flows import magento_writes, picture_edits, price_looks, product_source
from bridge.flows.context import FlowContext
from bridge.flows.export_book import Shop
from bridge.flows.export_claims import contested
from bridge.flows.export_goods import (
    Exported,
    Goods,
    insist_on_price,
    price_in_odoo,
    variant_of,
    with_refusals,
)
from bridge.flows.product_book import gather_book, gather_texts
from bridge.flows.product_conflicts import seen_edit
from bridge.flows.product_sides import masters_of
from bridge.flows.product_updates import Bound, keep
from bridge.flows.product_writing import GOODS, TEMPLATES
from bridge.ledger import Binding, Pair, SeenEdit
from bridge.magento.catalog import ALL
from bridge.translate.catalog_records import MagentoProduct
from bridge.translate.magento_product import parse_product
from bridge.translate.product_export import NewProduct, as_written, magento_values, new_body
from bridge.translate.product_fields import (
    TEXTS,
    UNKNOWN,
    Field,
    compare,
    loose,
    magento_cells,
    memory_after_reading,
    read_in_odoo,
    sent_marks,
)
from bridge.translate.product_plan import (
    ProductBook,
    ProductPlan,
    ProductUnclear,
    mark_of,
    plan_product,
    write_marks,
)


def plan_of(
    one: Goods, product: MagentoProduct, book: ProductBook, texts: Mapping[str, Any] | None = None
) -> ProductPlan:
    """Return Magento's product as Odoo would hold it: what both sides are compared in."""
    return plan_product(product, book, is_variant=one.is_variant, texts=texts)


def adopt(ctx: FlowContext, one: Goods, plan: ProductPlan) -> None:
    """Bind a product to one that Magento has: what both have now is known, and nothing is written."""
    marks = plan.marks | read_in_odoo(one.cells)
    bind(ctx, one, plan, marks)


def bind(ctx: FlowContext, one: Goods, plan: ProductPlan, marks: Mapping[str, str]) -> None:
    """Bind a product, with the marks of both sides."""
    pair = Pair(
        magento_id=str(plan.product_id),
        odoo_model=one.shelf.model,
        odoo_id=one.odoo_id,
        magento_label=plan.sku,
        odoo_label=one.sku or plan.sku,
        fingerprint=write_marks(marks),
    )
    ctx.ledger.bindings.bind_many(ctx.instance.name, one.shelf.kind, [pair])


def carry_over(
    ctx: FlowContext, shop: Shop, known: Sequence[tuple[Goods, Binding]], outcome: Exported
) -> None:
    """Write what changed of products that are bound, and note the edits of what Magento is master of."""
    ids = [int(binding.magento_id) for _, binding in known]
    products = product_source.catalog_of(ctx).products_by_id(ids) if ids else {}
    texts = gather_texts(ctx, list(products.values()))
    carrier = _Carrier(ctx=ctx, shop=shop, outcome=outcome, book=gather_book(ctx, products.values()))
    for one, binding in known:
        product = products.get(int(binding.magento_id))
        if product is None:
            outcome.refused[variant_of(one)] = _gone(one, binding)
            continue

        def act(one: Goods = one, binding: Binding = binding, product: MagentoProduct = product) -> None:
            plan = plan_of(one, product, carrier.book, texts.of(product.product_id))
            carrier.carry(one, Bound.of(plan, binding), product)

        with_refusals(outcome, one, act)
    magento_writes.settle_changes(ctx)
    carrier.note_edits()
    outcome.conflicts += price_looks.look_in_odoo(ctx, known, products)
    outcome.conflicts += picture_edits.look_in_odoo(ctx, [binding for _, binding in known], products)


@dataclass(kw_only=True)
class _Carrier:
    """Carries the changes of one product after the other to Magento."""

    ctx: FlowContext
    shop: Shop
    book: ProductBook
    outcome: Exported
    #: Edits that were come upon, and the products that were compared, by kind of binding.
    seen: dict[str, list[SeenEdit]] = field(default_factory=lambda: {GOODS.kind: [], TEMPLATES.kind: []})
    looked_at: dict[str, list[str]] = field(default_factory=lambda: {GOODS.kind: [], TEMPLATES.kind: []})

    def carry(self, one: Goods, bound: Bound, product: MagentoProduct) -> None:
        """Write what changed of one product, if anything."""
        settings = self.ctx.settings
        masters = masters_of(self.ctx)
        cells = magento_cells(bound.plan, self.shop.languages)
        if not one.is_variant and masters["identity"] == "odoo":
            cells.setdefault("taxes_id/.id", UNKNOWN)
        fields = compare(cells, one.cells, bound.marks, masters)
        to_write = {
            each.name: each
            for each in fields
            if settings.export_products
            and each.master == "odoo"
            and each.odoo_changed
            and not each.is_same
            and self._has_place(each, product)
        }
        edits = [
            seen_edit(bound, each, is_overwritten=each.name in to_write) for each in fields if each.is_edited
        ]
        self.seen[one.shelf.kind] += edits
        self.looked_at[one.shelf.kind].append(bound.entity)
        if overwritten := [edit for edit in edits if edit.is_overwritten]:
            # Kept before the write that takes their place.
            self.ctx.ledger.conflicts.note(self.ctx.instance.name, one.shelf.kind, overwritten)
        before = write_marks(bound.marks)
        bound.marks = memory_after_reading(bound.marks, fields)
        if to_write:
            after = self._marks_after(one, product, to_write)
            # Until the answer is there Magento may have the one or the other: neither is anybody's edit.
            known = {name: bound.marks.get(name, "") for name in to_write}
            bound.marks |= {name: "|".join(filter(None, (known[name], after[name]))) for name in to_write}
            keep(self.ctx, one.shelf, [bound])
            self._write(bound, product, to_write)
            bound.marks |= after
        if write_marks(bound.marks) != before:
            keep(self.ctx, one.shelf, [bound])
        self.outcome.updated += bool(to_write)
        self.outcome.unchanged += not to_write

    def note_edits(self) -> None:
        """Write down the edits; those that stood before and do not any more are gone."""
        for kind, seen in self.seen.items():
            note = self.ctx.ledger.conflicts.note
            note(self.ctx.instance.name, kind, seen, looked_at=self.looked_at[kind])
            self.outcome.conflicts += len(seen)

    def _write(self, bound: Bound, product: MagentoProduct, to_write: Mapping[str, Field]) -> None:
        """Write fields into their scopes, each in one call."""
        version = bound.binding.updated_at.isoformat()
        for language, store_code in {"": ALL, **self.shop.languages}.items():
            if cells := _in_language(to_write, language):
                values = magento_values(cells, self.shop.book)
                magento_writes.change(self.ctx, product, values, store_code=store_code, version=version)

    def _marks_after(
        self, one: Goods, product: MagentoProduct, to_write: Mapping[str, Field]
    ) -> dict[str, str]:
        """Return the marks of both sides once fields were written."""
        values = magento_values(_in_language(to_write, ""), self.shop.book)
        there = magento_cells(plan_of(one, as_written(product, values, self.book), self.book))
        marks: dict[str, str] = {}
        for name, each in to_write.items():
            marks[name] = mark_of(there.get(name, each.odoo))
            marks |= read_in_odoo({name: each.odoo})
        return marks

    def _has_place(self, each: Field, product: MagentoProduct) -> bool:
        """Return whether Magento has a place for a value; where not, that is told."""
        name = each.name.partition("@")[0]
        if magento_values({name: each.odoo}, self.shop.book):
            return True
        self.outcome.no_place.setdefault(each.name, []).append(product.sku)
        return False


def _in_language(fields: Mapping[str, Field], language: str) -> dict[str, str]:
    """Return the values of Odoo in one language; empty is the common one."""
    return {
        name.partition("@")[0]: each.odoo
        for name, each in fields.items()
        if name.partition("@")[2] == language
    }


def bind_found(ctx: FlowContext, goods: Sequence[Goods], outcome: Exported) -> list[Goods]:
    """Bind the products that Magento has by their SKU, and return those with a SKU that it lacks."""
    outcome.without_sku += sum(1 for one in goods if not one.sku)
    named = _uncontested(ctx, [one for one in goods if one.sku], outcome)
    if not named:
        return []
    there = product_source.catalog_of(ctx).products_by_sku([one.sku for one in named])
    found = [
        (one, there[one.sku])
        for one in named
        # What the bridge made itself, or may have, is bound where it is made.
        if one.sku in there and not magento_writes.is_ours(ctx, one.entity, one.sku)
    ]
    taken = ctx.ledger.bindings.get_many(
        ctx.instance.name, GOODS.kind, [product.product_id for _, product in found]
    )
    book = gather_book(ctx, [product for _, product in found])
    for one, product in found:
        if str(product.product_id) in taken:
            outcome.refused[one.odoo_id] = _taken(one, taken[str(product.product_id)])
            continue

        def act(one: Goods = one, product: MagentoProduct = product) -> None:
            adopt(ctx, one, plan_of(one, product, book))
            outcome.bound += 1

        with_refusals(outcome, one, act)
    known = {one.odoo_id for one, _ in found}
    return [one for one in named if one.odoo_id not in known]


def _uncontested(ctx: FlowContext, goods: Sequence[Goods], outcome: Exported) -> list[Goods]:
    """Leave out the products that share their SKU with others of Odoo; those in the archive have no say."""
    conflicts = contested(ctx, goods)
    outcome.refused |= {
        one.odoo_id: conflicts[one.odoo_id] for one in goods if one.odoo_id in conflicts and one.row["active"]
    }
    return [one for one in goods if one.odoo_id not in conflicts]


def make_single(ctx: FlowContext, shop: Shop, one: Goods, outcome: Exported) -> None:
    """Make a product that stands alone, where it may be made: it is for sale, and not archived."""
    if not (ctx.settings.export_products and one.row["sale_ok"] and one.row["active"]):
        outcome.not_in_magento.append(one.sku)
        return
    if price_in_odoo(one) == 0:
        outcome.costs_nothing.append(one.sku)
        return
    insist_on_price(one)
    make_product(
        ctx,
        shop,
        one,
        NewProduct(
            sku=one.sku,
            kind="virtual" if one.row["type"] == "service" else "simple",
            cells=one.cells,
            price=price_in_odoo(one),
            attribute_set_id=ctx.settings.export_attribute_set_id,
            website_ids=shop.website_ids,
            category_id=shop.category_of(one.row),
        ),
    )
    outcome.made += 1


def make_product(ctx: FlowContext, shop: Shop, one: Goods, new: NewProduct) -> MagentoProduct:
    """Make a product in Magento, with the texts of each store view that has its own in Odoo, and bind it."""
    sent = new_body(new, shop.book)
    product_id, body = magento_writes.create(ctx, sent, odoo_entity=one.entity)
    # As Magento has it now: it keeps what it is given. After a doubt Odoo may have something newer than was sent.
    product = parse_product({**body, "id": product_id})
    plan = plan_of(one, product, gather_book(ctx, [product]))
    marks = plan.marks | read_in_odoo(one.own) | sent_marks(magento_cells(plan))
    for language, store_code in shop.languages.items() if not one.is_variant else ():
        own = {
            name: cell
            for name in TEXTS
            if (cell := one.cells[f"{name}@{language}"]) and loose(name, cell) != loose(name, one.cells[name])
        }
        if own:
            values = magento_values(own, shop.book)
            magento_writes.change(ctx, product, values, store_code=store_code, version="new")
            named = {f"{name}@{language}": cell for name, cell in own.items()}
            marks |= {name: mark_of(cell) for name, cell in named.items()} | read_in_odoo(named)
    bind(ctx, one, plan, marks)
    return product


def _gone(one: Goods, binding: Binding) -> BoundRecordGone:
    return BoundRecordGone(
        f"Magento's product {binding.magento_label or binding.magento_id} that Odoo's product {one.sku} is bound to was "
        "deleted there.",
        system="magento",
        model="product",
        id=int(binding.magento_id),
    )


def _taken(one: Goods, binding: Binding) -> ProductUnclear:
    return ProductUnclear(
        f"Magento's product {one.sku} is bound to another product of Odoo (id {binding.odoo_id}).",
        system="odoo",
        reason="sku_taken",
        sku=one.sku,
    )
