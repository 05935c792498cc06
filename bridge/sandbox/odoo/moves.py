"""Moves of goods: made for confirmed orders step by step, reserved, done, sent back (recordings ``rules/stock-*``).

16 makes all steps of a delivery at once, and only the last has the order's line; 18 and 19 make each step when the one
before it is done, and every one has the line (``rules/stock-two-step-delivery``).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bridge.sandbox.odoo import quants
from bridge.sandbox.odoo.records import NOT_COMPUTED, Env, Model
from bridge.sandbox.odoo.tables import Row
from bridge.sandbox.odoo.warehouse import STEPS, place

OPEN_STATES = frozenset({"draft", "waiting", "confirmed", "partially_available", "assigned"})
_KIND_OF_STEP = {"lot_stock_id": "pick_type_id", "wh_pack_stock_loc_id": "pack_type_id"}


class Move(Model):
    """``stock.move``. ``_reserved`` is what is reserved for it, whatever the version calls that."""

    order = "sequence, id"

    @property
    def done_field(self) -> str:
        """The field of the quantity done."""
        return "quantity_done" if self.env.dialect.major < 18 else "quantity"

    def defaults(self, values: Row) -> Row:
        """Return what a move has when it is not said."""
        row: Row = {
            "state": "draft",
            "company_id": 1,
            "sequence": 10,
            "date": self.env.now(),
            "product_uom": 1,
            "product_uom_qty": 0.0,
            "is_inventory": False,
            self.done_field: 0.0,
        }
        if self.env.dialect.major >= 18:
            row["picked"] = False
        return {name: value for name, value in row.items() if name in self.fields}

    def created(self, record_id: int, values: Row) -> None:
        """Nothing is reserved for a new move."""
        self.table.update(record_id, {"_reserved": 0.0})

    def compute(self, row: Row, name: str) -> Any:
        """Return what follows from the quantities, the places and the transfer."""
        if name == "reserved_availability":
            return row["_reserved"]
        if name == "product_qty":
            return row["product_uom_qty"]
        locations = self.env.db.table("stock.location").rows
        if name == "location_usage":
            return locations[row["location_id"]]["usage"]
        if name == "location_dest_usage":
            return locations[row["location_dest_id"]]["usage"]
        if name == "move_dest_ids":
            return sorted(one for one, other in self.table.rows.items() if row["id"] in _origins(other))
        return NOT_COMPUTED

    def display_name(self, row: Row) -> str:
        """Return the text of the move."""
        return str(row.get("reference") or row.get("name") or f"stock.move,{row['id']}")


class Chain:
    """The deliveries of one order."""

    def __init__(self, env: Env, order_id: int) -> None:
        self.env = env
        self.order = env.db.table("sale.order").rows[order_id]
        warehouse_id = self.order.get("warehouse_id") or 1
        self.warehouse = env.db.table("stock.warehouse").rows[warehouse_id]
        self.steps = STEPS[self.warehouse.get("delivery_steps") or "ship_only"]
        self.customers = place(env, "customer")
        self._pickings: dict[int, int] = {}

    def launch(self, line: Row, quantity: float) -> None:
        """Make the moves of an order's line: all steps on 16, the first on 18 and 19."""
        if self.env.dialect.major >= 18:
            self.make(line, quantity, self.steps[0])
            return
        for at in range(len(self.steps)):
            self._picking(at)
        following: int | None = None
        for step in reversed(self.steps):
            made = self.make(line, quantity, step)
            if following is not None:
                self.env.db.table("stock.move").update(following, {"move_orig_ids": [made]})
            following = made

    def make(self, line: Row, quantity: float, step: str, *, origins: Iterable[int] = ()) -> int:
        """Make the move that starts at a step, and its transfer if there is none yet."""
        at = self.steps.index(step)
        is_last = at == len(self.steps) - 1
        target, kind = self._way(at)
        values: Row = {
            "product_id": line["product_id"],
            "product_uom_qty": quantity,
            "location_id": self.warehouse[step],
            "location_dest_id": target,
            "picking_type_id": kind,
            "picking_id": self._picking(at),
            "state": "waiting" if at and self.env.dialect.major < 18 else "confirmed",
        }
        moves = self.env["stock.move"]
        if is_last or self.env.dialect.major >= 18:
            values["sale_line_id"] = line["id"]
        if self.env.dialect.major >= 18:
            values["location_final_id"] = self.customers
        made = moves.create({name: value for name, value in values.items() if name in moves.fields})
        moves.table.update(made, {"_step": step, "move_orig_ids": list(origins), "_line": line["id"]})
        return made

    def _way(self, at: int) -> tuple[int, int]:
        """Return where a step leads to, and its kind of transfer."""
        if at == len(self.steps) - 1:
            return self.customers, self.warehouse["out_type_id"]
        return self.warehouse[self.steps[at + 1]], self.warehouse[_KIND_OF_STEP[self.steps[at]]]

    def _picking(self, at: int) -> int:
        if at not in self._pickings:
            target, kind = self._way(at)
            self._pickings[at] = self.env["stock.picking"].create(
                {
                    "sale_id": self.order["id"],
                    "origin": self._origin(),
                    "partner_id": self.order["partner_shipping_id"],
                    "picking_type_id": kind,
                    "location_id": self.warehouse[self.steps[at]],
                    "location_dest_id": target,
                }
            )
        return self._pickings[at]

    def _origin(self) -> str:
        """18 adds the customer's reference (``fulfilment/picking-after-confirm``)."""
        ref = self.order.get("client_order_ref")
        name: str = self.order["name"]
        return f"{name} - {ref}" if ref and self.env.dialect.major == 18 else name


