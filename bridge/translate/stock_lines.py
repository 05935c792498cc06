"""Magento's open units: what each line of each order holds back, kept by events in time order (RULES 3).

From the raw order, as leniently as can be: an order that the bridge will not import reserves all the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

from bridge.translate.money import ZERO

EventKind = Literal["ship", "refund", "cancel"]


@dataclass(frozen=True, kw_only=True)
class LineState:
    """One line of a Magento order with its counters, and R as the events so far left it."""

    item_id: int
    #: Magento's product, of a configurable its child; None where the order names none.
    product_id: int | None
    #: As the line has it: with custom options it is in no catalog.
    sku: str
    ordered: Decimal
    canceled: Decimal = ZERO
    shipped: Decimal = ZERO
    refunded: Decimal = ZERO
    #: R; negative where Magento went wrong.
    open: Decimal = ZERO
    #: Units shipped before the stock opening: Odoo's count knows them (RULES 1.8).
    shipped_before: Decimal = ZERO

    @property
    def shipped_since(self) -> Decimal:
        """X: shipped since the stock opening."""
        return max(ZERO, self.shipped - self.shipped_before)


@dataclass(frozen=True, kw_only=True)
class LineEvent:
    """Units of a line that were shipped, refunded or cancelled."""

    kind: EventKind
    quantity: Decimal
    #: Magento's UTC text: it sorts by time.
    at: str = ""


def replay(open_units: Decimal, events: Iterable[LineEvent]) -> Decimal:
    """Return R after ``events``, which are in time order: a refund takes open units only, whatever it returns."""
    for event in events:
        if event.kind == "refund":
            open_units -= min(event.quantity, max(ZERO, open_units))
        else:
            open_units -= event.quantity
    return open_units


def is_ambiguous(before: LineState | None, now: LineState) -> bool:
    """Return whether it matters in which order the units were shipped and refunded since ``before``."""
    known = before or _placed(now)
    if now.shipped <= known.shipped or now.refunded <= known.refunded:
        return False
    news = _news(known, now)
    return replay(known.open, news) != replay(known.open, reversed(news))


def advance(
    before: LineState | None, now: LineState, *, events: Sequence[LineEvent] | None = None
) -> LineState:
    """Return ``now`` with R, from what was known before and what has happened since.

    ``events`` is the whole history of the line in time order, where the order of a shipment and a refund decides; else
    refunds are taken to come last, as they do in a shop: then R is ordered - canceled - shipped - refunded, not below 0.
    """
    if events is not None:
        # Nothing tells when units were cancelled.
        return replace(now, open=replay(now.ordered - now.canceled, events))
    known = before or _placed(now)
    ordered_more = now.ordered - known.ordered
    return replace(now, open=replay(known.open + ordered_more, _news(known, now)))


def _placed(now: LineState) -> LineState:
    return replace(now, canceled=ZERO, shipped=ZERO, refunded=ZERO, open=now.ordered)


def _news(known: LineState, now: LineState) -> list[LineEvent]:
    return [
        LineEvent(kind="ship", quantity=now.shipped - known.shipped),
        LineEvent(kind="cancel", quantity=now.canceled - known.canceled),
        LineEvent(kind="refund", quantity=now.refunded - known.refunded),
    ]


def line_states(raw: Mapping[str, Any]) -> list[LineState]:
    """Return the lines of an order that hold goods back, with Magento's counters and without R.

    Of a configurable the counters stand on the parent and the product on the child (FACTS 8). A bundle's parts count
    for themselves, but a fixed one is cancelled and refunded by its parent. What is virtual is taken out of the source
    when it is invoiced.
    """
    given = raw.get("items") or ()
    # PHP makes an object of a list with gaps.
    rows = given.values() if isinstance(given, Mapping) else given
    items = [one for one in rows if isinstance(one, Mapping) and whole(one, "item_id")]
    parts: dict[int, list[Mapping[str, Any]]] = {}
    for item in items:
        if parent_id := whole(item, "parent_item_id"):
            parts.setdefault(parent_id, []).append(item)
    found: list[LineState] = []
    for item in items:
        if whole(item, "parent_item_id"):
            continue
        children = parts.get(whole(item, "item_id") or 0, [])
        if not children:
            found.append(_state(item, item))
        elif item.get("product_type") == "bundle":
            is_fixed = not any(_number(child, "price") for child in children)
            found += [_part(child, item if is_fixed else None) for child in children]
        else:
            found.append(_state(item, children[0]))
    return [line for line in found if line.ordered > 0]


def _part(child: Mapping[str, Any], fixed: Mapping[str, Any] | None) -> LineState:
    state = _state(child, child)
    whole = ZERO if fixed is None else _number(fixed, "qty_ordered")
    if fixed is None or not whole:
        return state
    each = state.ordered / whole
    return replace(
        state,
        canceled=max(state.canceled, each * _number(fixed, "qty_canceled")),
        refunded=max(state.refunded, each * _number(fixed, "qty_refunded")),
        shipped=max(state.shipped, each * _number(fixed, "qty_shipped")),
    )


def _state(counted: Mapping[str, Any], product: Mapping[str, Any]) -> LineState:
    taken_out = "qty_invoiced" if whole(counted, "is_virtual") else "qty_shipped"
    return LineState(
        item_id=whole(counted, "item_id") or 0,
        product_id=whole(product, "product_id"),
        sku=str(product.get("sku") or ""),
        ordered=_number(counted, "qty_ordered"),
        canceled=_number(counted, "qty_canceled"),
        shipped=_number(counted, taken_out),
        refunded=_number(counted, "qty_refunded"),
    )


def line_events(
    shipments: Iterable[Mapping[str, Any]], memos: Iterable[Mapping[str, Any]]
) -> dict[int, list[LineEvent]]:
    """Return the shipments and refunds of each line by its id, in time order; of one second the shipment first."""
    found: dict[int, list[LineEvent]] = {}
    kinds: tuple[tuple[EventKind, Iterable[Mapping[str, Any]]], ...] = (
        ("ship", shipments),
        ("refund", memos),
    )
    for kind, documents in kinds:
        for document in documents:
            at = str(document.get("created_at") or "")
            for item in document.get("items") or ():
                quantity, item_id = _number(item, "qty"), whole(item, "order_item_id")
                if item_id and quantity > 0:
                    event = LineEvent(kind=kind, quantity=quantity, at=at)
                    found.setdefault(item_id, []).append(event)
    for events in found.values():
        events.sort(key=lambda event: event.at)
    return found


def whole(row: Mapping[str, Any], name: str) -> int | None:
    """Return an id, which may come as a text with digits behind the point; None where there is none."""
    number = _number(row, name)
    return int(number) if number else None


def _number(row: Mapping[str, Any], name: str) -> Decimal:
    """Return a quantity; what cannot be read is none: such an order is looked at by a person when it is imported."""
    try:
        number = Decimal(str(row.get(name) or 0))
    except InvalidOperation:
        return ZERO
    return number if number.is_finite() else ZERO
