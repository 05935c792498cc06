"""What a confirmed order's open moves make of fewer units and of other dates (tried on real 16, 18 and 19).

Fewer units are a negative move of the line's deadline: moves of that very deadline give them up, else it is turned round
and stands beside them as a receipt. A deadline is set when a move is made. ``date_order`` leaves it as it is; a lead time
that is written sets it anew, and before the units of the same write (source: ``sale_stock/models/sale_order_line.py``).
More units than before are not simulated.
"""

from __future__ import annotations

from collections.abc import Iterator

from bridge.sandbox.odoo import kits, moving
from bridge.sandbox.odoo.moves import OPEN_STATES, Chain, deadline_of
from bridge.sandbox.odoo.records import Env
from bridge.sandbox.odoo.tables import Row


def follow_lead(env: Env, line_id: int) -> None:
    """Set the deadline of a confirmed line's moves by its lead time, unless a day was promised."""
    line = env.db.table("sale.order.line").rows[line_id]
    order = env.db.table("sale.order").rows[line["order_id"]]
    if line.get("state") == "sale" and not order.get("commitment_date"):
        _set_deadlines(env, line, deadline_of(env, line))


def promise(env: Env, order_id: int) -> None:
    """Set the deadlines of an order's moves to the promised day, without one to the first that it is expected."""
    rows = env.db.table("sale.order.line").rows
    lines = [rows[one] for one in sorted(env.db.table("sale.order.line").lookup("order_id", [order_id]))]
    if lines:
        first = min(deadline_of(env, line) for line in lines)
        for line in lines:
            _set_deadlines(env, line, first)


def _set_deadlines(env: Env, line: Row, deadline: str) -> None:
    for one in list(_moves_of(env, line)):
        env.db.table("stock.move").update(one, {"date_deadline": deadline})


def _moves_of(env: Env, line: Row) -> Iterator[int]:
    rows = env.db.table("stock.move").rows
    for picking in sorted(env.db.table("stock.picking").lookup("sale_id", [line["order_id"]])):
        yield from (one for one in moving.moves_of(env, picking) if rows[one].get("_line") == line["id"])


def take_off(env: Env, line_id: int, units: float) -> None:
    """Take units off the moves of a confirmed line: of each step on 16, of the first on 18 and 19; of a kit off its parts'."""
    line = env.db.table("sale.order.line").rows[line_id]
    product = line.get("product_id")
    if line.get("state") != "sale" or not product:
        return
    chain = Chain(env, line["order_id"])
    parts: list[tuple[int, float]] = [(product, units)]
    if kits.bill_of(env, product) is not None:
        parts = list(kits.parts_of(env, product, kits.bills_for(env, product, units)))
    for part, quantity in parts:
        if env["product.product"].get(part, "type") == "service":
            continue
        for step in chain.steps if env.dialect.major < 18 else chain.steps[:1]:
            left = _absorb(env, line, part, quantity, step)
            if left > 0:
                moving.assign(env, chain.back(line, part, left, step))


def _absorb(env: Env, line: Row, product_id: int, quantity: float, step: str) -> float:
    """Let the open moves of a step give units up; return what is left of them."""
    wanted = {"product_id": product_id, "_step": step, "date_deadline": deadline_of(env, line)}
    for one in list(_moves_of(env, line)):
        row = env.db.table("stock.move").rows[one]
        if row["state"] in OPEN_STATES and all(row.get(name) == value for name, value in wanted.items()):
            taken = min(quantity, row["product_uom_qty"])
            moving.lower(env, one, taken)
            quantity -= taken
        if quantity <= 0:
            break
    return quantity