def moves_of(env: Env, picking_id: int) -> list[int]:
    """Return the moves of a transfer."""
    return sorted(env.db.table("stock.move").lookup("picking_id", [picking_id]))


def assign(env: Env, picking_id: int) -> None:
    """Reserve what can be had for a transfer."""
    table = env.db.table("stock.move")
    for one in moves_of(env, picking_id):
        row = table.rows[one]
        if row["state"] in OPEN_STATES - {"draft"} and _is_due(env, row):
            _reserve(env, one)
    settle(env, picking_id)


def _is_due(env: Env, row: Row) -> bool:
    """A later step waits for the one before it."""
    rows = env.db.table("stock.move").rows
    return all(rows[one]["state"] in {"done", "cancel"} for one in _origins(row) if one in rows)


def _origins(row: Row) -> list[int]:
    return row.get("move_orig_ids") or []


def _reserve(env: Env, move_id: int) -> None:
    table = env.db.table("stock.move")
    row = table.rows[move_id]
    wanted = round(row["product_uom_qty"] - row["_reserved"], quants.DIGITS)
    is_inside = env.db.table("stock.location").rows[row["location_id"]]["usage"] == "internal"
    free = wanted
    if is_inside and quants.is_stored(env, row["product_id"]):
        free = max(0.0, min(wanted, quants.available(env, row["product_id"], row["location_id"])))
        quants.change(env, row["product_id"], row["location_id"], reserved=free)
    _set_reserved(env, move_id, row["_reserved"] + free)


def unreserve(env: Env, picking_id: int) -> None:
    """Give back what is reserved for a transfer."""
    for one in moves_of(env, picking_id):
        if env.db.table("stock.move").rows[one]["state"] in OPEN_STATES:
            _give_back(env, one)
    settle(env, picking_id)


def _give_back(env: Env, move_id: int) -> None:
    row = env.db.table("stock.move").rows[move_id]
    quants.change(env, row["product_id"], row["location_id"], reserved=-row["_reserved"])
    _set_reserved(env, move_id, 0.0)


