"""What becomes of moves: reserved, given back, done in whole or in part, followed by the next step, sent back (FACTS 8)."""

from __future__ import annotations

from bridge.sandbox.odoo import kits, quants
from bridge.sandbox.odoo.moves import OPEN_STATES, Chain, Move, origins_of
from bridge.sandbox.odoo.records import Env
from bridge.sandbox.odoo.tables import Row
from bridge.sandbox.odoo.warehouse import place


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
    return all(rows[one]["state"] in {"done", "cancel"} for one in origins_of(row) if one in rows)


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


def lower(env: Env, move_id: int, units: float) -> None:
    """Take units off an open move, and what is reserved of them; a move without units is cancelled."""
    table = env.db.table("stock.move")
    row = table.rows[move_id]
    left = round(row["product_uom_qty"] - units, quants.DIGITS)
    over = max(0.0, row["_reserved"] - left)
    quants.change(env, row["product_id"], row["location_id"], reserved=-over)
    table.update(move_id, {"product_uom_qty": left})
    _set_reserved(env, move_id, row["_reserved"] - over)
    if not left:
        table.update(move_id, {"state": "cancel"})
    settle(env, row["picking_id"])


def cancel(env: Env, picking_id: int) -> None:
    """Cancel a transfer and give back what it reserved."""
    table = env.db.table("stock.move")
    for one in moves_of(env, picking_id):
        if table.rows[one]["state"] in OPEN_STATES:
            _give_back(env, one)
            table.update(one, {"state": "cancel", "write_date": env.now()})
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
            *("picking_id", "picking_type_id", "sale_line_id", "origin_returned_move_id", "date_deadline"),
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
        if move_id in origins_of(other):
            moves.table.update(one, {"move_orig_ids": [*origins_of(other), made]})
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
    if kits.bill_of(env, line["product_id"]) is not None:
        # Of a kit only what is whole counts.
        done = {**line.get("_delivered", {})}
        done[row["product_id"]] = done.get(row["product_id"], 0.0) + sign * quantity
        whole = kits.kits_delivered(env, line["product_id"], done)
        lines.update(line["id"], {"_delivered": done, "qty_delivered": whole})
        return
    lines.update(line["id"], {"qty_delivered": (line.get("qty_delivered") or 0.0) + sign * quantity})


def _next_step(env: Env, move_id: int, quantity: float) -> None:
    table = env.db.table("stock.move")
    row = table.rows[move_id]
    step = row.get("_step")
    if step is None or row.get("origin_returned_move_id"):
        return
    line = env.db.table("sale.order.line").rows[row["_line"]]
    chain = Chain(env, line["order_id"])
    following = [one for one, other in table.rows.items() if move_id in origins_of(other)]
    if env.dialect.major >= 18 and step != chain.steps[-1]:
        ahead = chain.steps[chain.steps.index(step) + 1]
        following = [chain.make(line, row["product_id"], quantity, ahead, origins=[move_id])]
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
