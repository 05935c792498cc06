"""Exports templates with variants as configurables: attributes and options first, then parent, children and their links.

An attribute of Odoo stands for one of Magento by the import's binding or by a mapping of kind ``attribute``: the bridge
makes none. An option that Magento lacks is added once, and bound. A link is made once: a child that somebody takes out of
its configurable in Magento stays out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from bridge.flows import magento_writes, product_source
from bridge.flows.context import FlowContext
from bridge.flows.export_batch import adopt, make_product, plan_of
from bridge.flows.export_book import Shop
from bridge.flows.export_goods import Exported, Goods, insist_on_price, with_refusals
from bridge.flows.export_options import Choice, attributes_of, choices_of, options_of
from bridge.flows.product_batch import VARIANT_BINDING
from bridge.flows.product_book import gather_book
from bridge.flows.product_variants import note_children
from bridge.flows.product_writing import GOODS, TEMPLATES
from bridge.magento import product_writes
from bridge.translate.catalog_records import MagentoAttribute, MagentoProduct
from bridge.translate.product_export import NOT_VISIBLE, NewProduct
from bridge.translate.product_plan import CONFIGURABLE

#: A shorter common beginning of SKUs is none.
_SHORTEST = 3
_SEPARATORS = " -_/.:|"


def make_families(
    ctx: FlowContext,
    shop: Shop,
    families: Mapping[int, Sequence[Goods]],
    lacking: Sequence[Goods],
    outcome: Exported,
) -> None:
    """Make the configurables and children that Magento lacks, and bind those that it has."""
    parents = [one for goods in families.values() for one in goods if one.shelf is TEMPLATES]
    if not parents:
        return
    bound = {
        one.odoo_id: int(one.magento_id)
        for one in ctx.ledger.bindings.by_odoo_many(
            ctx.instance.name, TEMPLATES.kind, [one.odoo_id for one in parents]
        )
    }
    there = product_source.catalog_of(ctx).products_by_id(sorted(bound.values())) if bound else {}
    for parent in parents:
        variants = [one for one in families[parent.odoo_id] if one.shelf is GOODS]
        missing = [one for one in lacking if one in variants and one.row["active"]]
        known = bound.get(parent.odoo_id)
        if known is not None and known not in there:
            # Told already: a bound product that is gone blocks.
            continue

        def act(
            parent: Goods = parent,
            variants: Sequence[Goods] = variants,
            missing: Sequence[Goods] = missing,
            known: int | None = known,
        ) -> None:
            family = _Family(ctx, shop, parent, variants, outcome)
            family.export(None if known is None else there[known], missing)

        with_refusals(outcome, parent, act)


class _Family:
    """One template with its variants."""

    def __init__(
        self, ctx: FlowContext, shop: Shop, parent: Goods, variants: Sequence[Goods], outcome: Exported
    ) -> None:
        self.ctx = ctx
        self.shop = shop
        self.parent = parent
        self.variants = variants
        self.outcome = outcome

    def export(self, there: MagentoProduct | None, missing: Sequence[Goods]) -> None:
        """Bind the configurable or make it, make the children that are missing, and link them."""
        if there is None and (there := self._known()) is not None:
            book = gather_book(self.ctx, [there])
            adopt(self.ctx, self.parent, plan_of(self.parent, there, book))
            self.outcome.bound += 1
        row = self.parent.row
        may_make = self.ctx.settings.export_products and row["sale_ok"] and row["active"]
        own = [one for one in self.variants if one in missing or self._is_ours(one)]
        sold = [one for one in own if one.sku and one.row["active"]]
        # Where Magento had variants before without a configurable, a person makes one of them.
        is_theirs = there is None and any(one.sku and one not in own for one in self.variants)
        if not may_make or not sold or is_theirs:
            self.outcome.not_in_magento += [one.sku for one in missing]
            return
        unlinked = sold if there is None else [one for one in sold if not self._is_linked(there, one)]
        if not unlinked:
            return
        for one in missing:
            # Before anything of the family is made.
            insist_on_price(one)
        choices = choices_of(self.ctx, unlinked)
        attributes = attributes_of(self.ctx, choices)
        options = options_of(self.ctx, choices, attributes)
        if there is None:
            there = self._make_parent(sold)
        for one in missing:
            self._make_child(one, attributes, {choice: options[choice] for choice in choices[one.odoo_id]})
        self._add_options(there, attributes, options)
        self._link(there, unlinked)

    def _is_ours(self, one: Goods) -> bool:
        return bool(one.sku) and magento_writes.is_ours(self.ctx, one.entity, one.sku)

    def _is_linked(self, there: MagentoProduct, one: Goods) -> bool:
        bindings = self.ctx.ledger.bindings.by_odoo(self.ctx.instance.name, GOODS.kind, one.odoo_id)
        return any(
            magento_writes.is_linked(
                self.ctx,
                there,
                _child(int(each.magento_id)),
                is_there=int(each.magento_id) in there.child_ids,
            )
            for each in bindings
        )

    def _by_id(self, product_id: int) -> MagentoProduct | None:
        return product_source.catalog_of(self.ctx).products_by_id([product_id]).get(product_id)

    def _known(self) -> MagentoProduct | None:
        """Return the configurable that Magento has: that of a variant, else the one with the SKU."""
        name = self.ctx.instance.name
        bindings = self.ctx.ledger.bindings
        own = bindings.by_odoo_many(name, GOODS.kind, [one.odoo_id for one in self.variants])
        relations = bindings.get_many(name, VARIANT_BINDING, [one.magento_id for one in own])
        for relation in relations.values():
            if (relation.magento_label or "").isdecimal():
                return self._by_id(int(relation.magento_label or 0))
        ours = {int(one.magento_id) for one in own}
        common = _common([one.sku for one in self.variants if one.sku])
        wished = [one for one in (self.parent.sku, *_beginnings(common)) if one]
        found = product_source.catalog_of(self.ctx).products_by_sku(wished) if ours and wished else {}
        fitting = [one for one in found.values() if one.type_id == CONFIGURABLE and ours & set(one.child_ids)]
        return fitting[0] if fitting else None

    def _skus(self) -> list[str]:
        """Return the SKUs that the configurable may get: its own, or what those of its variants begin with."""
        named = [one.sku for one in self.variants if one.sku]
        common = _common(named)
        wished = [self.parent.sku, common if len(common) >= _SHORTEST and common not in named else ""]
        return [one for one in dict.fromkeys([*wished, f"ODOO-{self.parent.odoo_id}"]) if one]

    def _make_parent(self, sold: Sequence[Goods]) -> MagentoProduct:
        skus = self._skus()
        taken = product_source.catalog_of(self.ctx).products_by_sku(skus)
        ours = (one for one in skus if magento_writes.is_ours(self.ctx, self.parent.entity, one))
        sku = next(ours, next((one for one in skus if one not in taken), skus[-1]))
        price = min((Decimal(str(one.row["lst_price"])) for one in sold), default=Decimal(0))
        return self._make(self.parent, sku=sku, kind=CONFIGURABLE, cells=self.parent.cells, price=price)

    def _make_child(
        self, one: Goods, attributes: Mapping[int, MagentoAttribute], options: Mapping[Choice, str]
    ) -> MagentoProduct:
        name = " ".join([self.parent.cells["name"], *(choice.value for choice in options)])
        return self._make(
            one,
            sku=one.sku,
            kind="simple",
            cells={**one.cells, "name": name},
            price=Decimal(str(one.row["lst_price"])),
            visibility=NOT_VISIBLE,
            options={attributes[choice.attribute_id].code: option for choice, option in options.items()},
        )

    def _make(self, one: Goods, **fields: Any) -> MagentoProduct:
        new = NewProduct(
            attribute_set_id=self.ctx.settings.export_attribute_set_id,
            website_ids=self.shop.website_ids,
            category_id=self.shop.category_of(self.parent.row),
            **fields,
        )
        product = make_product(self.ctx, self.shop, one, new)
        self.outcome.made += 1
        return product

    def _add_options(
        self,
        parent: MagentoProduct,
        attributes: Mapping[int, MagentoAttribute],
        options: Mapping[Choice, str],
    ) -> None:
        """Let the children differ by each attribute; new values come with their children."""
        there = {one.attribute_id for one in parent.options}
        for position, (odoo_id, attribute) in enumerate(sorted(attributes.items())):
            name = f"option {attribute.attribute_id}"
            if magento_writes.is_linked(self.ctx, parent, name, is_there=attribute.attribute_id in there):
                continue
            values = sorted(
                {option for choice, option in options.items() if choice.attribute_id == odoo_id}, key=int
            )
            self._link_once(
                parent,
                name,
                {
                    "attribute_id": attribute.attribute_id,
                    "label": attribute.label,
                    "position": position,
                    "values": values,
                },
                lambda sent: product_writes.add_configurable_option(self.ctx.magento, parent.sku, **sent),
                lambda now, attribute=attribute: any(
                    one.attribute_id == attribute.attribute_id for one in now.options
                ),
            )

    def _link(self, parent: MagentoProduct, variants: Sequence[Goods]) -> None:
        """Make the variants that Magento has children of the configurable."""
        bindings = self.ctx.ledger.bindings.by_odoo_many(
            self.ctx.instance.name, GOODS.kind, [one.odoo_id for one in variants]
        )
        note_children(self.ctx, [replace(parent, child_ids=tuple(int(one.magento_id) for one in bindings))])
        for binding in bindings:
            child_id, sku = int(binding.magento_id), str(binding.magento_label)
            self._link_once(
                parent,
                _child(child_id),
                {"sku": sku},
                lambda sent: product_writes.add_child(self.ctx.magento, parent.sku, str(sent["sku"])),
                lambda now, child_id=child_id: child_id in now.child_ids,
            )

    def _link_once(
        self, parent: MagentoProduct, name: str, request: Mapping[str, Any], send: Any, is_there: Any
    ) -> None:
        def look() -> bool:
            now = self._by_id(parent.product_id)
            return now is not None and bool(is_there(now))

        magento_writes.link(self.ctx, name=name, parent=parent, request=request, send=send, is_there=look)


def _child(product_id: int) -> str:
    return f"child {product_id}"


def _common(skus: Sequence[str]) -> str:
    """Return what several SKUs begin with, without a separator at its end."""
    if len(skus) < 2:
        return ""
    first, last = min(skus), max(skus)
    length = next((at for at, sign in enumerate(first) if last[at : at + 1] != sign), len(first))
    return first[:length].rstrip(_SEPARATORS)


def _beginnings(common: str) -> list[str]:
    """Return a text and its beginnings up to each separator, longest first."""
    cuts = [at for at, sign in enumerate(common) if sign in _SEPARATORS]
    return [one for end in (len(common), *reversed(cuts)) if (one := common[:end].rstrip(_SEPARATORS))]
