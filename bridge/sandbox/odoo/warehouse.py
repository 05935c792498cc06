"""Warehouses with their locations and kinds of transfers, and what a location's tree holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bridge.sandbox.odoo.records import NOT_COMPUTED, Env, Model
from bridge.sandbox.odoo.tables import Row

#: Places on the way from a warehouse's stock to the customer, by ``delivery_steps``: fields of the warehouse.
STEPS: dict[str, tuple[str, ...]] = {
    "ship_only": ("lot_stock_id",),
    "pick_ship": ("lot_stock_id", "wh_output_stock_loc_id"),
    "pick_pack_ship": ("lot_stock_id", "wh_pack_stock_loc_id", "wh_output_stock_loc_id"),
}
#: Kinds of transfers by the place that they start from: field of the warehouse, code, name.
_KINDS = (
    ("in_type_id", "incoming", "Receipts"),
    ("out_type_id", "outgoing", "Delivery Orders"),
    ("pick_type_id", "internal", "Pick"),
    ("pack_type_id", "internal", "Pack"),
)


class Location(Model):
    """``stock.location``."""

    order = "complete_name, id"
    required = ("name",)

    def defaults(self, values: Row) -> Row:
        """Return what a location has when it is not said."""
        return {"usage": "internal", "active": True, "company_id": 1}

    def compute(self, row: Row, name: str) -> Any:
        """Return the whole name, and the warehouse that the location is in."""
        parent = self.table.rows.get(row.get("location_id") or 0)
        if name == "complete_name":
            inside = parent is not None and row.get("usage") != "view"
            return f"{self.compute(parent, name)}/{row['name']}" if parent and inside else row["name"]
        if name == "warehouse_id":
            warehouses = self.env.db.table("stock.warehouse").rows.values()
            above = set(self.above(row["id"]))
            return next((one["id"] for one in warehouses if one.get("view_location_id") in above), None)
        return NOT_COMPUTED

    def display_name(self, row: Row) -> str:
        """Return the whole name; 19 shows virtual places without their parent."""
        if self.env.dialect.major >= 19 and row.get("usage") != "internal":
            return row.get("name") or ""
        shown: str = self.compute(row, "complete_name")
        return shown

    def above(self, location_id: int | None) -> list[int]:
        """Return a location and all that it is in."""
        found: list[int] = []
        while location_id:
            found.append(location_id)
            location_id = self.table.rows[location_id].get("location_id")
        return found

    def tree(self, roots: Iterable[int]) -> set[int]:
        """Return these locations and all that are in them."""
        wanted = set(roots)
        return {one for one in self.table.rows if wanted.intersection(self.above(one))}


class Warehouse(Model):
    """``stock.warehouse``: made with its locations and kinds of transfers."""

    order = "sequence, id"
    required = ("name", "code")

    def defaults(self, values: Row) -> Row:
        """Return what a warehouse has when it is not said."""
        return {
            "active": True,
            "company_id": 1,
            "sequence": 10,
            "reception_steps": "one_step",
            "delivery_steps": "ship_only",
        }

    def created(self, record_id: int, values: Row) -> None:
        """Refuse a code that is taken; make what belongs to a warehouse."""
        row = self.table.rows[record_id]
        if sum(one["code"] == row["code"] for one in self.table.rows.values()) > 1:
            raise self.env.dialect.check_constraint(
                "The short name of the warehouse must be unique per company!"
            )
        furnish(self.env, record_id)

    def written(self, record_id: int, values: Row, old: Row) -> None:
        """More or fewer steps use other places."""
        if "delivery_steps" in values:
            _use_places(self.env, record_id)


def furnish(env: Env, warehouse_id: int, *, ids: Mapping[str, int] | None = None) -> None:
    """Make the locations and kinds of transfers of a warehouse; ``ids`` gives some locations the ids that they shall have."""
    table = env.db.table("stock.warehouse")
    row, ids = table.rows[warehouse_id], ids or {}
    view = _make(env, {"name": row["code"], "usage": "view"}, ids.get("view_location_id"))
    changes: Row = {"view_location_id": view, "delivery_steps": row.get("delivery_steps") or "ship_only"}
    changes["reception_steps"] = row.get("reception_steps") or "one_step"
    for field, name in {
        "lot_stock_id": "Stock",
        "wh_pack_stock_loc_id": "Packing Zone",
        "wh_output_stock_loc_id": "Output",
    }.items():
        changes[field] = _make(env, {"name": name, "location_id": view}, ids.get(field))
    for field, code, name in _KINDS:
        values = {"name": name, "code": code, "warehouse_id": warehouse_id}
        changes[field] = env["stock.picking.type"].create(values)
    table.update(warehouse_id, changes)
    _use_places(env, warehouse_id)


def _use_places(env: Env, warehouse_id: int) -> None:
    """Put away the places that no step uses (source: ``stock/models/stock_warehouse.py``)."""
    row = env.db.table("stock.warehouse").rows[warehouse_id]
    for field in ("wh_pack_stock_loc_id", "wh_output_stock_loc_id"):
        is_used = field in STEPS[row["delivery_steps"]]
        env.db.table("stock.location").update(row[field], {"active": is_used})


def _make(env: Env, values: Row, record_id: int | None) -> int:
    locations = env["stock.location"]
    stamp = {"create_date": env.now(), "write_date": env.now(), "create_uid": env.uid, "write_uid": env.uid}
    row = locations.defaults(values) | values | stamp
    return locations.table.insert(row if record_id is None else row | {"id": record_id})


class PickingType(Model):
    """``stock.picking.type``."""

    order = "sequence, id"
    required = ("name",)

    def defaults(self, values: Row) -> Row:
        """Return what a kind of transfers has when it is not said."""
        return {"active": True, "company_id": 1, "sequence": 10}

    def display_name(self, row: Row) -> str:
        """Return ``Warehouse: Name``."""
        warehouse = self.env.db.table("stock.warehouse").rows.get(row.get("warehouse_id") or 0)
        return f"{warehouse['name']}: {row['name']}" if warehouse else row["name"]


def place(env: Env, usage: str) -> int:
    """Return the only location of a usage: ``customer``, ``supplier``, ``inventory``."""
    rows = env.db.table("stock.location").rows
    return next(one for one, row in rows.items() if row.get("usage") == usage)


def seed_places(env: Env, warehouse_id: int) -> None:
    """Make the places that are in no warehouse and those of the first one, with the ids that the recorded servers had."""
    first = 4 if env.dialect.major >= 19 else 7
    for name, usage, at in (
        ("Customers", "customer", first - 2),
        ("Vendors", "supplier", first - 3),
        ("Inventory adjustment", "inventory", first + 7),
    ):
        _make(env, {"name": name, "usage": usage}, at)
    ids = {
        "view_location_id": first,
        "lot_stock_id": first + 1,
        "wh_pack_stock_loc_id": first + 2,
        "wh_output_stock_loc_id": first + 3,
    }
    furnish(env, warehouse_id, ids=ids)
    table = env.db.table("stock.location")
    while table.next_id() < first + 9:
        pass
