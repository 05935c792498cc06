"""Kits as real Odoo servers of each version told of them (``kits/*``), and numbers without the noise of floats."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bridge.errors import AccessMissing, InvalidRecord, SettingsWrong
from bridge.odoo import stock
from bridge.odoo.kits import Kit, read_kits
from bridge.odoo.moves import line_moves
from bridge.odoo.versions import OdooVersion, names_of
from bridge.translate.kits import Part, kits_at_most

RECORDINGS = Path(__file__).parents[2] / "recordings" / "odoo"
VERSIONS = (16, 18, 19)
#: Units of each part in one kit, by SKU.
PARTS = {
    "KIT-PLAIN": {"PART-P": "2", "PART-Q": "0.5"},
    "KIT-STORABLE": {"PART-P": "3"},
    "KIT-DOZEN": {"PART-Q": "12"},
    "KIT-OF-KITS": {"PART-P": "5", "PART-Q": "1"},
    "KIT-MAKES-FOUR": {"PART-P": "0.75"},
    "KIT-TENTH": {"PART-F": "0.1"},
    "KIT-TWICE": {"PART-P": "3"},
    "KIT-TWO-BILLS": {"PART-P": "1"},
    "KIT-BY-DOZEN": {"PART-Q": "0.5"},
}
#: Where Odoo's own figure is not what the parts make: by version.
WRONG = {
    16: {"KIT-TWICE": (5, 3), "KIT-TENTH": (2, 3), "KIT-BY-DOZEN": (5, 60)},
    18: {"KIT-BY-DOZEN": (5, 60)},
    19: {"KIT-BY-DOZEN": (5, 60)},
}


def recorded(version: int, name: str) -> Any:
    (path,) = (RECORDINGS / str(version) / "kits").glob(f"*-{name}.json")
    return json.loads(path.read_text(), parse_float=Decimal)["response"]["json"]["result"]


class Server:
    """Answers as the recorded server of a version did."""

    def __init__(self, version: int, error: Exception | None = None) -> None:
        self.version, self.error = version, error
        self.names = names_of(OdooVersion(major=version, text=f"{version}.0"))
        self.calls: list[str] = []

    def search_read(self, model: str, domain: list[Any], fields: list[str], **options: Any) -> list[Any]:
        self.calls.append(model)
        if self.error:
            raise self.error
        if any(leaf[0] == "id" and leaf[1] == ">" for leaf in domain):
            return []
        name = {
            "mrp.bom": "bills-read",
            "mrp.bom.line": "bill-lines-read",
            "product.product": "products-read",
        }
        rows = recorded(self.version, name[model])
        if model == "mrp.bom" and not (options.get("context") or {}).get("active_test", True):
            return rows
        rows = [row for row in rows if row.get("active", True)] if model == "mrp.bom" else rows
        if model != "product.product":
            return rows
        ((name_, _, ids),) = domain
        of = (lambda row: row["id"]) if name_ == "id" else (lambda row: row["product_tmpl_id"][0])
        return [row | {"active": True} for row in rows if of(row) in ids]

    def read(self, model: str, ids: list[int], fields: list[str], **_: Any) -> list[Any]:
        self.calls.append(model)
        name = {"uom.uom": "units-read", "product.template.attribute.value": "variant-values-read"}
        if model == "sale.order.line":
            return recorded(self.version, "lines-half-delivered")
        rows = [row for row in recorded(self.version, name[model]) if row["id"] in ids]
        assert {row["id"] for row in rows} == set(ids)
        return rows


def by_sku(version: int, name: str = "kit-quantities") -> dict[int, dict[str, Any]]:
    return {row["id"]: row for row in recorded(version, name)}


@pytest.mark.parametrize("version", VERSIONS)
def test_kits_are_read_as_odoo_reads_its_bills(version: int):
    server, known = Server(version), by_sku(version)
    found = read_kits(server)  # type: ignore[arg-type]  # what it asks of a client
    sizes = [one for one, row in known.items() if not row["default_code"]]
    shown = {
        known[one]["default_code"]: {
            str(known[part]["default_code"]): str(units.normalize()) for part, units in kit.parts.items()
        }
        for one, kit in found.items()
        if one not in sizes
    }
    # 16 goes by an archived bill of a single variant, and Odoo shows 5 of it there, 0 later.
    archived = {"KIT-ARCHIVED": {"PART-P": "2"}} if version == 16 else {}
    assert shown == PARTS | archived
    # A line for the large one only.
    small, large = (dict(found[one].parts) for one in sorted(sizes))
    assert [[str(units) for units in one.values()] for one in (small, large)] == [["1"], ["1", "4"]]
    assert len(server.calls) <= 6


@pytest.mark.parametrize("version", VERSIONS)
def test_what_the_parts_make_is_what_odoo_shows_but_where_odoo_is_wrong(version: int):
    known = by_sku(version)
    kits = read_kits(Server(version))  # type: ignore[arg-type]  # what it asks of a client
    differ = {}
    for one, kit in kits.items():
        parts = [
            Part(odoo_id=part, units=units, has=stock.clean(known[part]["free_qty"]))
            for part, units in kit.parts.items()
        ]
        own, made = stock.clean(known[one]["free_qty"]), kits_at_most(Decimal(10**6), parts)
        assert kits_at_most(own, parts) == min(own, made)
        if own != made:
            differ[known[one]["default_code"]] = (int(own), int(made))
    assert differ == WRONG[version]


class Lines(Server):
    """Answers as the server did that had delivered one of two kits, and had a kit of kits reserved."""

    def call(self, model: str, method: str, *, args: Any) -> Any:
        assert (model, method) == ("sale.order.line", "web_search_read")
        ((_, _, ids),) = args["domain"]
        asked = args["specification"]
        answer = recorded(self.version, "lines-with-moves-half-delivered")
        for row in answer["records"]:
            assert row.keys() == {"id", *asked}
            assert set(asked["move_ids"]["fields"]) <= {name for move in row["move_ids"] for name in move}
        return {**answer, "records": [row for row in answer["records"] if row["id"] in ids]}

    def search_read(self, model: str, domain: list[Any], fields: list[str], **options: Any) -> list[Any]:
        if model == "stock.move":
            return recorded(self.version, "moves-half-delivered")
        return super().search_read(model, domain, fields, **options)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_parts_of_a_kit_and_of_a_kit_of_kits_stand_for_their_lines(version: int):
    server = Lines(version)
    kits: dict[int, Kit] = read_kits(server)  # type: ignore[arg-type]  # what it asks of a client
    found = line_moves(server, [1, 2, 999_999], kits=kits)  # type: ignore[arg-type]  # likewise
    shown = {
        one: (line.ordered, line.delivered, line.reserved, line.open, line.warehouse_id)
        for one, line in found.items()
    }
    assert shown == {1: (2, 1, 1, 1, 1), 2: (1, 0, 1, 1, 1)}
    skus = by_sku(version)
    parts = {str(skus[part]["default_code"]): moved.delivered for part, moved in found[1].by_product.items()}
    assert parts == {"PART-P": 2, "PART-Q": Decimal("0.5"), "PART-C": 1}


def test_without_the_app_or_the_right_there_are_no_kits_and_other_troubles_are_told():
    for nothing in (SettingsWrong("x", reason="unknown_model"), AccessMissing("x", system="odoo")):
        assert read_kits(Server(18, nothing)) == {}  # type: ignore[arg-type]  # what it asks of a client
    with pytest.raises(SettingsWrong):
        read_kits(Server(18, SettingsWrong("x", reason="wrong_database")))  # type: ignore[arg-type]  # likewise


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        (Decimal("6.299999999999997"), "6.3"),
        (Decimal("0.30000000000000004"), "0.3"),
        (10, "10"),
        (Decimal("10.0"), "10"),
        (Decimal("-3.0"), "-3"),
        (Decimal("1e12"), "1000000000000"),
    ],
)
def test_a_quantity_loses_the_noise_of_floats_and_nothing_else(sent, read):
    assert str(stock.clean(sent)) == read


@pytest.mark.parametrize("wrong", [None, False, "7", Decimal("NaN"), Decimal("Infinity")])
def test_what_is_no_quantity_is_refused(wrong):
    with pytest.raises(InvalidRecord):
        stock.clean(wrong)


def test_warehouses_and_places_are_not_asked_for_together():
    with pytest.raises(ValueError, match="not by both"):
        stock.quantity_context(warehouse_ids=[1], location_ids=[8])