def _set_reserved(env: Env, move_id: int, reserved: float) -> None:
    table = env.db.table("stock.move")
    row = table.rows[move_id]
    reserved = round(reserved, quants.DIGITS)
    changes: Row = {"_reserved": reserved, "write_date": env.now()}
    if env.dialect.major >= 18 and not row.get("picked"):
        changes["quantity"] = reserved
    if row["state"] != "draft":
        is_whole = reserved >= row["product_uom_qty"]
        none_yet = "waiting" if not _is_due(env, row) else "confirmed"
        changes["state"] = "assigned" if is_whole else "partially_available" if reserved else none_yet
    table.update(move_id, changes)


def cancel(env: Env, picking_id: int) -> None:
    """Cancel a transfer and give back what it reserved."""
    table = env.db.table("stock.move")
    for one in moves_of(env, picking_id):
        if table.rows[one]["state"] in OPEN_STATES:
            _give_back(env, one)
            table.update(one, {"state": "cancel"})
    settle(env, picking_id)


def validate(env: Env, picking_id: int) -> None:
    """Do what was entered, all that is reserved where nothing was; the rest goes into a backorder."""
    moves = env["stock.move"]
    assert isinstance(moves, Move)
    rows = moves.table.rows
    due = [one for one in moves_of(env, picking_id) if rows[one]["state"] in OPEN_STATES]
    entered = {one: _entered(env, rows[one]) for one in due}
    if not any(entered.values()):
        entered = {one: rows[one]["_reserved"] for one in due}
    left: dict[int, float] = {}
    for one, quantity in entered.items():
        rest = round(rows[one]["product_uom_qty"] - quantity, quants.DIGITS)
        if quantity <= 0:
            left[one] = rest
            continue
        if rest > 0:
            left[_split(env, one, rest)] = rest
        _do(env, one, quantity)
    env.db.table("stock.picking").update(picking_id, {"date_done": env.now()})
    if left:
        _backorder(env, picking_id, list(left))
    settle(env, picking_id)
    for one, quantity in entered.items():
        if quantity > 0:
            _next_step(env, one, quantity)


def _entered(env: Env, row: Row) -> float:
    if env.dialect.major < 18:
        return float(row.get("quantity_done") or 0.0)
    return float(row.get("quantity") or 0.0) if row.get("picked") else 0.0


def _split(env: Env, move_id: int, rest: float) -> int:
    moves = env["stock.move"]
    row = moves.table.rows[move_id]
    kept = {
        name: row[name]
        for name in (
            *("product_id", "product_uom", "location_id", "location_dest_id", "location_final_id"),
            *("picking_id", "picking_type_id", "sale_line_id", "origin_returned_move_id"),
        )
        if row.get(name)
    }
    made = moves.create(kept | {"product_uom_qty": rest, "state": "confirmed"})
    hidden: Row = {name: row[name] for name in ("_step", "_line", "move_orig_ids") if name in row}
    moves.table.update(made, hidden)
    # What was reserved beyond what is done stays reserved for the rest.
    over = max(0.0, row["_reserved"] - (row["product_uom_qty"] - rest))
    moves.table.update(move_id, {"product_uom_qty": row["product_uom_qty"] - rest})
    moves.table.update(move_id, {"_reserved": row["_reserved"] - over})
    _set_reserved(env, made, over)
    for one, other in list(moves.table.rows.items()):
        if move_id in _origins(other):
            moves.table.update(one, {"move_orig_ids": [*_origins(other), made]})
    return made


def _do(env: Env, move_id: int, quantity: float) -> None:
    moves = env["stock.move"]
    assert isinstance(moves, Move)
    row = moves.table.rows[move_id]
    product = row["product_id"]
    quants.change(env, product, row["location_id"], quantity=-quantity, reserved=-row["_reserved"])
    quants.change(env, product, row["location_dest_id"], quantity=quantity)
    changes: Row = {"state": "done", "_reserved": 0.0, moves.done_field: quantity, "date": env.now()}
    if env.dialect.major >= 18:
        changes["picked"] = True
    moves.table.update(move_id, changes | {"write_date": env.now()})
    _count(env, row, quantity)


