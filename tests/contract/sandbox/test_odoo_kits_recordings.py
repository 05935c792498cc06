"""Kits in the sandbox are what real Odoo servers of each version showed (``kits/*``), also where those are wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bridge.sandbox.odoo import OdooState

RECORDINGS = Path(__file__).parents[2] / "recordings" / "odoo"
VERSIONS = (16, 18, 19)
FIELDS = ("free_qty", "qty_available", "virtual_available")


def recorded(version: int, name: str) -> dict[str, tuple[float, ...]]:
    """Return the recorded figures by SKU; the two variants of a size have none and are told by their order."""
    (path,) = (RECORDINGS / str(version) / "kits").glob(f"*-{name}.json")
    rows = json.loads(path.read_text())["response"]["json"]["result"]
    sizes = iter(("SMALL", "LARGE"))
    return {row["default_code"] or next(sizes): tuple(row[name] for name in FIELDS) for row in rows}


class Mill:
    """The products and bills of the recorded servers."""

    def __init__(self, version: int) -> None:
        self.odoo = OdooState(version)
        self.ids: dict[str, int] = {}
        for sku, quantity in {"PART-P": 10, "PART-Q": 30, "PART-F": 0.3}.items():
            (self.ids[sku],) = self.odoo.seed_products([sku]).values()
            self.odoo.set_stock(self.ids[sku], quantity)
        self.plain("PART-C")
        (self.ids["KIT-STORABLE"],) = self.odoo.seed_products(["KIT-STORABLE"]).values()
        self.kit("KIT-STORABLE", ("PART-P", 3))
        self.kit("KIT-PLAIN", ("PART-P", 2), ("PART-Q", 0.5), ("PART-C", 1))
        dozen = self.odoo.find("uom.uom", name="Dozens")
        self.kit("KIT-DOZEN", ("PART-Q", 1, {"product_uom_id": dozen}))
        self.kit("KIT-OF-KITS", ("KIT-PLAIN", 2), ("PART-P", 1))
        self.kit("KIT-MAKES-FOUR", ("PART-P", 3), product_qty=4.0)
        self.kit("KIT-TENTH", ("PART-F", 0.1))
        self.kit("KIT-TWICE", ("PART-P", 1), ("PART-P", 2))
        self.kit("KIT-CONSUMABLES", ("PART-C", 1))
        self.kit("KIT-TWO-BILLS", ("PART-P", 1), sequence=1)
        self.kit("KIT-TWO-BILLS", ("PART-P", 5), sequence=2, is_own=True)
        self.kit("KIT-BY-DOZEN", ("PART-Q", 6), product_uom_id=dozen)
        self.kit("KIT-ARCHIVED", ("PART-P", 2), is_own=True, active=False)
        self.sizes()

    def plain(self, sku: str) -> None:
        self.ids[sku] = self.odoo.create("product.product", {"name": sku, "default_code": sku})

    def kit(self, sku: str, *lines: tuple[Any, ...], is_own: bool = False, **values: Any) -> None:
        if sku not in self.ids:
            self.plain(sku)
        commands = [
            [0, 0, {"product_id": self.ids[line[0]], "product_qty": line[1], **(line[2] if line[2:] else {})}]
            for line in lines
        ]
        self.odoo.add_kit(self.ids[sku], {}, is_own=is_own, bom_line_ids=commands, **values)

    def sizes(self) -> None:
        names = [[0, 0, {"name": "S"}], [0, 0, {"name": "L"}]]
        size = self.odoo.create("product.attribute", {"name": "Size", "value_ids": names})
        values = self.found("product.attribute.value", attribute_id=size)
        line = {"attribute_id": size, "value_ids": [[6, 0, values]]}
        template = self.odoo.create(
            "product.template", {"name": "KIT-SIZES", "attribute_line_ids": [[0, 0, line]]}
        )
        self.ids["SMALL"], self.ids["LARGE"] = self.found("product.product", product_tmpl_id=template)
        own = self.found("product.template.attribute.value", product_tmpl_id=template)
        only = {"bom_product_template_attribute_value_ids": [[6, 0, own[1:]]]}
        self.kit("SMALL", ("PART-P", 1), ("PART-Q", 4, only))

    def found(self, model: str, **equal: int) -> list[int]:
        rows = self.odoo.records(model)
        return [row["id"] for row in rows if all(row.get(name) == value for name, value in equal.items())]

    def figures(self, skus: dict[str, Any]) -> dict[str, tuple[float, ...]]:
        return {sku: tuple(self.odoo.stock(self.ids[sku])[name] for name in FIELDS) for sku in skus}

    def order(self, sku: str, units: int) -> int:
        partner = self.odoo.create("res.partner", {"name": "Ada"})
        line = {"product_id": self.ids[sku], "product_uom_qty": units, "price_unit": 10}
        return self.odoo.create("sale.order", {"partner_id": partner, "order_line": [[0, 0, line]]})


@pytest.mark.parametrize("version", VERSIONS)
def test_figures_of_kits_are_those_of_the_version(version: int):
    told = recorded(version, "kit-quantities")
    assert Mill(version).figures(told) == told


@pytest.mark.parametrize("version", VERSIONS)
def test_kits_are_reserved_and_delivered_as_their_parts(version: int):
    mill = Mill(version)
    orders = [mill.order("KIT-PLAIN", 2), mill.order("KIT-OF-KITS", 1)]
    for name in ("draft", "confirmed", "half-delivered"):
        if name == "confirmed":
            for one in orders:
                mill.odoo.confirm(one)
        if name == "half-delivered":
            half = {"PART-P": 2, "PART-Q": 0.5, "PART-C": 1}
            mill.odoo.deliver(orders[0], {mill.ids[sku]: units for sku, units in half.items()})
        told = recorded(version, f"quantities-{name}")
        assert mill.figures(told) == told, name
    (path,) = (RECORDINGS / str(version) / "kits").glob("*-lines-half-delivered.json")
    rows = json.loads(path.read_text())["response"]["json"]["result"]
    lines = {row["order_id"]: row for row in mill.odoo.records("sale.order.line")}
    assert [lines[one].get("qty_delivered") or 0.0 for one in orders] == [
        row["qty_delivered"] for row in rows
    ]
