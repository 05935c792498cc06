"""Carries a person's decision about a price out: the chosen one is written to the side that has another."""

from __future__ import annotations

from decimal import Decimal

from bridge.errors import BridgeError, OperatorError, System
from bridge.flows import magento_writes
from bridge.flows.conflict_sides import both_sides
from bridge.flows.context import FlowContext
from bridge.flows.price_batch import Manner, Outcome, export
from bridge.flows.price_following import (
    PRICE_BINDING,
    Followed,
    keep_prices,
    price_digits,
    read_prices,
    write_prices,
)
from bridge.flows.product_writing import GOODS, TEMPLATES, Shelf, refusal
from bridge.ledger import Conflict
from bridge.magento.catalog import ALL
from bridge.translate.followed_prices import COST, SALES_PRICE, is_same, read_there, seen
from bridge.translate.price_records import number
from bridge.translate.price_titles import said_price, title_of_price
from bridge.translate.product_plan import read_marks

_COMMON = "base@0"


class PriceUnwritable(OperatorError):
    """The chosen price has no one place on the other side."""

    code = "price_unwritable"


def settle_price(ctx: FlowContext, conflict: Conflict, use: System) -> list[str]:
    """Write the price that a person chose; return the systems that it was written to.

    Raises:
        PriceUnwritable: the other side has no one place for it.
        BoundRecordGone: the product was deleted on one side.
        PriceRefused, PriceUnclear: why Magento does not get Odoo's price.
    """
    if conflict.master == "magento":
        return _settle_sales_price(ctx, conflict, use)
    written: list[str] = []
    if use == "magento":
        written += _into_odoo(ctx, conflict)
    outcome = Outcome()
    # Whatever Odoo says now is Magento's price, too: it rounds, and an edit that was overwritten is in neither.
    manner = Manner(reads_all=True, mends=frozenset({conflict.field}), again=True)
    export(ctx, [conflict.magento_id], outcome, manner)
    for error in outcome.refused.values():
        raise error
    return [*written, *(["magento"] if outcome.written else [])]


def _into_odoo(ctx: FlowContext, conflict: Conflict) -> list[str]:
    """Write the price of Magento into Odoo, which must have one place for it: the product's own sales price."""
    product, binding = both_sides(ctx, conflict, [GOODS])
    odoo_id = binding.odoo_id
    rows = ctx.odoo.read(GOODS.model, [odoo_id], ["product_template_attribute_value_ids"])
    is_variant = bool(rows and rows[0]["product_template_attribute_value_ids"])
    if conflict.field != _COMMON or ctx.instance.settings.pricelist_id is not None or is_variant:
        raise _unwritable(conflict, conflict.magento_value, "odoo")
    value = conflict.magento_value
    if conflict.overwritten_at is None and product.price is not None:
        value = number(product.price)
    has = read_prices(ctx, GOODS, [odoo_id]).get(odoo_id, {}).get(SALES_PRICE)
    if has == value:
        return []
    _write(ctx, GOODS, _followed(ctx, conflict, GOODS, odoo_id), {SALES_PRICE: value})
    return ["odoo"]


def _settle_sales_price(ctx: FlowContext, conflict: Conflict, use: System) -> list[str]:
    product, binding = both_sides(ctx, conflict)
    odoo_id, shelf = binding.odoo_id, TEMPLATES if binding.kind == TEMPLATES.kind else GOODS
    name = conflict.field
    has = read_prices(ctx, shelf, [odoo_id]).get(odoo_id, {}).get(name, conflict.odoo_value)
    price = product.cost if name == COST else product.price
    there = conflict.magento_value if price is None or shelf is TEMPLATES else number(price)
    value = there if use == "magento" else has
    if use == "odoo" and conflict.overwritten_at is not None:
        # Nobody has it any more but the ledger.
        value = conflict.odoo_value
    one = _followed(ctx, conflict, shelf, odoo_id)
    written: list[str] = []
    if there != value:
        if shelf is TEMPLATES or Decimal(value) <= 0:
            raise _unwritable(conflict, value, "magento")
        field = "cost" if name == COST else "price"
        version = f"conflict {conflict.id}"
        magento_writes.change(ctx, product, {field: Decimal(value)}, store_code=ALL, version=version)
        written.append("magento")
    if not is_same(value, has, price_digits(ctx)):
        _write(ctx, shelf, one, {name: value})
        written.append("odoo")
    else:
        one.marks |= read_there(name, has)
    one.marks |= seen({name: value})
    keep_prices(ctx, [one])
    return written


def _write(ctx: FlowContext, shelf: Shelf, one: Followed, change: dict[str, str]) -> None:
    def refused(_: str, error: BridgeError) -> None:
        raise refusal(one.sku, error)

    one.change = change
    write_prices(ctx, shelf, [one], refused=refused)


def _followed(ctx: FlowContext, conflict: Conflict, shelf: Shelf, odoo_id: int) -> Followed:
    kept = ctx.ledger.bindings.get(ctx.instance.name, PRICE_BINDING, conflict.magento_id)
    return Followed(
        entity=conflict.magento_id,
        sku=conflict.label or conflict.magento_id,
        odoo_id=odoo_id,
        model=shelf.model,
        cells={},
        marks=read_marks(kept.fingerprint) if kept is not None else {},
        version=kept.updated_at.isoformat() if kept is not None else "",
        change={},
    )


def _unwritable(conflict: Conflict, value: str, system: System) -> PriceUnwritable:
    where = "Magento" if system == "magento" else "Odoo"
    return PriceUnwritable(
        f"{where} has no one place for the {title_of_price(conflict.field)} {said_price(conflict.field, value)} "
        f"of the product {conflict.label or conflict.magento_id}.",
        system=system,
        reason=system,
        sku=conflict.label or conflict.magento_id,
    )
