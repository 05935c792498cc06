"""What the lines of Odoo's orders have delivered, reserved and open: the terms of RULES 3 on Odoo's side.

Dropshipped units never count, nor do returns and scrapped goods. Of a delivery in several steps only the last one ships,
but each unit is reserved and open once, wherever on its way it is (RULES 3.7, ``rules/stock-two-step-delivery``): 18 and
19 make the steps one after the other, each with the order's line; 16 makes all at once, and only the last has the line.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from bridge.odoo.client import OdooClient
from bridge.odoo.stock import Kit, QuantityField, clean

#: Order lines asked for at once.
LINES_AT_ONCE = 500
#: States in which a move is open: Odoo's own forecast counts these.
OPEN_STATES = frozenset({"waiting", "confirmed", "partially_available", "assigned"})
#: No delivery has more steps than this.
_MAX_STEPS = 6
_INSIDE = frozenset({"internal", "transit", "production"})


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

    def lacking(self, field: QuantityField, *, by_location: bool = False) -> Decimal:
        """Return D: how many of the line's units ``field`` already lacks (RULES 3).

        ``by_location``: the field is read of the place that goods are picked from, not of the whole warehouse.
        """
        if field == "free_qty":
            return self.delivered + self.reserved
        if field == "virtual_available":
            return self.delivered + self.open
        return self.delivered + (self.between if by_location else 0)


@dataclass
class _Sums:
    """Sums over the moves of one line and one product."""

    delivered: Decimal = Decimal(0)
    reserved: Decimal = Decimal(0)
    open: Decimal = Decimal(0)
    left: Decimal = Decimal(0)


def line_moves(
    odoo: OdooClient, line_ids: Iterable[int], *, kits: Mapping[int, Kit] | None = None
) -> dict[int, LineMoves]:
    """Return the state of order lines; a line that is gone is missing. Three calls for 500, more on 16 with several steps.

    The moves of a kit's line are those of its parts: the line has so many units as every part has been moved for.
    """
    wanted = sorted({int(one) for one in line_ids})
    found: dict[int, LineMoves] = {}
    for start in range(0, len(wanted), LINES_AT_ONCE):
        found |= _line_moves(odoo, wanted[start : start + LINES_AT_ONCE], kits or {})
    return found


def _line_moves(odoo: OdooClient, line_ids: Sequence[int], kits: Mapping[int, Kit]) -> dict[int, LineMoves]:
    lines = odoo.read("sale.order.line", line_ids, ["order_id", "product_id", "product_uom_qty"])
    lines = [row for row in lines if row["product_id"]]
    orders = odoo.read("sale.order", sorted({int(row["order_id"][0]) for row in lines}), ["warehouse_id"])
    homes = {int(row["id"]): row["warehouse_id"] for row in orders}
    sums = _sums(odoo, line_ids)
    return {int(row["id"]): _as_line(row, homes.get(int(row["order_id"][0])), sums, kits) for row in lines}


def _as_line(
    row: Mapping[str, Any],
    home: Any,
    sums: Mapping[tuple[int, int], _Sums],
    kits: Mapping[int, Kit],
) -> LineMoves:
    line_id, product_id = int(row["id"]), int(row["product_id"][0])
    kit = kits.get(product_id)
    total = sums.get((line_id, product_id), _Sums())
    if kit is not None and kit.parts:
        shares = [
            _share(sums.get((line_id, part), _Sums()), per_kit)
            for part, per_kit in kit.parts.items()
            if per_kit
        ]
        total = _Sums(
            delivered=min(one.delivered for one in shares),
            reserved=min(one.reserved for one in shares),
            open=min(one.open for one in shares),
            left=min(one.left for one in shares),
        )
    return LineMoves(
        line_id=line_id,
        order_id=int(row["order_id"][0]),
        product_id=product_id,
        warehouse_id=int(home[0]) if isinstance(home, list) and home else None,
        ordered=clean(row["product_uom_qty"]),
        delivered=total.delivered,
        reserved=total.reserved,
        open=total.open,
        between=max(Decimal(0), total.left - total.delivered),
    )


def _share(sums: _Sums, per_kit: Decimal) -> _Sums:
    return _Sums(
        delivered=sums.delivered / per_kit,
        reserved=sums.reserved / per_kit,
        open=sums.open / per_kit,
        left=sums.left / per_kit,
    )


def _sums(odoo: OdooClient, line_ids: Sequence[int]) -> dict[tuple[int, int], _Sums]:
    names = odoo.names
    is_16 = not names.has_picked
    fields = ["product_id", "state", "product_uom_qty", "product_qty", names.move_done]
    fields += ["location_usage", "location_dest_usage", "sale_line_id", "move_orig_ids"]
    fields += ["reserved_availability"] if is_16 else []
    domain = [["sale_line_id", "in", list(line_ids)], ["state", "!=", "cancel"]]
    rows = odoo.search_read("stock.move", domain, fields)
    sums: dict[tuple[int, int], _Sums] = {}
    of_line = {int(row["id"]): int(row["sale_line_id"][0]) for row in rows}
    steps = _steps_before(odoo, rows, of_line, fields) if is_16 else []
    step_ids = {int(row["id"]) for row in steps}
    for row in [*rows, *steps]:
        if row["location_usage"] not in _INSIDE or row["location_dest_usage"] not in _INSIDE | {"customer"}:
            continue
        own = sums.setdefault((of_line[int(row["id"])], int(row["product_id"][0])), _Sums())
        _add(own, row, names.move_done, is_step_of_16=int(row["id"]) in step_ids)
    return sums


def _add(sums: _Sums, row: Mapping[str, Any], done_field: str, *, is_step_of_16: bool) -> None:
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
        ahead = [row for row in steps if row["state"] != "cancel"]
        found += ahead
    return found
