"""Looks for edits of prices on the side that is not their master, after a product was imported or exported.

Magento's side is compared by a batch of the export of prices, with all that decides about them; Odoo's sales price by what
the export of products has read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from bridge.flows.context import FlowContext
from bridge.flows.export_goods import Goods
from bridge.flows.export_prices import PAGE_SIZE, want_batch
from bridge.flows.price_following import PRICE_BINDING, Followed, edit_of, keep_prices, price_digits
from bridge.flows.product_writing import TEMPLATES
from bridge.ledger import Binding, SeenEdit
from bridge.translate.catalog_records import MagentoProduct
from bridge.translate.followed_prices import SALES_PRICE, is_edited, is_remembered, is_same, read_there, seen
from bridge.translate.price_records import number
from bridge.translate.product_plan import read_marks


def look_in_magento(ctx: FlowContext, product_ids: Iterable[int]) -> None:
    """Want a look at Magento's prices of products that were imported, of those whose prices Odoo has sent there."""
    if ctx.settings.master("price") != "odoo":
        return
    kept = ctx.ledger.bindings.get_many(ctx.instance.name, PRICE_BINDING, sorted(set(product_ids)))
    ids = sorted(int(entity) for entity, one in kept.items() if "base@" in (one.fingerprint or ""))
    batches = [ids[start : start + PAGE_SIZE] for start in range(0, len(ids), PAGE_SIZE)]
    if batches:
        ctx.ledger.jobs.want([want_batch(ctx.instance.name, batch, {"look": True}) for batch in batches])


def look_in_odoo(
    ctx: FlowContext, known: Sequence[tuple[Goods, Binding]], products: Mapping[int, MagentoProduct]
) -> int:
    """Note the sales prices that were edited in Odoo while Magento is their master; return how many stand.

    ``known`` are bound products of Odoo as they were just read, ``products`` those of Magento. Variants have the price of
    their template.
    """
    if ctx.settings.master("price") != "magento":
        return 0
    digits = price_digits(ctx)
    kept = ctx.ledger.bindings.get_many(
        ctx.instance.name, PRICE_BINDING, [one.magento_id for _, one in known]
    )
    seen_edits: list[SeenEdit] = []
    read: list[Followed] = []
    looked_at: list[str] = []
    for goods, binding in known:
        price = _magento_price(int(binding.magento_id), products)
        if goods.is_variant or price is None:
            continue
        field = "list_price" if goods.shelf is TEMPLATES else "lst_price"
        has = number(Decimal(str(goods.row[field] or 0)))
        row = kept.get(binding.magento_id)
        one = Followed(
            entity=binding.magento_id,
            sku=binding.magento_label or goods.sku,
            odoo_id=goods.odoo_id,
            model=goods.shelf.model,
            cells={SALES_PRICE: number(price)},
            marks=read_marks(row.fingerprint) if row is not None else {},
            change={},
        )
        looked_at.append(one.entity)
        same = is_same(number(price), has, digits)
        if is_edited(one.marks, SALES_PRICE, has) and not same:
            seen_edits.append(edit_of(one, SALES_PRICE, has))
        elif same or not is_remembered(one.marks, SALES_PRICE):
            before = dict(one.marks)
            # What Magento changed meanwhile is still to be carried over, unless Odoo has it already.
            if same or SALES_PRICE not in one.marks:
                one.marks |= seen(one.cells)
            one.marks |= read_there(SALES_PRICE, has)
            read += [one] if one.marks != before else []
    keep_prices(ctx, read)
    ctx.ledger.conflicts.note(ctx.instance.name, PRICE_BINDING, seen_edits, looked_at=looked_at)
    return len(seen_edits)


def _magento_price(product_id: int, products: Mapping[int, MagentoProduct]) -> Decimal | None:
    """Return the price of a product, of a configurable the lowest of its variants; None where there is none."""
    product = products.get(product_id)
    if product is None or not product.child_ids:
        return None if product is None else product.price
    prices = [products[one].price for one in product.child_ids if one in products]
    return min((one for one in prices if one), default=None)
