"""The lines of an order as ``GET /V1/orders/ID`` shows them, for every product type."""

from __future__ import annotations

from bridge.sandbox.magento.cart import Cart, CartLine, Part, Product
from bridge.sandbox.magento.rest import Raw
from bridge.sandbox.magento.taxes import Taxed, php_round, shown
from bridge.sandbox.magento.totals import Charge, Totals

_NOT_SHIPPED = frozenset({"virtual", "downloadable"})
_EMPTY = Taxed(price=0.0, price_incl_tax=0.0, row_total=0.0, row_total_incl_tax=0.0, tax=0.0)
#: Left out of lines that carry no price of their own.
_PRICED_ONLY = (
    "base_discount_tax_compensation_amount",
    "base_original_price",
    "base_price_incl_tax",
    "discount_tax_compensation_amount",
    "price_incl_tax",
)


def order_items(cart: Cart, local: Totals, base: Totals, *, first_line: int) -> list[Raw]:
    """Return the lines, numbered from ``first_line``, each parent before its parts."""
    items: list[Raw] = []
    for index, line in enumerate(cart.lines):
        parent_id = first_line + len(items)
        items.append({**_parent(cart, line, index, local, base), **_ids(parent_id, cart)})
        for part_index, part in enumerate(line.parts):
            key = (index, part_index)
            child = _child(cart, line, part, (local.charges.get(key), base.charges.get(key)))
            item_id = first_line + len(items)
            items.append({**child, **_ids(item_id, cart), "parent_item_id": parent_id})
    return items


def _ids(item_id: int, cart: Cart) -> Raw:
    return {"item_id": item_id, "quote_item_id": item_id, "store_id": cart.view.id}


def _parent(cart: Cart, line: CartLine, index: int, local: Totals, base: Totals) -> Raw:
    if line.kind == "bundle_dynamic":
        item = _line(cart, line.product, line.quantity, _sum(local, index, line), _sum(base, index, line))
        original = sum(part.product.price * part.quantity for part in line.parts)
        for name in (
            "tax_percent",
            "discount_tax_compensation_amount",
            "base_discount_tax_compensation_amount",
        ):
            del item[name]
        item["discount_percent"] = 0
    else:
        item = _line(cart, line.product, line.quantity, local.charges[index, None], base.charges[index, None])
        original = line.parts[0].product.price if line.kind == "configurable" else line.product.price
    item["original_price"] = shown(original * cart.view.rate)
    item["base_original_price"] = shown(original)
    item["product_type"] = line.kind.split("_", maxsplit=1)[0]
    item["is_virtual"] = int(line.kind in _NOT_SHIPPED)
    item["sku"] = _sku(line)
    # What a coupon ships free of charge weighs nothing (``orders/011-order-coupon-free-shipping``).
    ships_free = cart.coupon is not None and cart.coupon.action == "free_shipping"
    item["row_weight"] = 0 if ships_free else shown(_row_weight(line))
    weight = line_weight(line)
    if weight is not None:
        item["weight"] = shown(weight)
    if line.option is not None:
        item["product_option"] = dict(line.option)
    if line.backordered:
        item["qty_backordered"] = shown(line.backordered)
    if cart.coupon:
        item["applied_rule_ids"] = str(cart.coupon.rule_id)
    return item


def _child(cart: Cart, line: CartLine, part: Part, charges: tuple[Charge | None, Charge | None]) -> Raw:
    quantity = part.quantity * line.quantity
    local, base = charges
    if local is None or base is None:
        nothing = Charge(rate=None, amounts=_EMPTY, discount=0.0)
        item = _line(cart, part.product, quantity, nothing, nothing)
        for name in _PRICED_ONLY:
            item.pop(name, None)
        item["discount_percent"] = 0
        item["original_price"] = 0
    else:
        item = _line(cart, part.product, quantity, local, base)
        item["original_price"] = shown(part.product.price * cart.view.rate)
        item["base_original_price"] = shown(part.product.price)
    item["product_type"] = "simple"
    item["is_virtual"] = 0
    item["sku"] = part.product.sku
    item["row_weight"] = 0
    item["weight"] = shown(part.product.weight or 0)
    return item


def _line(cart: Cart, product: Product, quantity: float, local: Charge, base: Charge) -> Raw:
    coupon = cart.coupon
    item: Raw = {
        "amount_refunded": 0,
        "base_amount_refunded": 0,
        "base_discount_invoiced": 0,
        "base_row_invoiced": 0,
        "base_tax_invoiced": 0,
        "discount_invoiced": 0,
        "discount_percent": shown(coupon.amount) if coupon and coupon.action == "by_percent" else 0,
        "free_shipping": 0,
        "is_qty_decimal": int(product.is_qty_decimal),
        "name": product.name,
        "no_discount": 0,
        "product_id": product.id,
        "qty_canceled": 0,
        "qty_invoiced": 0,
        "qty_ordered": shown(quantity),
        "qty_refunded": 0,
        "qty_shipped": 0,
        "row_invoiced": 0,
        "tax_invoiced": 0,
        "tax_percent": shown(local.rate.percent) if local.rate else 0,
        **_line_amounts(local),
        **{f"base_{name}": value for name, value in _line_amounts(base).items()},
    }
    if product.cost is not None:
        item["base_cost"] = shown(product.cost)
    return item


def _line_amounts(charge: Charge) -> Raw:
    amounts = charge.amounts
    row = max(amounts.row_total - charge.discount, 0.0)
    return {
        "discount_amount": shown(charge.discount),
        "discount_tax_compensation_amount": shown(amounts.compensation),
        "price": shown(php_round(amounts.price)),
        "price_incl_tax": shown(php_round(amounts.price_incl_tax)),
        "row_total": shown(row),
        "row_total_incl_tax": shown(row + amounts.tax + amounts.compensation),
        "tax_amount": shown(amounts.tax),
    }


def _sum(totals: Totals, index: int, line: CartLine) -> Charge:
    """The parent of a dynamic bundle repeats the sum of its children, without their discounts."""
    children = [totals.charges[index, part].amounts for part in range(len(line.parts))]
    per_parent = sum(
        child.price_incl_tax * part.quantity for child, part in zip(children, line.parts, strict=True)
    )
    row = sum(child.row_total for child in children)
    tax = sum(child.tax for child in children)
    amounts = Taxed(
        price=row / line.quantity,
        price_incl_tax=per_parent,
        row_total=row,
        row_total_incl_tax=row + tax,
        tax=tax,
    )
    return Charge(rate=None, amounts=amounts, discount=0.0)


def _sku(line: CartLine) -> str:
    if line.sku is not None:
        return line.sku
    if line.kind == "configurable":
        return line.parts[0].product.sku
    if line.kind == "bundle_dynamic":
        return "-".join([line.product.sku, *(part.product.sku for part in line.parts)])
    return line.product.sku


def line_weight(line: CartLine) -> float | None:
    """Return the weight of one unit of a line; None for what is not shipped."""
    if line.kind == "configurable":
        return line.parts[0].product.weight
    if line.kind == "bundle_dynamic":
        return sum((part.product.weight or 0) * part.quantity for part in line.parts)
    return line.product.weight


def _row_weight(line: CartLine) -> float:
    # A dynamic bundle counts each part once, whatever its quantity (``orders/004-order-bundle-dynamic``).
    if line.kind == "bundle_dynamic":
        return sum((part.product.weight or 0) for part in line.parts) * line.quantity
    return (line_weight(line) or 0) * line.quantity
