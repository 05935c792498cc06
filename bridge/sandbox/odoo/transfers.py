"""The methods of transfers, returns and counts, as each version answers (FACTS 5 and 8)."""

from __future__ import annotations

from typing import Any

from bridge.sandbox.odoo import moving, quants
from bridge.sandbox.odoo.fault import user_error
from bridge.sandbox.odoo.methods import Args, Method
from bridge.sandbox.odoo.records import Model
from bridge.sandbox.odoo.tables import Row

#: Filters that the view of a return in 16 has off.
_NOT_SEARCHED = ("draft", "assigned", "confirmed", "ready", "planning_issues", "available")


def _validate(model: Model, ids: list[int], args: Args) -> bool:
    """Do a transfer (FACTS 8); nothing reserved and nothing entered is refused."""
    model.ensure(ids)
    for one in ids:
        state = model.table.rows[one]["state"]
        if state == "done" and model.env.dialect.major >= 19:
            continue
        rows = model.env.db.table("stock.move").rows
        own = [rows[move] for move in moving.moves_of(model.env, one)]
        entered = any(row.get("quantity_done") or row.get("quantity") or row["_reserved"] for row in own)
        if state in {"done", "cancel"} or not entered:
            raise user_error("You cannot validate a transfer if no quantities are reserved nor done.")
        moving.validate(model.env, one)
    return True


def _assign(model: Model, ids: list[int], args: Args) -> bool:
    model.ensure(ids)
    for one in ids:
        moving.assign(model.env, one)
    return True


def _unreserve(model: Model, ids: list[int], args: Args) -> None:
    model.ensure(ids)
    for one in ids:
        moving.unreserve(model.env, one)


def _cancel(model: Model, ids: list[int], args: Args) -> bool:
    model.ensure(ids)
    for one in ids:
        moving.cancel(model.env, one)
        model.table.update(one, {"state": "cancel"})
    return True


def _create_returns(model: Model, ids: list[int], args: Args) -> Row:
    """Make the return of a wizard."""
    row = model.table.rows[ids[0]]
    lines = model.env.db.table("stock.return.picking.line").rows.values()
    returned = {
        line["move_id"]: line["quantity"]
        for line in lines
        if line.get("wizard_id") == row["id"] and line["quantity"] > 0
    }
    if not returned:
        raise user_error("Please specify at least one non-zero quantity.")
    made = moving.send_back(model.env, row["picking_id"], returned)
    context = dict(model.env.context)
    if model.env.dialect.major < 18:
        partner = model.env.db.table("stock.picking").rows[made].get("partner_id")
        context |= {"default_partner_id": partner, "search_default_picking_type_id": 1}
        context |= {f"search_default_{name}": False for name in _NOT_SEARCHED}
    return {
        "name": "Returned Picking",
        "view_mode": "form,tree,calendar" if model.env.dialect.major < 18 else "form",
        "res_model": "stock.picking",
        "res_id": made,
        "type": "ir.actions.act_window",
        "context": context,
    }


def stock_methods(major: int) -> dict[tuple[str, str], Method]:
    """Return the methods of transfers and of quants in a version."""
    returned = "create_returns" if major < 18 else "action_create_returns"
    actions: dict[tuple[str, str], Any] = {
        ("stock.picking", "button_validate"): _validate,
        ("stock.picking", "action_assign"): _assign,
        ("stock.picking", "do_unreserve"): _unreserve,
        ("stock.picking", "action_cancel"): _cancel,
        ("stock.quant", "action_apply_inventory"): quants.apply_inventory,
        ("stock.return.picking", returned): _create_returns,
    }
    return {key: Method(function, {}, is_record=True, needs=("write",)) for key, function in actions.items()}
