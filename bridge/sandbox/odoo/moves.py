"""Moves of goods, made for confirmed orders step by step (recordings ``rules/stock-*``). ``moving`` does them.

16 makes all steps of a delivery at once, and only the last has the order's line; 18 and 19 make each step when the one
before it is done, and every one has the line (``rules/stock-two-step-delivery``).
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from bridge.sandbox.odoo import kits
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
            return sorted(one for one, other in self.table.rows.items() if row["id"] in origins_of(other))
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
        """Make the moves of an order's line, of a kit those of its parts: all steps on 16, the first on 18 and 19."""
        product_id = line["product_id"]
        if kits.bill_of(self.env, product_id) is None:
            self._launch(line, product_id, quantity)
            return
        for part, units in kits.parts_of(
            self.env, product_id, kits.bills_for(self.env, product_id, quantity)
        ):
            if self.env["product.product"].get(part, "type") != "service":
                self._launch(line, part, units)

    def _launch(self, line: Row, product_id: int, quantity: float) -> None:
        if self.env.dialect.major >= 18:
            self.make(line, product_id, quantity, self.steps[0])
            return
        for at in range(len(self.steps)):
            self._picking(at)
        following: int | None = None
        for step in reversed(self.steps):
            made = self.make(line, product_id, quantity, step)
            if following is not None:
                self.env.db.table("stock.move").update(following, {"move_orig_ids": [made]})
            following = made

    def make(
        self, line: Row, product_id: int, quantity: float, step: str, *, origins: Collection[int] = ()
    ) -> int:
        """Make the move that starts at a step, and its transfer if there is none yet."""
        at = self.steps.index(step)
        is_last = at == len(self.steps) - 1
        target, kind = self._way(at)
        values: Row = {
            "product_id": product_id,
            "product_uom_qty": quantity,
            "location_id": self.warehouse[step],
            "location_dest_id": target,
            "picking_type_id": kind,
            "picking_id": self._picking(at),
            "state": "waiting" if at and self.env.dialect.major < 18 else "confirmed",
        }
        moves = self.env["stock.move"]
        before = [moves.table.rows[one] for one in origins]
        values["date_deadline"] = before[0].get("date_deadline") if before else deadline_of(self.env, line)
        if is_last or self.env.dialect.major >= 18:
            values["sale_line_id"] = line["id"]
        if self.env.dialect.major >= 18:
            values["location_final_id"] = self.customers
        made = moves.create({name: value for name, value in values.items() if name in moves.fields})
        moves.table.update(made, {"_step": step, "move_orig_ids": list(origins), "_line": line["id"]})
        return made

    def back(self, line: Row, product_id: int, quantity: float, step: str) -> int:
        """Make the move that brings units back to where a step starts; return its transfer, which is one of its own."""
        source, kind = self._way(self.steps.index(step))
        if source == self.customers:
            kind = self.warehouse["in_type_id"]
        way: Row = {"location_id": source, "location_dest_id": self.warehouse[step], "picking_type_id": kind}
        header = {"sale_id": self.order["id"], "partner_id": self.order["partner_shipping_id"]}
        picking = self.env["stock.picking"].create({**way, **header, "origin": self._origin()})
        values = {**way, "picking_id": picking, "product_id": product_id, "product_uom_qty": quantity}
        values |= {
            "sale_line_id": line["id"],
            "date_deadline": deadline_of(self.env, line),
            "to_refund": True,
        }
        self.env["stock.move"].create({**values, "state": "confirmed"})
        return picking

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


def deadline_of(env: Env, line: Row) -> str:
    """Return when the goods of a line are due: on the promised day, else so many days after the order's date."""
    order = env.db.table("sale.order").rows[line["order_id"]]
    if order.get("commitment_date"):
        return str(order["commitment_date"])
    due = datetime.fromisoformat(order["date_order"]) + timedelta(days=line.get("customer_lead") or 0.0)
    return f"{due:%Y-%m-%d %H:%M:%S}"


def origins_of(row: Row) -> list[int]:
    """Return the moves that a move waits for."""
    return row.get("move_orig_ids") or []
