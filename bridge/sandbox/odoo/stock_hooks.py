"""What a person does in Odoo with goods and orders, for tests and the demo: count, confirm, reserve, deliver, take back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from bridge.sandbox.odoo import moving, quants
from bridge.sandbox.odoo.records import Env
from bridge.sandbox.odoo.rpc import Methods
from bridge.sandbox.odoo.tables import Row


class StockHooks(ABC):
    """The hooks, as a part of ``OdooState``."""

    version: int
    methods: Methods

    @abstractmethod
    def _writing(self) -> AbstractContextManager[Env]:
        """Return a transaction of the administrator's."""

    def set_stock(self, product_id: int, quantity: float, *, warehouse: int = 1) -> None:
        """Count a product in a warehouse's stock, as a person would by an inventory."""
        with self._writing() as env:
            env.context["inventory_mode"] = True
            place = env.db.table("stock.warehouse").rows[warehouse]["lot_stock_id"]
            quants_ = env["stock.quant"]
            counted = {"product_id": product_id, "location_id": place, "inventory_quantity": quantity}
            quants.apply_inventory(quants_, [quants_.create(counted)])

    def add_plain_products(
        self, skus: Iterable[str], *, quantity: float = 0.0, warehouses: Sequence[int] = (1,)
    ) -> dict[str, int]:
        """Add a storable variant for each SKU, all of one template, counted in these warehouses; return ids by SKU.

        For catalogs of a hundred thousand: nothing else of a variant is its own, and no move is made for the counts.
        """
        with self._writing() as env:
            kind: Row = {"type": "product"} if self.version < 18 else {"is_storable": True}
            first = env["product.product"].create({"name": "Plain", "list_price": 10.0, **kind})
            table = env.db.table("product.product")
            template = table.rows[first]["product_tmpl_id"]
            table.update(first, {"active": False})
            places = [env.db.table("stock.warehouse").rows[one]["lot_stock_id"] for one in warehouses]
            stamp = env.now()
            wanted = list(skus)
            own: Row = {"product_tmpl_id": template, "active": True, "standard_price": 0.0}
            own |= {"create_date": stamp, "write_date": stamp}
            made = table.fill({**own, "default_code": sku} for sku in wanted)
            lies: Row = {"quantity": quantity, "reserved_quantity": 0.0, "write_date": stamp}
            lies |= {"inventory_quantity": 0.0, "inventory_quantity_set": False}
            env.db.table("stock.quant").fill(
                {**lies, "product_id": product, "location_id": place} for product in made for place in places
            )
        return dict(zip(wanted, made, strict=True))

    def stock(self, product_id: int, *, warehouse: int | None = None) -> dict[str, float]:
        """Return ``qty_available``, ``free_qty``, ``virtual_available`` of a product, of all warehouses or of one."""
        with self._writing() as env:
            if warehouse is not None:
                env.context[quants.warehouse_key(env)] = warehouse
            return quants.quantities(env, product_id)

    def confirm(self, order_id: int) -> None:
        """Confirm an order, as a person would: its goods are reserved where they can be had."""
        self._act("action_confirm", order_id)

    def cancel(self, order_id: int) -> None:
        """Cancel an order with its open transfers, as a person would who says yes to the question."""
        self._act("action_cancel", order_id, disable_cancel_warning=True)

    def _act(self, name: str, order_id: int, **context: Any) -> None:
        with self._writing() as env:
            env.context.update(context)
            method = self.methods.find("sale.order", name)
            assert method is not None
            method.function(env["sale.order"], [order_id], {})

    def reserve(self, order_id: int) -> None:
        """Reserve what can be had for the open transfers of an order."""
        self._for_pickings(order_id, moving.assign)

    def unreserve(self, order_id: int) -> None:
        """Give back what is reserved for the open transfers of an order."""
        self._for_pickings(order_id, moving.unreserve)

    def deliver(self, order_id: int, quantities: Mapping[int, float] | None = None) -> list[int]:
        """Do the next open transfers of an order, whole or these quantities by ``product_id``; return their ids.

        With several steps, one step is done; the rest of a part goes into a backorder, which is reserved.
        """
        done: list[int] = []
        with self._writing() as env:
            field = "quantity_done" if self.version < 18 else "quantity"
            rows = env.db.table("stock.move").rows
            ready = {
                one: [
                    move
                    for move in moving.moves_of(env, one)
                    if rows[move]["state"] in {"assigned", "partially_available"}
                ]
                for one in self._open_pickings(env, order_id)
            }
            for one, own in ready.items():
                for move in own:
                    wanted = rows[move]["_reserved"]
                    if quantities is not None:
                        wanted = quantities.get(rows[move]["product_id"], 0.0)
                    picked = {"picked": True} if self.version >= 18 else {}
                    env.db.table("stock.move").update(move, {field: wanted, **picked})
                if own and any(rows[move][field] for move in own):
                    moving.validate(env, one)
                    done.append(one)
            for one in self._open_pickings(env, order_id):
                moving.assign(env, one)
        return done

    def take_back(self, order_id: int) -> None:
        """Receive everything back that was delivered of an order."""
        with self._writing() as env:
            rows = env.db.table("stock.move").rows
            for one in sorted(env.db.table("stock.picking").lookup("sale_id", [order_id])):
                customers = {
                    move: rows[move]["product_uom_qty"]
                    for move in moving.moves_of(env, one)
                    if rows[move]["state"] == "done"
                    and env["stock.move"].get(move, "location_dest_usage") == "customer"
                }
                if customers:
                    moving.validate(env, moving.send_back(env, one, customers))

    def _for_pickings(self, order_id: int, act: Callable[[Env, int], None]) -> None:
        with self._writing() as env:
            for one in self._open_pickings(env, order_id):
                act(env, one)

    def _open_pickings(self, env: Env, order_id: int) -> list[int]:
        table = env.db.table("stock.picking")
        ids = sorted(table.lookup("sale_id", [order_id]))
        return [one for one in ids if table.rows[one]["state"] not in {"done", "cancel"}]
