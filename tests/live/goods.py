"""What a person does in a real Odoo with goods and orders: the hooks of ``bridge.sandbox.odoo.stock_hooks``, by its API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bridge.odoo import OdooClient
from bridge.odoo.stock import quantity_context

_OPEN = ["state", "not in", ["done", "cancel"]]
_READY = ["state", "in", ["assigned", "partially_available"]]


class LiveGoods:
    """The hooks, as a part of ``LiveOdoo``."""

    admin: OdooClient
    version: int

    def set_stock(self, product_id: int, quantity: float, *, warehouse: int = 1) -> None:
        """Count a product in a warehouse's stock, as a person would by an inventory."""
        (home,) = self.admin.read("stock.warehouse", [warehouse], ["lot_stock_id"])
        place = home["lot_stock_id"][0]
        counted = {"product_id": product_id, "location_id": place, "inventory_quantity": quantity}
        context = {"inventory_mode": True}
        made = self.admin.call("stock.quant", "create", args={"vals_list": [counted]}, context=context)
        self.admin.call("stock.quant", "action_apply_inventory", list(made), context=context)

    def stock(self, product_id: int, *, warehouse: int | None = None) -> dict[str, Any]:
        """Return ``qty_available``, ``free_qty``, ``virtual_available`` of a product, of all warehouses or of one."""
        context = quantity_context(warehouse_ids=[] if warehouse is None else [warehouse])
        fields = ["qty_available", "free_qty", "virtual_available"]
        (row,) = self.admin.read("product.product", [product_id], fields, context=context)
        return row

    def confirm(self, order_id: int) -> None:
        """Confirm an order: its goods are reserved where they can be had."""
        self.admin.call("sale.order", "action_confirm", [order_id])

    def cancel(self, *order_ids: int) -> None:
        """Cancel orders with their open transfers."""
        # Without the context 16 and 18 answer a wizard and cancel nothing (orders/cancel-confirmed).
        context = {"disable_cancel_warning": True}
        self.admin.call("sale.order", "action_cancel", list(order_ids), context=context)

    def reserve(self, order_id: int) -> None:
        """Reserve what can be had for the open transfers of an order."""
        self.admin.call("stock.picking", "action_assign", self._open_pickings(order_id))

    def unreserve(self, order_id: int) -> None:
        """Give back what is reserved for the open transfers of an order."""
        self.admin.call("stock.picking", "do_unreserve", self._open_pickings(order_id))

    def deliver(self, order_id: int, quantities: Mapping[int, float] | None = None) -> list[int]:
        """Do the next open transfers of an order, whole or these quantities by ``product_id``; return their ids."""
        reserved = "reserved_availability" if self.version < 18 else "quantity"
        # Of all before any is done: doing one step makes the next one ready.
        ready = {
            one: self.admin.search_read(
                "stock.move", [["picking_id", "=", one], _READY], ["product_id", reserved]
            )
            for one in self._open_pickings(order_id)
        }
        done: list[int] = []
        for one, moves in ready.items():
            wanted = {
                int(row["id"]): (
                    row[reserved] if quantities is None else quantities.get(int(row["product_id"][0]), 0)
                )
                for row in moves
            }
            if any(wanted.values()):
                self._validate(one, wanted)
                done.append(one)
        for one in self._open_pickings(order_id):
            self.admin.call("stock.picking", "action_assign", [one])
        return done

    def take_back(self, order_id: int) -> None:
        """Receive everything back that was delivered of an order."""
        domain = [["sale_id", "=", order_id], ["state", "=", "done"], ["picking_type_code", "=", "outgoing"]]
        for picking in self.admin.search("stock.picking", domain):
            moves = self.admin.search_read(
                "stock.move", [["picking_id", "=", picking]], ["product_id", "product_uom_qty"]
            )
            lines = [
                {
                    "product_id": int(row["product_id"][0]),
                    "quantity": row["product_uom_qty"],
                    "move_id": row["id"],
                }
                for row in moves
            ]
            context = {"active_model": "stock.picking", "active_id": picking, "active_ids": [picking]}
            values = {"picking_id": picking, "product_return_moves": [[0, 0, line] for line in lines]}
            if self.version >= 18:
                # The wizard makes its lines itself, with nothing to return.
                values = {"picking_id": picking}
            (wizard,) = self.admin.call(
                "stock.return.picking", "create", args={"vals_list": [values]}, context=context
            )
            if self.version >= 18:
                made = self.admin.search_read(
                    "stock.return.picking.line", [["wizard_id", "=", wizard]], ["product_id"]
                )
                amounts = {line["product_id"]: line["quantity"] for line in lines}
                for row in made:
                    quantity = {"quantity": amounts[int(row["product_id"][0])]}
                    self.admin.write("stock.return.picking.line", [row["id"]], quantity)
            answer = self.admin.call(
                "stock.return.picking", self.admin.names.return_method, [wizard], context=context
            )
            back = int(answer["res_id"])
            moves = self.admin.search_read("stock.move", [["picking_id", "=", back]], ["product_uom_qty"])
            self._validate(back, {int(row["id"]): row["product_uom_qty"] for row in moves})

    def _validate(self, picking: int, quantities: Mapping[int, Any]) -> None:
        names = self.admin.names
        for move, quantity in quantities.items():
            picked = {"picked": True} if names.has_picked and quantity else {}
            self.admin.write("stock.move", [move], {names.move_done: quantity, **picked})
        # Each answers a question first where it is not told: a customer with a phone is asked about a text message.
        context = dict.fromkeys(("skip_backorder", "skip_immediate", "skip_sms"), True)
        answer = self.admin.call("stock.picking", "button_validate", [picking], context=context)
        assert answer is True, answer

    def _open_pickings(self, order_id: int) -> list[int]:
        return self.admin.search("stock.picking", [["sale_id", "=", order_id], _OPEN], order="id")
