"""Transfers of confirmed orders, and the activities on them. Their moves are in ``moves``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bridge.sandbox.odoo import moves, moving
from bridge.sandbox.odoo.records import NOT_COMPUTED, Env, Model
from bridge.sandbox.odoo.tables import Row


class Picking(Model):
    """``stock.picking``."""

    order = "priority desc, scheduled_date asc, id desc"

    def defaults(self, values: Row) -> Row:
        """Return what a delivery has when it is not said."""
        number = len(self.table.rows) + 1
        state = "confirmed" if values.get("sale_id") else "draft"
        row: Row = {"name": f"WH/OUT/{number:05d}", "state": state, "priority": "0", "company_id": 1}
        return row | {"move_type": "direct", "scheduled_date": self.env.now()}

    def compute(self, row: Row, name: str) -> Any:
        """Return the direction of the transfer."""
        if name == "picking_type_code":
            kinds = self.env.db.table("stock.picking.type").rows
            return kinds.get(row.get("picking_type_id") or 0, {}).get("code")
        return NOT_COMPUTED


class Activity(Model):
    """``mail.activity`` (from the source: ``mail/models/mail_activity.py``; it was not recorded)."""

    order = "date_deadline asc, id asc"

    def prepare(self, values: Row, record_id: int | None) -> Row:
        """Keep the model's name beside its id, as the stored related field does."""
        if values.get("res_model_id"):
            values["res_model"] = self.env.db.table("ir.model").rows[values["res_model_id"]]["model"]
        return values

    def defaults(self, values: Row) -> Row:
        """Return what an activity has when it is not said; 19 leaves it to nobody."""
        row: Row = {"date_deadline": self.env.now()[:10], "active": True}
        if self.env.dialect.major < 19:
            row["user_id"] = self.env.uid
        return {name: value for name, value in row.items() if name in self.fields}

    def check_required(self, row: Row) -> None:
        """Refuse an activity that hangs on nothing."""
        if self.env.dialect.major < 19 and not row.get("res_model_id"):
            label = self.fields["res_model_id"].label
            raise self.env.dialect.mandatory(self.name, "Activity", "res_model_id", label)
        if row.get("res_model_id") and not row.get("res_id"):
            raise self.env.dialect.check_constraint(
                "Activities have to be linked to records with a not null res_id."
            )

    def unlink(self, ids: Sequence[int]) -> bool:
        """Delete; unlike other models it reads each record first, so one that is gone is a ``MissingError``."""
        self.ensure(ids)
        return super().unlink(ids)

    def display_name(self, row: Row) -> str:
        """Return the summary."""
        return row.get("summary") or f"{self.name},{row['id']}"

    def compute(self, row: Row, name: str) -> Any:
        """Return the name of what it hangs on."""
        if name == "res_name" and row.get("res_model") in self.env.schema:
            other = self.env[row["res_model"]]
            found = other.table.rows.get(row.get("res_id") or 0)
            return other.display_name(found) if found else None
        return NOT_COMPUTED


def deliver(env: Env, order_id: int) -> None:
    """Make the deliveries of a confirmed order's goods, unless it has some, and reserve what can be had."""
    lines = env.db.table("sale.order.line")
    variants = env["product.product"]
    pickings = env.db.table("stock.picking")
    if {pickings.rows[one]["state"] for one in pickings.lookup("sale_id", [order_id])} - {"cancel"}:
        return
    chain = moves.Chain(env, order_id)
    for one in sorted(lines.lookup("order_id", [order_id])):
        line = lines.rows[one]
        product, quantity = line.get("product_id"), line.get("product_uom_qty") or 0.0
        if product and quantity > 0 and variants.get(product, "type") != "service":
            chain.launch(line, quantity)
    for one in sorted(pickings.lookup("sale_id", [order_id])):
        moving.assign(env, one)


def call_off(env: Env, order_id: int) -> None:
    """Cancel the open deliveries of a cancelled order."""
    table = env.db.table("stock.picking")
    for one in table.lookup("sale_id", [order_id]):
        if table.rows[one]["state"] != "done":
            moving.cancel(env, one)
            table.update(one, {"state": "cancel"})


class ReturnPicking(Model):
    """``stock.return.picking``: the wizard that makes a return."""

    def created(self, record_id: int, values: Row) -> None:
        """18 and 19 make the lines themselves, with quantity 0."""
        if self.env.dialect.major < 18:
            return
        rows = self.env.db.table("stock.move").rows
        for one in moving.moves_of(self.env, self.table.rows[record_id]["picking_id"]):
            if rows[one]["state"] == "done":
                line = {"wizard_id": record_id, "move_id": one, "product_id": rows[one]["product_id"]}
                self.env["stock.return.picking.line"].create(line | {"quantity": 0.0})
