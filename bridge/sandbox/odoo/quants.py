"""What lies where: ``stock.quant``, its counts, and how moves change it (recordings ``stock/*``, ``rules/stock-apply-*``)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bridge.sandbox.odoo import kits
from bridge.sandbox.odoo.fault import validation_error
from bridge.sandbox.odoo.records import NOT_COMPUTED, Env, Model
from bridge.sandbox.odoo.tables import Row
from bridge.sandbox.odoo.warehouse import place

#: Quantities are compared at so many digits.
DIGITS = 6


class Quant(Model):
    """``stock.quant``: one row for a product in a location."""

    order = "id"
    required = ("product_id", "location_id")

    @property
    def is_counting(self) -> bool:
        """Whether the call is one of an inventory (``inventory_mode``)."""
        return bool(self.env.context.get("inventory_mode"))

    def create(self, values: Row) -> int:
        """Store a quant; in an inventory one that is there is counted anew (``stock/quant-create-existing-returns-same-id``).

        18 and 19 take any count for one of an inventory when it comes by ``load``, 16 too (``rules/load-stock``).
        """
        self._check_names(values, "create")
        product = self.env["product.product"]
        if not is_stored(self.env, values.get("product_id") or 0):
            raise validation_error("Quants cannot be created for consumables or services.")
        product.ensure([values["product_id"]])
        known = find(self.env, values["product_id"], values["location_id"])
        counts = self.is_counting or self.env.context.get("import_file")
        if known is not None and counts and "inventory_quantity" in values:
            self.write([known], {"inventory_quantity": values["inventory_quantity"]})
            return known
        return super().create(values)

    def defaults(self, values: Row) -> Row:
        """Return an empty quant."""
        row: Row = {"quantity": 0.0, "reserved_quantity": 0.0, "company_id": 1, "inventory_quantity": 0.0}
        return row | {"inventory_quantity_set": self._is_set(values), "user_id": self.env.uid}

    def _is_set(self, values: Row) -> bool:
        counts = self.is_counting or self.env.context.get("import_file") or self.env.dialect.major >= 19
        return "inventory_quantity" in values and bool(counts)

    def written(self, record_id: int, values: Row, old: Row) -> None:
        """A count that was written is waiting to be applied."""
        if "inventory_quantity" in values:
            self.table.update(record_id, {"inventory_quantity_set": True})

    def compute(self, row: Row, name: str) -> Any:
        """Return what follows from the quantities."""
        if name == "available_quantity":
            return round(row["quantity"] - row["reserved_quantity"], DIGITS)
        if name == "inventory_diff_quantity":
            return round(row["inventory_quantity"] - row["quantity"], DIGITS)
        if name == "inventory_date":
            return row["write_date"][:10]
        if name == "warehouse_id":
            return self.env["stock.location"].get(row["location_id"], "warehouse_id")
        if name == "product_tmpl_id":
            return self.env["product.product"].get(row["product_id"], "product_tmpl_id")
        return NOT_COMPUTED


def is_stored(env: Env, product_id: int) -> bool:
    """Return whether a product's quantities are kept."""
    row = env.db.table("product.product").rows.get(product_id)
    if row is None:
        return False
    template = env.db.table("product.template").rows.get(row["product_tmpl_id"], {})
    return template.get("type") == "product" if env.dialect.major < 18 else bool(template.get("is_storable"))


def find(env: Env, product_id: int, location_id: int) -> int | None:
    """Return the quant of a product in a location."""
    table = env.db.table("stock.quant")
    same = (one for one in table.lookup("product_id", [product_id]))
    return next((one for one in sorted(same) if table.rows[one]["location_id"] == location_id), None)


def change(
    env: Env, product_id: int, location_id: int, *, quantity: float = 0.0, reserved: float = 0.0
) -> None:
    """Add to what lies somewhere and to what of it is reserved.

    What was lost or found, bought or sold lies somewhere too, less than nothing of it at times (tried on real 16, 18, 19).
    """
    if not is_stored(env, product_id):
        return
    table = env.db.table("stock.quant")
    known = find(env, product_id, location_id)
    if known is None:
        known = Model.create(env["stock.quant"], {"product_id": product_id, "location_id": location_id})
        table.update(known, {"inventory_quantity_set": False})
    row = table.rows[known]
    table.update(
        known,
        {
            "quantity": round(row["quantity"] + quantity, DIGITS),
            "reserved_quantity": max(0.0, round(row["reserved_quantity"] + reserved, DIGITS)),
            "write_date": env.now(),
        },
    )


