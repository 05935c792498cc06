"""Odoo's products as the export reads them, a batch in a few calls, and what becomes of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from bridge.errors import BridgeError, OperatorError, ServiceRejected
from bridge.flows.context import FlowContext
from bridge.flows.product_sides import GOODS_FIELDS, TEMPLATE_FIELDS, Cells, add_texts, cells_of
from bridge.flows.product_writing import GOODS, TEMPLATES, ProductRefused, Shelf
from bridge.translate.price_records import PriceUnclear, number
from bridge.translate.product_fields import TEXTS

_ARCHIVED_TOO = {"active_test": False}
_TEMPLATE = (
    *TEMPLATE_FIELDS,
    *("attribute_line_ids", "product_variant_ids", "default_code", "list_price", "type", "sale_ok"),
)
_VARIANT = (*GOODS_FIELDS, "lst_price", "product_template_attribute_value_ids", "type", "sale_ok")


@dataclass(frozen=True, kw_only=True)
class Goods:
    """A product or a template of Odoo, as it is read."""

    shelf: Shelf
    odoo_id: int
    row: Mapping[str, Any]
    cells: Cells
    #: Whether it is one of several variants: name, texts and taxes are the template's.
    is_variant: bool = False

    @property
    def sku(self) -> str:
        """Its internal reference."""
        return self.cells.get("default_code", "") or str(self.row.get("default_code") or "")

    @property
    def own(self) -> Cells:
        """Its values without those of a language."""
        return {name: cell for name, cell in self.cells.items() if "@" not in name}

    @property
    def entity(self) -> str:
        """How effects name it."""
        return f"{self.shelf.model} {self.odoo_id}"


@dataclass(kw_only=True)
class Exported:
    """What became of products."""

    made: int = 0
    bound: int = 0
    updated: int = 0
    unchanged: int = 0
    conflicts: int = 0
    without_sku: int = 0
    #: SKUs that Magento lacks and that are not made: export is off, or they are not for sale.
    not_in_magento: list[str] = field(default_factory=list)
    #: SKUs that Magento lacks and that are not made, for they cost nothing in Odoo: services of its own often do.
    costs_nothing: list[str] = field(default_factory=list)
    #: SKUs with a value that Magento has no place for, by field.
    no_place: dict[str, list[str]] = field(default_factory=dict)
    #: Why products were not exported, by the id of an Odoo variant.
    refused: dict[int, BridgeError] = field(default_factory=dict)

    def as_result(self) -> dict[str, Any]:
        """Return the outcome as a job keeps it."""
        names = ("made", "bound", "updated", "unchanged", "conflicts", "without_sku")
        shown: dict[str, Any] = {name: getattr(self, name) for name in names if getattr(self, name)}
        if self.not_in_magento:
            shown["not_in_magento"] = sorted(self.not_in_magento)
        if self.costs_nothing:
            shown["costs_nothing"] = sorted(self.costs_nothing)
        if self.no_place:
            shown["no_place"] = {name: sorted(skus) for name, skus in self.no_place.items()}
        if self.refused:
            shown["jobs_of_their_own"] = sorted(self.refused)
        return shown


def with_refusals(outcome: Exported, one: Goods, act: Callable[[], None]) -> None:
    """Do ``act``; what a person must mend keeps none of the others back."""
    try:
        act()
    except (OperatorError, ServiceRejected) as error:
        outcome.refused[variant_of(one)] = refusal(one.sku, error)


def price_in_odoo(one: Goods) -> Decimal:
    """Return the sales price of a product, with what its attributes add."""
    return Decimal(str(one.row["lst_price"] or 0))


def insist_on_price(one: Goods) -> None:
    """Make sure that a product which is to be made in Magento costs something: it would be for sale at once.

    Raises:
        PriceUnclear: its price is 0 or less.
    """
    price = price_in_odoo(one)
    if price <= 0:
        raise PriceUnclear(
            f"The price of {one.sku} is {number(price)} in Odoo: for that nothing is sold, so it is not made in Magento.",
            system="odoo",
            reason="amount",
            sku=one.sku,
        )


def variant_of(one: Goods) -> int:
    """Return the id of the variant that a job of its own is for."""
    return one.odoo_id if one.shelf is GOODS else int(next(iter(one.row["product_variant_ids"]), 0))


def refusal(sku: str, error: BridgeError) -> OperatorError:
    """Return why a product is not exported, as a person must know it."""
    if isinstance(error, OperatorError):
        return error
    return ProductRefused(
        f"Magento does not accept the product {sku}: {error.message}",
        system="magento",
        reason="magento",
        sku=sku,
    )


def read_goods(ctx: FlowContext, ids: Sequence[int], languages: Iterable[str]) -> dict[int, list[Goods]]:
    """Return what stands in Odoo by template: a product that stands alone, or a template and its variants."""
    wanted = sorted(set(ids))
    templates = {int(row["id"]): row for row in ctx.odoo.read(TEMPLATES.model, wanted, list(_TEMPLATE))}
    domain = [["product_tmpl_id", "in", wanted]]
    rows = ctx.odoo.search_read(GOODS.model, domain, list(_VARIANT), order="id", context=_ARCHIVED_TOO)
    cells: dict[str, dict[int, Cells]] = {
        TEMPLATES.kind: {one: cells_of(row) for one, row in templates.items()},
        GOODS.kind: {int(row["id"]): cells_of(row) for row in rows},
    }
    for language in languages:
        for shelf in (GOODS, TEMPLATES):
            there = cells[shelf.kind]
            texts = ctx.odoo.read(shelf.model, sorted(there), list(TEXTS), context={"lang": language})
            add_texts(there, texts, language)
    found: dict[int, list[Goods]] = {}
    for template_id, template in templates.items():
        own = [row for row in rows if int(row["product_tmpl_id"][0]) == template_id]
        is_family = any(row["product_template_attribute_value_ids"] for row in own)
        found[template_id] = [
            Goods(
                shelf=GOODS,
                odoo_id=int(row["id"]),
                row=row,
                cells=cells[GOODS.kind][int(row["id"])],
                is_variant=is_family,
            )
            for row in own
        ]
        if is_family:
            row = {**template, "product_variant_ids": [int(one["id"]) for one in own]}
            parent = Goods(
                shelf=TEMPLATES, odoo_id=template_id, row=row, cells=cells[TEMPLATES.kind][template_id]
            )
            found[template_id].append(parent)
    return found
