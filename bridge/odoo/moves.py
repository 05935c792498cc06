"""What the lines of Odoo's orders have delivered, reserved and open: the terms of RULES 3 on Odoo's side.

On 18 and 19 one call brings lines, their orders' warehouse and their moves, all of one moment (``kits/lines-with-moves-*``);
16 has no such call, and takes two.

Dropshipped units never count, nor do returns and scrapped goods. Of a delivery in several steps only the last one ships,
but each unit is reserved and open once, wherever on its way it is (RULES 3.7, ``rules/stock-two-step-delivery``): 18 and
19 make the steps one after the other, each with the order's line; 16 makes all at once, and only the last has the line.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from bridge.odoo.client import OdooClient
from bridge.odoo.kits import Kit
from bridge.odoo.stock import QuantityField, clean

#: Order lines asked for at once.
LINES_AT_ONCE = 500
#: States in which a move is open: Odoo's own forecast counts these.
OPEN_STATES = frozenset({"waiting", "confirmed", "partially_available", "assigned"})
#: No delivery has more steps than this.
_MAX_STEPS = 6
#: Fields of moves that are read in every version.
_MOVE = (
    "product_id",
    "state",
    "product_uom_qty",
    "product_qty",
    "location_usage",
    "location_dest_usage",
    "move_orig_ids",
)
#: Marks a step before the last one, as 16 makes them.
_IS_STEP = "is_step"
_INSIDE = frozenset({"internal", "transit", "production"})


@dataclass
class Moved:
    """What became of one product of a line, in units of the product."""

    delivered: Decimal = Decimal(0)
    reserved: Decimal = Decimal(0)
    open: Decimal = Decimal(0)
    #: What has left its first place.
    left: Decimal = Decimal(0)


@dataclass(frozen=True, kw_only=True)
class LineMoves:
    """What became of one line of an Odoo order, in units of its product."""

    line_id: int
    order_id: int
    product_id: int
    #: The order's warehouse: the line counts there, whichever source shipped it (RULES 3.4).
    warehouse_id: int | None
    ordered: Decimal
    #: Units that have left to the customer, gross of what came back.
    delivered: Decimal
    #: Units that are reserved for moves that are not done yet.
    reserved: Decimal
    #: Units that moves are open for, reserved or not.
    open: Decimal
    #: Units that have left their place but not the warehouse: between two steps.
    between: Decimal
    #: The same by product: of a kit's line its parts.
    by_product: Mapping[int, Moved] = field(default_factory=dict)

    def lacking(self, field: QuantityField, *, by_location: bool = False) -> Decimal:
        """Return D: how many of the line's units ``field`` already lacks (RULES 3).

        ``by_location``: the field is read of the place that goods are picked from, not of the whole warehouse.
        """
        if field == "free_qty":
            return self.delivered + self.reserved
        if field == "virtual_available":
            return self.delivered + self.open
        return self.delivered + (self.between if by_location else 0)


@dataclass(frozen=True, kw_only=True)
class _Line:
    """An order's line with its moves, however the version tells of them."""

    row: Mapping[str, Any]
    order_id: int
    warehouse_id: int | None
    moves: Sequence[Mapping[str, Any]]


def line_moves(
    odoo: OdooClient, line_ids: Iterable[int], *, kits: Mapping[int, Kit] | None = None
) -> dict[int, LineMoves]:
    """Return the state of order lines; a line that is gone is missing. One call for 500, on 16 two and more with several steps.

    The moves of a kit's line are those of its parts: the line has so many units as every part has been moved for.
    """
    wanted = sorted({int(one) for one in line_ids})
    found: dict[int, LineMoves] = {}
    for start in range(0, len(wanted), LINES_AT_ONCE):
        some = wanted[start : start + LINES_AT_ONCE]
        lines = _lines_with_moves(odoo, some) if odoo.names.has_picked else _lines_of_16(odoo, some)
        found |= {int(line.row["id"]): _as_line(odoo, line, kits or {}) for line in lines}
    return found


def _as_line(odoo: OdooClient, line: _Line, kits: Mapping[int, Kit]) -> LineMoves:
    product_id = _id(line.row["product_id"])
    kit = kits.get(product_id)
    moved = _moved(line.moves, odoo.names.move_done)
    total = moved.get(product_id, Moved())
    if kit is not None and kit.parts:
        shares = [_share(moved.get(part, Moved()), per_kit) for part, per_kit in kit.parts.items() if per_kit]
        total = Moved(
            delivered=min(one.delivered for one in shares),
            reserved=min(one.reserved for one in shares),
            open=min(one.open for one in shares),
            left=min(one.left for one in shares),
        )
    return LineMoves(
        line_id=int(line.row["id"]),
        order_id=line.order_id,
        product_id=product_id,
        warehouse_id=line.warehouse_id,
        ordered=clean(line.row["product_uom_qty"]),
        delivered=total.delivered,
        reserved=total.reserved,
        open=total.open,
        between=max(Decimal(0), total.left - total.delivered),
        by_product=moved,
    )


