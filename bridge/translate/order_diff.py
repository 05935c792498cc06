"""What changed between two readings of an order, and whether it may be carried over (RULES 1.9)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Any

from bridge.translate.magento_records import MagentoOrder, OrderItem
from bridge.translate.partners import address_key, customer_key

#: Fields of an order whose change blocks: money and currency.
_BLOCKING = (
    "currency", "subtotal", "discount_amount", "discount_tax_compensation", "tax_amount", "grand_total", "shipping",
    "extras", "taxes",
)  # fmt: skip
#: Fields of a line that may change: what happened to it.
_PROGRESS = frozenset({"qty_canceled", "qty_invoiced", "qty_shipped", "qty_refunded", "gift_message"})


@dataclass(frozen=True, kw_only=True)
class Change:
    """One difference. Texts of addresses are not in it: it may be logged."""

    #: ``grand_total``, ``items[42].price``, ``billing``, ``status``.
    field: str
    old: str
    new: str


@dataclass(frozen=True, kw_only=True)
class Cancellation:
    """Units cancelled in Magento since the older reading; compared per line, not by state."""

    item_id: int
    quantity: Decimal


@dataclass(frozen=True, kw_only=True)
class OrderDiff:
    """The difference between two readings."""

    #: Lines, prices, taxes, totals: never carried over, they block.
    blocking: tuple[Change, ...] = ()
    #: Status, note, comments, addresses.
    allowed: tuple[Change, ...] = ()
    cancellations: tuple[Cancellation, ...] = ()
    billing_changed: bool = False
    delivery_changed: bool = False
    status_changed: bool = False
    notes_changed: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether nothing changed that matters to Odoo."""
        return not (self.blocking or self.allowed or self.cancellations)


def diff_order(old: MagentoOrder, new: MagentoOrder) -> OrderDiff:
    """Return what changed from ``old`` to ``new``."""
    blocking = [
        Change(field=name, old=_text(getattr(old, name)), new=_text(getattr(new, name)))
        for name in _BLOCKING
        if getattr(old, name) != getattr(new, name)
    ]
    blocking += _line_changes(old, new)
    if customer_key(old) != customer_key(new):
        blocking.append(Change(field="customer", old="another customer", new="another customer"))
    billing = address_key(old, old.billing) != address_key(new, new.billing)
    delivery = _delivery_key(old) != _delivery_key(new)
    status = (old.state, old.status) != (new.state, new.status)
    notes = _notes(old) != _notes(new)
    allowed = []
    if billing:
        allowed.append(Change(field="billing", old="another address", new="a new address"))
    if delivery:
        allowed.append(Change(field="delivery", old="another address", new="a new address"))
    if status:
        allowed.append(
            Change(field="status", old=f"{old.state}/{old.status}", new=f"{new.state}/{new.status}")
        )
    if notes:
        allowed.append(Change(field="notes", old="other notes", new="new notes"))
    return OrderDiff(
        blocking=tuple(blocking),
        allowed=tuple(allowed),
        cancellations=_cancellations(old, new),
        billing_changed=billing,
        delivery_changed=delivery,
        status_changed=status,
        notes_changed=notes,
    )


def _line_changes(old: MagentoOrder, new: MagentoOrder) -> list[Change]:
    before = {item.item_id: item for item in old.items}
    after = {item.item_id: item for item in new.items}
    changes = [
        Change(field=f"items[{item_id}]", old="there", new="gone")
        for item_id in before
        if item_id not in after
    ]
    for item_id, item in after.items():
        if item_id not in before:
            changes.append(Change(field=f"items[{item_id}]", old="not there", new=item.sku))
            continue
        changes += _item_changes(before[item_id], item)
    return changes


def _item_changes(old: OrderItem, new: OrderItem) -> list[Change]:
    return [
        Change(
            field=f"items[{new.item_id}].{part.name}",
            old=_text(getattr(old, part.name)),
            new=_text(getattr(new, part.name)),
        )
        for part in fields(OrderItem)
        if part.name not in _PROGRESS and getattr(old, part.name) != getattr(new, part.name)
    ]


def _cancellations(old: MagentoOrder, new: MagentoOrder) -> tuple[Cancellation, ...]:
    before = {item.item_id: item.qty_canceled for item in old.items}
    return tuple(
        Cancellation(item_id=item.item_id, quantity=item.qty_canceled - before[item.item_id])
        for item in new.items
        if item.item_id in before and item.qty_canceled > before[item.item_id]
    )


def _delivery_key(order: MagentoOrder) -> str:
    return address_key(order, order.delivery) if order.delivery is not None else ""


def _notes(order: MagentoOrder) -> tuple[object, ...]:
    return (order.customer_note, order.gift_message, order.comments)


def _text(value: Any) -> str:
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def reduced_quantities(quantities: Sequence[Decimal], cancelled: Decimal) -> list[Decimal]:
    """Return what is left of a Magento line's order lines after ``cancelled`` units, taken from the last ones.

    A Magento line can be several order lines (``order_items``). More than there is leaves nothing.
    """
    left = []
    for quantity in reversed(quantities):
        taken = min(quantity, cancelled)
        cancelled -= taken
        left.append(quantity - taken)
    return left[::-1]
