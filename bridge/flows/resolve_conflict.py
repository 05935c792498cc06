"""Carries a person's decision about a conflict out: the chosen value is written to the side that has another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bridge.errors import OperatorError, RecordMissing, System
from bridge.flows import magento_writes, product_source
from bridge.flows.conflict_sides import gone
from bridge.flows.context import FlowContext
from bridge.flows.export_book import Shop, shop_of
from bridge.flows.picture_targets import PICTURE_BINDING
from bridge.flows.price_following import PRICE_BINDING
from bridge.flows.product_book import gather_book, gather_texts
from bridge.flows.product_sides import read_cells
from bridge.flows.product_updates import Bound, keep, update
from bridge.flows.product_writing import (
    GOODS,
    TEMPLATES,
    Shelf,
    close_changes,
    refusal,
    wait_for_changes,
)
from bridge.flows.resolve_picture import settle_picture
from bridge.flows.resolve_price import settle_price
from bridge.ledger import Conflict
from bridge.magento.catalog import ALL
from bridge.translate.catalog_records import MagentoProduct
from bridge.translate.product_export import magento_values
from bridge.translate.product_fields import loose, magento_cells, read_in_odoo, title_of
from bridge.translate.product_plan import ProductChange, mark_of, plan_product

_SHELVES: Mapping[str, Shelf] = {shelf.kind: shelf for shelf in (GOODS, TEMPLATES)}


class ConflictUnwritable(OperatorError):
    """The chosen value cannot be written to the other side."""

    code = "conflict_unwritable"


def run(ctx: FlowContext) -> Mapping[str, Any]:
    """Write the value that a person chose, and end the conflict whose id is the job's entity.

    Raises:
        RecordMissing: there is no such conflict.
        BoundRecordGone: the product was deleted on one side.
        ConflictUnwritable, PriceUnwritable, PictureUnwritable: the other side has no place for the value.
    """
    conflict = ctx.ledger.conflicts.get(int(ctx.job.entity))
    if conflict is None or conflict.instance != ctx.instance.name:
        raise RecordMissing(f"There is no conflict {ctx.job.entity}.", entity="conflict")
    ctx.label = conflict.label
    if conflict.state != "open":
        return {"state": conflict.state}
    use: System = "odoo" if ctx.job.data.get("use") == "odoo" else "magento"
    wait_for_changes(ctx)
    write = {PRICE_BINDING: settle_price, PICTURE_BINDING: settle_picture}.get(conflict.kind, _write)
    written = write(ctx, conflict, use)
    close_changes(ctx)
    ctx.ledger.conflicts.resolve(conflict.id, use)
    return {"used": use, "written_to": written}


def _write(ctx: FlowContext, conflict: Conflict, use: System) -> list[str]:
    shelf, shop = _SHELVES[conflict.kind], shop_of(ctx)
    binding = ctx.ledger.bindings.get(ctx.instance.name, conflict.kind, conflict.magento_id)
    product_id = int(conflict.magento_id)
    product = product_source.catalog_of(ctx).products_by_id([product_id]).get(product_id)
    odoo = read_cells(ctx, shelf, [binding.odoo_id] if binding is not None else [], shop.languages)
    if binding is None or product is None or binding.odoo_id not in odoo:
        raise gone(conflict, "magento" if product is None else "odoo")
    book, texts = gather_book(ctx, [product]), gather_texts(ctx, [product])
    is_variant = shelf is GOODS and _is_variant(ctx, binding.odoo_id)
    plan = plan_product(product, book, is_variant=is_variant, texts=texts.of(product_id))
    bound = Bound.of(plan, binding)
    there = magento_cells(plan, shop.languages)
    base = conflict.field.partition("@")[0]
    sides = {
        "magento": there.get(conflict.field, there.get(base, "")),
        "odoo": odoo[binding.odoo_id].get(conflict.field, ""),
    }
    value = sides[use]
    if conflict.overwritten_at is not None and use == conflict.edited:
        # Nobody has it any more but the ledger.
        value = conflict.odoo_value if use == "odoo" else conflict.magento_value
    written: list[str] = []
    if loose(conflict.field, sides["magento"]) != loose(conflict.field, value):
        _to_magento(ctx, shop, conflict, product, value)
        written.append("magento")
    if loose(conflict.field, sides["odoo"]) != loose(conflict.field, value):
        _to_odoo(ctx, shelf, bound, conflict, value)
        written.append("odoo")
    else:
        bound.marks |= read_in_odoo({conflict.field: sides["odoo"]})
    bound.marks[conflict.field] = mark_of(value if "magento" in written else sides["magento"])
    keep(ctx, shelf, [bound])
    return written


def _is_variant(ctx: FlowContext, product_id: int) -> bool:
    rows = ctx.odoo.read(GOODS.model, [product_id], ["product_template_attribute_value_ids"])
    return bool(rows and rows[0]["product_template_attribute_value_ids"])


def _to_magento(
    ctx: FlowContext, shop: Shop, conflict: Conflict, product: MagentoProduct, value: str
) -> None:
    base, _, language = conflict.field.partition("@")
    values = magento_values({base: value}, shop.book)
    if not values:
        raise ConflictUnwritable(
            f"The {title_of(conflict.field)} {value} of Odoo cannot be written to Magento's product {product.sku}.",
            system="magento",
            field=base,
            sku=product.sku,
        )
    store_code = shop.languages[language] if language else ALL
    magento_writes.change(ctx, product, values, store_code=store_code, version=f"conflict {conflict.id}")


def _to_odoo(ctx: FlowContext, shelf: Shelf, bound: Bound, conflict: Conflict, value: str) -> None:
    base, _, language = conflict.field.partition("@")
    owned = {base: value} if not language and base != "active" else {}
    bound.change = ProductChange(
        owned=owned,
        texts={language: {base: value}} if language else {},
        is_active=value == "1" if base == "active" else None,
    )

    def refused(_: str, error: Any) -> None:
        raise refusal(bound.plan.sku, error)

    update(ctx, shelf, [bound], refused=refused)