def _share(moved: Moved, per_kit: Decimal) -> Moved:
    return Moved(
        delivered=clean(moved.delivered / per_kit),
        reserved=clean(moved.reserved / per_kit),
        open=clean(moved.open / per_kit),
        left=clean(moved.left / per_kit),
    )


def _lines_with_moves(odoo: OdooClient, line_ids: Sequence[int]) -> list[_Line]:
    moves: dict[str, Any] = {name: {} for name in (*_MOVE, odoo.names.move_done)}
    asked = {
        "product_id": {},
        "product_uom_qty": {},
        "order_id": {"fields": {"warehouse_id": {}}},
        "move_ids": {"fields": moves},
    }
    arguments = {"domain": [["id", "in", list(line_ids)]], "specification": asked}
    answer = odoo.call("sale.order.line", "web_search_read", args=arguments)
    return [
        _Line(
            row=row,
            order_id=int(row["order_id"]["id"]),
            warehouse_id=_id(row["order_id"]["warehouse_id"]) or None,
            moves=[one for one in row["move_ids"] if one["state"] != "cancel"],
        )
        for row in answer["records"]
        if row["product_id"]
    ]


def _lines_of_16(odoo: OdooClient, line_ids: Sequence[int]) -> list[_Line]:
    fields = ["order_id", "product_id", "product_uom_qty", "warehouse_id"]
    lines = [row for row in odoo.read("sale.order.line", line_ids, fields) if row["product_id"]]
    fields = [*_MOVE, odoo.names.move_done, "sale_line_id", "reserved_availability"]
    domain = [["sale_line_id", "in", list(line_ids)], ["state", "!=", "cancel"]]
    rows = odoo.search_read("stock.move", domain, fields)
    of_line = {int(row["id"]): _id(row["sale_line_id"]) for row in rows}
    moves: dict[int, list[Mapping[str, Any]]] = {}
    for row in [*rows, *_steps_before(odoo, rows, of_line, fields)]:
        moves.setdefault(of_line[int(row["id"])], []).append(row)
    return [
        _Line(
            row=row,
            order_id=_id(row["order_id"]),
            warehouse_id=_id(row["warehouse_id"]) or None,
            moves=moves.get(int(row["id"]), ()),
        )
        for row in lines
    ]


def _moved(moves: Iterable[Mapping[str, Any]], done_field: str) -> dict[int, Moved]:
    found: dict[int, Moved] = {}
    for row in moves:
        if row["location_usage"] in _INSIDE and row["location_dest_usage"] in _INSIDE | {"customer"}:
            own = found.setdefault(_id(row["product_id"]), Moved())
            _add(own, row, done_field, is_step_of_16=bool(row.get(_IS_STEP)))
    return found


def _id(value: Any) -> int:
    """Return the id that a link leads to, 0 where it leads nowhere: ``read`` answers pairs, the other call bare ids."""
    return int(value[0] if isinstance(value, list) else value or 0)


def _add(sums: Moved, row: Mapping[str, Any], done_field: str, *, is_step_of_16: bool) -> None:
    """Add a move; its figures are in the move's unit, the product's own is told by ``product_qty``."""
    demand = clean(row["product_uom_qty"])
    ratio = clean(row["product_qty"]) / demand if demand else Decimal(1)
    if row["state"] == "done":
        done = clean(row[done_field]) * ratio
        if row["location_dest_usage"] == "customer":
            sums.delivered += done
        if not row["move_orig_ids"]:
            sums.left += done
        return
    if row["state"] not in OPEN_STATES:
        return
    sums.reserved += clean(row.get("reserved_availability", row[done_field])) * ratio
    if not is_step_of_16:
        sums.open += demand * ratio


def _steps_before(
    odoo: OdooClient, rows: Sequence[dict[str, Any]], of_line: dict[int, int], fields: Sequence[str]
) -> list[dict[str, Any]]:
    """Return the steps before the last ones, as 16 makes them, and note whose line each is."""
    found: list[dict[str, Any]] = []
    ahead = list(rows)
    for _ in range(_MAX_STEPS):
        for row in ahead:
            for one in row["move_orig_ids"]:
                of_line.setdefault(int(one), of_line[int(row["id"])])
        known = {int(row["id"]) for row in [*rows, *found]}
        before = sorted({int(one) for row in ahead for one in row["move_orig_ids"]} - known)
        if not before:
            break
        steps = odoo.read("stock.move", before, fields)
        ahead = [{**row, _IS_STEP: True} for row in steps if row["state"] != "cancel"]
        found += ahead
    return found