def _count(env: Env, row: Row, quantity: float) -> None:
    """Keep ``qty_delivered`` of the order's line: what came back is taken off."""
    lines = env.db.table("sale.order.line")
    line = lines.rows.get(row.get("sale_line_id") or 0)
    customers = place(env, "customer")
    if line is None or customers not in {row["location_dest_id"], row["location_id"]}:
        return
    sign = 1 if row["location_dest_id"] == customers else -1
    lines.update(line["id"], {"qty_delivered": (line.get("qty_delivered") or 0.0) + sign * quantity})


def _next_step(env: Env, move_id: int, quantity: float) -> None:
    table = env.db.table("stock.move")
    row = table.rows[move_id]
    step = row.get("_step")
    if step is None or row.get("origin_returned_move_id"):
        return
    line = env.db.table("sale.order.line").rows[row["_line"]]
    chain = Chain(env, line["order_id"])
    following = [one for one, other in table.rows.items() if move_id in _origins(other)]
    if env.dialect.major >= 18 and step != chain.steps[-1]:
        following = [chain.make(line, quantity, chain.steps[chain.steps.index(step) + 1], origins=[move_id])]
    for one in following:
        if table.rows[one]["state"] in OPEN_STATES:
            # A part that has arrived is reserved for the next step, whether or not the rest is on its way.
            _reserve(env, one)
            settle(env, table.rows[one]["picking_id"])


def _backorder(env: Env, picking_id: int, move_ids: list[int]) -> None:
    pickings = env["stock.picking"]
    old = pickings.table.rows[picking_id]
    kept = (
        *("sale_id", "origin", "partner_id", "picking_type_id", "location_id", "location_dest_id"),
        "carrier_id",
    )
    values = {name: old[name] for name in kept if old.get(name)}
    made = pickings.create(values | {"backorder_id": picking_id})
    for one in move_ids:
        env.db.table("stock.move").update(one, {"picking_id": made})
    settle(env, made)


def settle(env: Env, picking_id: int) -> None:
    """Let a transfer's state follow its moves'."""
    rows = env.db.table("stock.move").rows
    states = [rows[one]["state"] for one in moves_of(env, picking_id)]
    table = env.db.table("stock.picking")
    if not states or table.rows[picking_id]["state"] == "draft":
        return
    left = [state for state in states if state not in {"done", "cancel"}]
    if not left:
        state = "done" if "done" in states else "cancel"
    elif all(one == "assigned" for one in left) or "partially_available" in left or "assigned" in left:
        state = "assigned"
    else:
        state = "waiting" if "waiting" in left else "confirmed"
    if table.rows[picking_id]["state"] != state:
        table.update(picking_id, {"state": state, "write_date": env.now()})


def send_back(env: Env, picking_id: int, returned: dict[int, float]) -> int:
    """Make the transfer that takes units of done moves back; return its id."""
    pickings, moves = env["stock.picking"], env["stock.move"]
    old = pickings.table.rows[picking_id]
    warehouse = env.db.table("stock.warehouse").rows[
        env.db.table("stock.picking.type").rows[old["picking_type_id"]]["warehouse_id"]
    ]
    values = {
        "sale_id": old.get("sale_id"),
        "origin": f"Return of {old['name']}",
        "partner_id": old.get("partner_id"),
        "picking_type_id": warehouse["in_type_id"],
        "location_id": old["location_dest_id"],
        "location_dest_id": warehouse["lot_stock_id"],
    }
    made = pickings.create({name: value for name, value in values.items() if value})
    for one, quantity in returned.items():
        row = moves.table.rows[one]
        back = {
            "product_id": row["product_id"],
            "product_uom_qty": quantity,
            "location_id": row["location_dest_id"],
            "location_dest_id": warehouse["lot_stock_id"],
            "picking_id": made,
            "picking_type_id": warehouse["in_type_id"],
            "sale_line_id": row.get("sale_line_id"),
            "origin_returned_move_id": one,
            "state": "confirmed",
        }
        moves.create({name: value for name, value in back.items() if value})
    assign(env, made)
    return made
