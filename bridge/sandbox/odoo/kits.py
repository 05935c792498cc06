"""Odoo's app ``mrp``, as far as kits go: bills, the figures of kits and the moves of their parts (recordings ``kits/*``).

The figures differ by version, also where Odoo is wrong: 16 takes each line of a bill by itself and divides floats, 18 rounds
what a part makes half up, 19 down (``_compute_quantities_dict``, ``mrp/models/product.py``). No bill by lots, by-products
or operations; the moves of a kit are in the units of its parts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from bridge.sandbox.odoo.records import Env, Model
from bridge.sandbox.odoo.tables import Row

BILL, LINE = "mrp.bom", "mrp.bom.line"
#: Fields of the models as far as kits use them (source: ``mrp/models/mrp_bom.py``, the same in 16, 18 and 19).
FIELDS: dict[str, dict[str, list[Any]]] = {
    BILL: {
        "active": ["boolean"],
        "sequence": ["integer"],
        "type": ["selection", {"selection": [["normal", "Manufacture this product"], ["phantom", "Kit"]]}],
        "product_tmpl_id": ["many2one", {"to": "product.template", "required": 1}],
        "product_id": ["many2one", {"to": "product.product"}],
        "product_qty": ["float", {"required": 1}],
        "product_uom_id": ["many2one", {"to": "uom.uom", "required": 1}],
        "bom_line_ids": ["one2many", {"to": LINE}],
    },
    LINE: {
        "bom_id": ["many2one", {"to": BILL, "required": 1}],
        "product_id": ["many2one", {"to": "product.product", "required": 1}],
        "product_qty": ["float", {"required": 1}],
        "product_uom_id": ["many2one", {"to": "uom.uom", "required": 1}],
        "bom_product_template_attribute_value_ids": [
            "many2many",
            {"to": "product.template.attribute.value"},
        ],
    },
}
_NAMES = ("qty_available", "free_qty", "virtual_available", "incoming_qty", "outgoing_qty")


class Bill(Model):
    """``mrp.bom``."""

    order = "sequence, id"

    def defaults(self, values: Row) -> Row:
        """Return what a bill has when it is not said."""
        return {"active": True, "sequence": 0, "type": "normal", "product_qty": 1.0, "product_uom_id": 1}

    def display_name(self, row: Row) -> str:
        """Return the name of what it makes."""
        template = self.env["product.template"]
        return str(template.display_name(template.table.rows[row["product_tmpl_id"]]))


class BillLine(Model):
    """``mrp.bom.line``."""

    order = "id"

    def defaults(self, values: Row) -> Row:
        """Return what a line has when it is not said."""
        return {"product_qty": 1.0, "product_uom_id": 1}


def bill_of(env: Env, product_id: int) -> Row | None:
    """Return the bill by which a product is a kit; 16 goes by archived ones of single variants, too (``kits/kit-quantities``)."""
    if BILL not in env.schema:
        return None
    product = env["product.product"]
    if product.get(product_id, "type") == "service":
        return None
    template = product.get(product_id, "product_tmpl_id")
    fitting = [
        row
        for row in env.db.table(BILL).rows.values()
        if row["type"] == "phantom"
        and row["product_tmpl_id"] == template
        and row.get("product_id") in {None, product_id}
        and (row["active"] or (row.get("product_id") and env.dialect.major < 18))
    ]
    return min(fitting, key=lambda row: (row["sequence"], not row.get("product_id"), row["id"]), default=None)


def parts_of(env: Env, product_id: int, times: float = 1.0) -> Iterator[tuple[int, float]]:
    """Return the parts of so many bills of a kit with their units, line by line; a part that is a kit gives its own."""
    bill = bill_of(env, product_id)
    assert bill is not None
    for line in list(env.db.table(LINE).rows.values()):
        if line["bom_id"] != bill["id"] or not _is_for(env, line, product_id):
            continue
        part = line["product_id"]
        unit = env["product.product"].get(part, "uom_id")
        quantity = times * line["product_qty"] * in_unit(env, line["product_uom_id"], unit)
        inner = bill_of(env, part)
        if inner is None:
            yield part, quantity
        else:
            yield from parts_of(env, part, quantity / inner["product_qty"])


def in_unit(env: Env, from_unit: int, to_unit: int) -> float:
    """Return how many of one unit another one is; 19 keeps it the other way round (``kits/units-read``)."""
    if from_unit == to_unit:
        return 1.0
    rows = env.db.table("uom.uom").rows
    have, want = rows[from_unit]["factor"], rows[to_unit]["factor"]
    return float(want / have if env.dialect.major < 19 else have / want)


def bills_for(env: Env, product_id: int, quantity: float) -> float:
    """Return how many bills so many kits are."""
    bill = bill_of(env, product_id)
    assert bill is not None
    unit = env["product.product"].get(product_id, "uom_id")
    return quantity * in_unit(env, unit, bill["product_uom_id"]) / float(bill["product_qty"])


def kit_quantities(
    env: Env, product_id: int, quantities: Callable[[Env, int], Mapping[str, float]]
) -> dict[str, float]:
    """Return the figures of a kit as the version works them out from its parts."""
    bill = bill_of(env, product_id)
    assert bill is not None
    lines = [(part, units) for part, units in parts_of(env, product_id) if units and _is_stored(env, part)]
    if env.dialect.major >= 18:
        together: dict[int, float] = {}
        for part, units in lines:
            together[part] = together.get(part, 0.0) + units
        lines = list(together.items())
    found: dict[str, float] = {}
    for name in _NAMES:
        made = [_rounded(env, quantities(env, part)[name] / units) for part, units in lines]
        total = min(made, default=0.0) * bill["product_qty"]
        found[name] = float((total if env.dialect.major < 18 else round(total, 2)) // 1)
    return found


def kits_delivered(env: Env, product_id: int, done: Mapping[int, float]) -> float:
    """Return how many kits were delivered whole, by what was delivered of each part."""
    together: dict[int, float] = {}
    for part, units in parts_of(env, product_id, bills_for(env, product_id, 1.0)):
        together[part] = together.get(part, 0.0) + units
    shares = [round(done.get(part, 0.0) / units, 2) for part, units in together.items() if units]
    return float(min(shares, default=0.0) // 1)


def _rounded(env: Env, quotient: float) -> float:
    if env.dialect.major < 18:
        return quotient
    return round(quotient, 2) if env.dialect.major < 19 else math.floor(round(quotient * 100, 6)) / 100


def _is_for(env: Env, line: Row, product_id: int) -> bool:
    asked = set(line.get("bom_product_template_attribute_value_ids") or ())
    own = env.db.table("product.product").rows[product_id].get("product_template_attribute_value_ids") or ()
    values = env["product.template.attribute.value"]
    return len(asked & set(own)) == len({values.get(one, "attribute_id") for one in asked})


def _is_stored(env: Env, product_id: int) -> bool:
    product = env["product.product"]
    if env.dialect.major < 18:
        return bool(product.get(product_id, "type") == "product")
    return bool(product.get(product_id, "is_storable"))
