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
from bridge.flows.export_goods import Exported, Goods, with_refusals
from bridge.flows.export_options import Choice, attributes_of, choices_of, options_of
from bridge.flows.product_batch import VARIANT_BINDING
from bridge.flows.product_book import gather_book
from bridge.flows.product_variants import note_children
from bridge.flows.product_writing import GOODS, TEMPLATES
from bridge.ledger import Binding
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
        one.odoo_id: one
        for one in ctx.ledger.bindings.by_odoo_many(
            ctx.instance.name, TEMPLATES.kind, [one.odoo_id for one in parents]
        )
    }
    for parent in parents:
        variants = [one for one in families[parent.odoo_id] if one.shelf is GOODS]
        missing = [one for one in lacking if one in variants and one.row["active"]]
        if parent.odoo_id in bound and not missing:
            continue

        def act(
            parent: Goods = parent, variants: Sequence[Goods] = variants, missing: Sequence[Goods] = missing
        ) -> None:
            _Family(ctx, shop, parent, variants, outcome).export(bound.get(parent.odoo_id), missing)

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

    def export(self, binding: Binding | None, missing: Sequence[Goods]) -> None:
        """Bind the configurable or make it, make the children that are missing, and link them."""
        there = self._known() if binding is None else self._by_id(int(binding.magento_id))
        if binding is None and there is not None:
            book = gather_book(self.ctx, [there])
            adopt(self.ctx, self.parent, plan_of(self.parent, there, book))
            self.outcome.bound += 1
        may_make = (
            self.ctx.settings.export_products and self.parent.row["sale_ok"] and self.parent.row["active"]
        )
        sold = [one for one in self.variants if one.sku and one.row["active"]]
        if not may_make or not sold or (there is not None and not missing):
            self.outcome.missing += len(missing)
            return
        choices = choices_of(self.ctx, sold)
        attributes = attributes_of(self.ctx, choices)
        options = options_of(self.ctx, choices, attributes)
        if there is None:
            there = self._make_parent(sold)
        made = [
            self._make_child(one, attributes, {choice: options[choice] for choice in choices[one.odoo_id]})
            for one in missing
        ]
        self._add_options(there, attributes, options)
        self._link(there, sold if binding is None else missing)
        note_children(self.ctx, [replace(there, child_ids=tuple(one.product_id for one in made))])

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
        sku = next((one for one in skus if one not in taken), skus[-1])
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
            if attribute.attribute_id in there:
                continue
            values = sorted(
                {option for choice, option in options.items() if choice.attribute_id == odoo_id}, key=int
            )
            self._link_once(
                parent,
                f"option {attribute.attribute_id}",
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
        for binding in bindings:
            child_id, sku = int(binding.magento_id), str(binding.magento_label)
            if child_id in parent.child_ids:
                continue
            self._link_once(
                parent,
                f"child {child_id}",
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
