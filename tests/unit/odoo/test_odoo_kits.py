"""Bills of kits as Odoo's app for them tells of them, and numbers without the noise of floats."""

from __future__ import annotations

from decimal import Decimal

import pytest

from bridge.errors import InvalidRecord, SettingsWrong
from bridge.odoo import stock

PRODUCTS = {1: 10, 2: 10, 3: 30}
BOMS = [
    {"product_id": False, "product_tmpl_id": [10, "T"], "product_qty": Decimal(2), "bom_line_ids": [7, 8, 9]},
    {"product_id": [2, "V"], "product_tmpl_id": [10, "T"], "product_qty": 1, "bom_line_ids": [8]},
]
LINES = {7: (70, Decimal("1.5")), 8: (80, 4), 9: (70, Decimal("0.5"))}


class Mill:
    """Answers as Odoo with the app ``mrp`` does."""

    def __init__(self, boms=BOMS, error=None):
        self.boms, self.error = boms, error

    def search_read(self, model, domain, fields, **_):
        assert model == "mrp.bom"
        if self.error:
            raise self.error
        return self.boms

    def read(self, model, ids, fields):
        if model == "product.product":
            return [{"id": one, "product_tmpl_id": [PRODUCTS[one], "T"]} for one in ids]
        return [
            {"id": one, "product_id": [LINES[one][0], "P"], "product_qty": LINES[one][1]}
            for one in sorted(set(ids))
        ]


def test_a_kit_has_its_parts_for_one_and_a_variants_own_bill_stands_first():
    found = stock.kits(Mill(), [1, 2, 3])
    assert {one: dict(kit.parts) for one, kit in found.items()} == {
        1: {70: Decimal(1), 80: Decimal(2)},
        2: {80: Decimal(4)},
    }


def test_without_the_app_there_are_no_kits_and_other_troubles_are_told():
    assert stock.kits(Mill(error=SettingsWrong("x", reason="unknown_model")), [1]) == {}
    with pytest.raises(SettingsWrong):
        stock.kits(Mill(error=SettingsWrong("x", reason="wrong_database")), [1])


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