def available(env: Env, product_id: int, location_id: int) -> float:
    """Return what of a product in a location is not reserved."""
    known = find(env, product_id, location_id)
    if known is None:
        return 0.0
    row = env.db.table("stock.quant").rows[known]
    return float(round(row["quantity"] - row["reserved_quantity"], DIGITS))


def apply_inventory(model: Model, ids: Iterable[int], _: Any = None) -> None:
    """Make the counted quantity the real one, by a move. **19 applies a count that is not set too**: 0 (RULES 2.1)."""
    env = model.env
    model.ensure(ids)
    for one in ids:
        row = model.table.rows[one]
        if not row["inventory_quantity_set"] and env.dialect.major < 19:
            continue
        difference = round(row["inventory_quantity"] - row["quantity"], DIGITS)
        if difference:
            _adjust(env, row, difference)
        done = {"inventory_quantity": 0.0, "inventory_quantity_set": False, "write_date": env.now()}
        model.table.update(one, done)


def _adjust(env: Env, row: Row, difference: float) -> None:
    outside = place(env, "inventory")
    inside = row["location_id"]
    source, target = (outside, inside) if difference > 0 else (inside, outside)
    values: Row = {
        "product_id": row["product_id"],
        "product_uom_qty": abs(difference),
        "location_id": source,
        "location_dest_id": target,
        "is_inventory": True,
        "reference": "Product Quantity Updated",
    }
    if env.dialect.major >= 18:
        values["reference"] += " (Administrator)"
    moves = env["stock.move"]
    made = moves.create(values)
    done = "quantity_done" if env.dialect.major < 18 else "quantity"
    moves.table.update(made, {"state": "done", done: abs(difference), "_reserved": 0.0})
    change(env, row["product_id"], inside, quantity=difference)
    change(env, row["product_id"], outside, quantity=-difference)


def quantities(env: Env, product_id: int) -> dict[str, float]:
    """Return a product's quantities in the places that the call's context names, all warehouses' without any."""
    if kits.bill_of(env, product_id) is not None:
        return kits.kit_quantities(env, product_id, quantities)
    places = _places(env)
    quants = env.db.table("stock.quant")
    rows = [quants.rows[one] for one in quants.lookup("product_id", [product_id])]
    here = [row for row in rows if row["location_id"] in places]
    on_hand = round(sum((row["quantity"] for row in here), 0.0), DIGITS)
    reserved = round(sum((row["reserved_quantity"] for row in here), 0.0), DIGITS)
    incoming = outgoing = 0.0
    moves = env.db.table("stock.move")
    for one in moves.lookup("product_id", [product_id]):
        move = moves.rows[one]
        if move["state"] not in {"waiting", "confirmed", "partially_available", "assigned"}:
            continue
        target = move.get("location_final_id") or move["location_dest_id"]
        if move["location_id"] in places and target not in places:
            outgoing += move["product_uom_qty"]
        elif move["location_id"] not in places and move["location_dest_id"] in places:
            incoming += move["product_uom_qty"]
    return {
        "qty_available": on_hand,
        "free_qty": round(on_hand - reserved, DIGITS),
        "virtual_available": round(on_hand + incoming - outgoing, DIGITS),
        "incoming_qty": incoming,
        "outgoing_qty": outgoing,
    }


def warehouse_key(env: Env) -> str:
    """Return the context's key for warehouses: the other version's is ignored (``stock/qty-context-warehouse*``)."""
    return "warehouse" if env.dialect.major < 18 else "warehouse_id"


def named_warehouses(env: Env) -> list[int] | None:
    """Return the warehouses that the context names, None where it names none; those that are not there are left out."""
    named = env.context.get(warehouse_key(env))
    if not named:
        return None
    rows = env.db.table("stock.warehouse").rows
    found: list[int] = []
    for one in named if isinstance(named, list) else [named]:
        found += [key for key, row in rows.items() if one in {key, row["name"]}]
    return found


def _places(env: Env) -> set[int]:
    cached = env.context.get("_places")
    if isinstance(cached, set):
        return cached
    locations = env["stock.location"]
    asked = env.context.get("location")
    if asked:
        roots = asked if isinstance(asked, list) else [asked]
    else:
        rows = env.db.table("stock.warehouse").rows
        named = named_warehouses(env)
        roots = [rows[one]["view_location_id"] for one in (rows if named is None else named)]
    found = {
        one
        for one in locations.tree(roots)  # type: ignore[attr-defined]  # it is a Location
        if locations.table.rows[one].get("usage") == "internal"
    }
    env.context["_places"] = found
    return found
