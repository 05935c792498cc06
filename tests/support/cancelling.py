"""Orders of which units are cancelled after the confirmation, and what Odoo still means to deliver of them."""

from __future__ import annotations

from decimal import Decimal

from tests.support.once import OnceShop, Raw
from tests.support.orders import bound, changed, with_lines


def an_order_of_several_in_one_line(shop: OnceShop) -> tuple[Raw, int]:
    """Return an imported order of several pieces of one product, which is one line in Odoo beside shipping."""
    while True:
        raw = shop.new_order()
        ordered = int(raw["items"][0]["qty_ordered"])
        if ordered < 3:
            continue
        assert shop.import_order(raw).state == "done"
        (order,) = shop.sale_orders(raw)
        if sorted(line["product_uom_qty"] for line in shop.lines(order["id"])) == [1, ordered]:
            return raw, ordered


def cancelled(shop: OnceShop, raw: Raw, units: int) -> Raw:
    """Cancel units of an order of one article in Magento, counted from the beginning."""
    return changed(shop, raw, items=with_lines(raw, qty_canceled=units))


def moved(shop: OnceShop, raw: Raw) -> list[Decimal]:
    """Return the units of each move of an order in Odoo that is not cancelled, receipts too."""
    lines = {line["id"] for line in shop.lines(bound(shop, raw)["id"])}
    return [
        Decimal(str(move["product_uom_qty"]))
        for move in shop.box.odoo.records("stock.move")
        if move.get("sale_line_id") in lines and move["state"] != "cancel"
    ]
