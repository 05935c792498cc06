"""Cells of Odoo as Magento's fields: only what is named, in its units, with a key that no other SKU has."""

from __future__ import annotations

from decimal import Decimal

import pytest

from bridge.translate.magento_product import parse_product
from bridge.translate.product_export import (
    ExportBook,
    NewProduct,
    as_written,
    body_of,
    magento_values,
    new_body,
    url_key,
)
from bridge.translate.product_plan import ProductBook, plan_product
from tests.support.products import a_product

BOOK = ExportBook(
    magento_weight="lbs", odoo_weight="kgs", tax_classes={"8": "2", "": "0"}, barcode_attribute="ean"
)


def test_cells_are_fields_and_attributes():
    cells = {
        "name": "Mug",
        "active": "0",
        "weight": "1",
        "description": "<p>x</p>",
        "description_sale": "a < b\nc",
        "barcode": "4006381333931",
        "taxes_id/.id": "8",
        "default_code": "RENAMED",
        "categ_id/.id": "7",
    }
    assert body_of(magento_values(cells, BOOK)) == {
        "name": "Mug",
        "status": 2,
        "weight": Decimal("2.204623"),
        "custom_attributes": [
            {"attribute_code": "description", "value": "<p>x</p>"},
            {"attribute_code": "short_description", "value": "a &lt; b<br>c"},
            {"attribute_code": "ean", "value": "4006381333931"},
            {"attribute_code": "tax_class_id", "value": "2"},
        ],
    }


@pytest.mark.parametrize("cells", [{"taxes_id/.id": "9"}, {"barcode": "1"}, {"default_code": "X"}])
def test_what_magento_has_no_place_for_is_left_out(cells):
    assert magento_values(cells, ExportBook(tax_classes={"8": "2"})) == {}


@pytest.mark.parametrize(
    "values",
    [
        {"name": "New", "description_sale": "a < b\nc"},
        {"weight": "0.33", "active": "0"},
        {"description": "<p>a &amp; <i>b</i></p>", "barcode": "12"},
    ],
)
def test_what_was_written_comes_back_as_the_same_cells(values):
    book = ProductBook(storable={}, magento_weight="lbs", odoo_weight="kgs", barcode_attribute="ean")
    written = as_written(a_product(), magento_values(values, BOOK), book)
    plan = plan_product(written, book)
    back = {**plan.owned, "active": "1" if plan.is_active else "0"}
    assert {name: back[name] for name in values} == values


def test_a_new_product_is_complete_and_read_back_as_it_was_sent():
    new = NewProduct(
        sku="A/1",
        kind="simple",
        cells={"name": "Mug", "active": "1", "weight": "1", "barcode": "", "taxes_id/.id": "8"},
        price=Decimal("9.99"),
        attribute_set_id=4,
        website_ids=[1, 2],
        category_id=5,
        options={"color": "7"},
    )
    body = new_body(new, BOOK)
    assert (body["sku"], body["price"], body["visibility"], body["status"]) == ("A/1", Decimal("9.99"), 4, 1)
    product = parse_product({**body, "id": 1})
    assert (product.category_ids, product.website_ids) == ((5,), (1, 2))
    assert product.attributes["color"] == "7"
    assert "ean" not in product.attributes


def test_a_configurable_has_no_price_and_a_service_no_weight():
    cells = {"name": "Mug", "active": "1", "weight": "1"}
    for kind in ("configurable", "virtual"):
        new = NewProduct(
            sku="A", kind=kind, cells=cells, price=Decimal(1), attribute_set_id=4, website_ids=[]
        )
        body = new_body(new, BOOK)
        assert "weight" not in body
        assert ("price" in body) is (kind == "virtual")


def test_url_keys_are_readable_and_no_two_skus_share_one():
    skus = ["mug-1", "MUG 1", "mug/1", "Mug_1", "ÄÖ-1", "AO-1", "漢字", "-1-", "007", "a" * 64]
    keys = [url_key(sku) for sku in skus]
    assert len(set(keys)) == len(skus)
    assert keys[0] == "mug-1"
    assert all(key and key.isascii() and " " not in key and "/" not in key for key in keys)
