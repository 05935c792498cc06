"""Order lines per product type (FACTS 7, "Lines per product type"; RULES 1.6, 1.7)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from bridge.errors import MappingMissing, OrderUnclear
from bridge.translate.drafts import Draft, is_gross
from bridge.translate.magento_records import MagentoOrder, OrderItem
from bridge.translate.money import ZERO, round_to
from bridge.translate.order_book import PRODUCT, OrderBook, ProductNeed
from bridge.translate.plan_records import Role
from bridge.translate.taxes import item_tax_keys, odoo_taxes


@dataclass(frozen=True, kw_only=True)
class SoldItem:
    """A Magento line that becomes an order line."""

    #: Carries quantity and, unless it is a component, the amounts.
    item: OrderItem
    role: Role
    #: Names the product: the child of a configurable, else ``item``.
    product: OrderItem
    #: All Magento lines that the order line stands for.
    item_ids: tuple[int, ...]
    #: The bundle that it was chosen in.
    bundle: OrderItem | None = None

    @property
    def has_price(self) -> bool:
        """Whether it carries amounts: components of a fixed bundle do not."""
        return self.role != "component"


def sold_items(order: MagentoOrder) -> tuple[SoldItem, ...]:
    """Return the lines to sell, each amount once: never all lines, that counts a dynamic bundle twice.

    Raises:
        OrderUnclear: a line of an unknown type has children.
    """
    return tuple(sold for item in order.top_items for sold in _sold(order, item))


def _sold(order: MagentoOrder, item: OrderItem) -> Iterator[SoldItem]:
    children = order.children_of(item)
    if not children:
        yield SoldItem(item=item, role="product", product=item, item_ids=(item.item_id,))
    elif item.product_type == "configurable":
        # Amounts stand on the parent, the product is the child (RULES 1.7); both lines carry the child's SKU.
        ids = (item.item_id, *(child.item_id for child in children))
        yield SoldItem(item=item, role="product", product=children[0], item_ids=ids)
    elif item.product_type == "bundle":
        yield from _bundle(item, children)
    else:
        raise OrderUnclear(
            f"Order {order.increment_id}: line {item.item_id} is of the type {item.product_type!r} and has parts; "
            "how its price is divided among them is not known.",
            system="magento",
            item_id=item.item_id,
            product_type=item.product_type,
        )


def _bundle(item: OrderItem, children: tuple[OrderItem, ...]) -> Iterator[SoldItem]:
    if is_dynamic(children):
        for child in children:
            yield SoldItem(item=child, role="product", product=child, item_ids=(child.item_id,), bundle=item)
        return
    yield SoldItem(item=item, role="bundle", product=item, item_ids=(item.item_id,))
    for child in children:
        yield SoldItem(item=child, role="component", product=child, item_ids=(child.item_id,), bundle=item)


def is_dynamic(children: tuple[OrderItem, ...]) -> bool:
    """Whether a bundle's amounts stand on its children: then the parent only repeats their sum."""
    return any(child.price or child.net_before_discount or child.tax_amount for child in children)


def product_needs(order: MagentoOrder) -> tuple[ProductNeed, ...]:
    """Return the products that the order's lines need."""
    return tuple(
        ProductNeed(
            item_id=sold.item.item_id,
            product_id=sold.product.product_id,
            sku=sold.product.sku,
            is_catalog_sku=not sold.product.has_custom_options and sold.product.product_type != "bundle",
            name=sold.product.name,
            product_type=sold.product.product_type,
            is_service=sold.role == "bundle",
        )
        for sold in sold_items(order)
    )


def line_drafts(order: MagentoOrder, book: OrderBook) -> list[Draft]:
    """Return the drafts of the products' lines, before discounts.

    Raises:
        MappingMissing: a product or a tax has nothing mapped to it.
        OrderUnclear: a line cannot be read with certainty.
    """
    return [_draft(order, book, sold) for sold in sold_items(order)]


def _draft(order: MagentoOrder, book: OrderBook, sold: SoldItem) -> Draft:
    item = sold.item
    quantity = item.qty_ordered
    keys = item_tax_keys(order, item) if sold.has_price else ()
    taxes = odoo_taxes(book, keys)
    _check_quantity(order, sold, book)
    product_id = book.products.get(item.item_id)
    if product_id is None:
        label = sold.product.sku or str(sold.product.product_id or item.item_id)
        raise MappingMissing(
            PRODUCT,
            label,
            f"No Odoo product is known for {label!r} ({sold.product.name}).",
            product_id=sold.product.product_id,
            item_id=item.item_id,
        )
    gross = is_gross(taxes)
    row = (gross_before_discount(item) if gross else item.net_before_discount) if sold.has_price else ZERO
    unit = item.price_incl_tax if gross and item.price_incl_tax is not None else item.price
    return Draft(
        key=f"item_{item.item_id}",
        role=sold.role,
        product_id=product_id,
        name=_line_text(sold),
        quantity=quantity,
        row=row,
        unit=unit if sold.has_price else ZERO,
        taxes=taxes,
        tax_keys=keys,
        item_ids=sold.item_ids,
    )


def gross_before_discount(item: OrderItem) -> Decimal:
    """Return the row with tax before the discount (RULES 1.2).

    A gross discount stands in ``discount_amount``. A net one has no gross figure: the gross unit price tells the
    row, and what is left after the discount tells the gross discount.
    """
    if not item.discount_amount:
        return item.gross
    if item.discounts_gross:
        return item.gross + item.discount_amount
    if item.price_incl_tax is not None:
        return item.price_incl_tax * item.qty_ordered
    return item.gross + item.net_discount * (1 + (item.tax_percent or ZERO) / 100)


def _check_quantity(order: MagentoOrder, sold: SoldItem, book: OrderBook) -> None:
    quantity = sold.item.qty_ordered
    if quantity <= 0 and sold.has_price and sold.item.net_before_discount:
        raise OrderUnclear(
            f"Order {order.increment_id}: line {sold.item.item_id} has an amount and the quantity {quantity}.",
            system="magento",
            item_id=sold.item.item_id,
            field="qty_ordered",
        )
    if round_to(quantity, book.profile.quantity_digits) != quantity:
        raise OrderUnclear(
            f"Order {order.increment_id}: line {sold.item.item_id} has the quantity {quantity}, and this Odoo keeps "
            f"{book.profile.quantity_digits} decimal places. Raise the decimal accuracy of units of measure in Odoo.",
            system="odoo",
            item_id=sold.item.item_id,
            reason="quantity_digits",
        )


def _line_text(sold: SoldItem) -> str:
    """Return the line's text: the name, the bundle it was chosen in, options and choices (RULES 1.7)."""
    head = sold.product.name if sold.bundle is None else f"{sold.bundle.name}: {sold.product.name}"
    if sold.product is not sold.item and sold.product.name != sold.item.name and sold.bundle is None:
        head = f"{sold.item.name} ({sold.product.name})"
    sku = f"[{sold.product.sku}] " if sold.product.sku else ""
    message = (f"Gift message: {sold.item.gift_message}",) if sold.item.gift_message else ()
    return "\n".join((f"{sku}{head}", *sold.item.options, *message))
