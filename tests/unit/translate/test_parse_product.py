"""Magento's catalog, read into records: recorded shapes, what shops leave out, and damaged input."""

from __future__ import annotations

import copy
import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import InvalidRecord
from bridge.translate.catalog_records import (
    ConfigurableOption,
    MagentoCategory,
    MagentoOption,
    MagentoProduct,
    ProductText,
)
from bridge.translate.magento_product import parse_attribute, parse_category, parse_product, parse_text

RECORDINGS = Path(__file__).parents[2] / "recordings" / "magento" / "catalog"


def recorded(number):
    (path,) = RECORDINGS.glob(f"{number:03}-*.json")
    return json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)["response"]["json"]


RECORDED = [recorded(number) for number in range(32, 42)] + recorded(21)["items"] + recorded(47)
SIMPLE = recorded(32)


def product(**changes):
    return parse_product({**copy.deepcopy(SIMPLE), **changes})


def with_attribute(code, value):
    return product(custom_attributes=[{"attribute_code": code, "value": value}])


@pytest.mark.parametrize("raw", RECORDED, ids=lambda raw: raw["sku"])
def test_every_recorded_product_is_read(raw):
    read = parse_product(raw)
    assert (read.product_id, read.sku, read.type_id) == (raw["id"], raw["sku"], raw["type_id"])
    assert read.price == (None if "price" not in raw else Decimal(raw["price"]))
    assert read.updated_at == raw["updated_at"]


def test_a_simple_product_has_all_its_fields():
    read = parse_product(SIMPLE)
    assert isinstance(read, MagentoProduct)
    assert (read.name, read.price, read.weight, read.cost) == (
        "Simple Product 1", Decimal("33.33"), Decimal("0.5"), None,
    )  # fmt: skip
    assert (read.is_enabled, read.visibility, read.tax_class_id) == (True, 4, "2")
    assert (read.category_ids, read.website_ids) == ((5,), (1, 2))
    assert read.attributes["url_key"] == "simple-product-1"
    assert {"category_ids", "tax_class_id"}.isdisjoint(read.attributes)
    assert (read.images, read.options, read.child_ids) == ((), (), ())


def test_a_configurable_names_its_children_and_what_they_differ_by():
    read = parse_product(recorded(33))
    assert read.child_ids == (25, 26, 27, 28, 29, 30)
    assert read.price == 0
    assert [option.attribute_id for option in read.options] == [93, 137]
    assert read.options[1] == ConfigurableOption(attribute_id=137, values=("4", "5", "6"))
    assert "image" not in read.attributes  # no_selection


def test_a_list_that_was_cut_by_fields_has_nulls_for_empty_lists():
    cut = {**SIMPLE, "custom_attributes": None, "media_gallery_entries": None}
    cut["extension_attributes"] = {"configurable_product_links": None, "website_ids": None}
    read = parse_product(cut)
    assert (read.attributes, read.images, read.child_ids, read.website_ids) == ({}, (), (), ())
    # PHP writes an empty object as a list.
    assert parse_product({**cut, "extension_attributes": []}).category_ids == ()


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        (Decimal("33.330000"), Decimal("33.33")),
        ("12.345678", Decimal("12.345678")),
        (0, Decimal(0)),
        ("0.0000", Decimal(0)),
        (Decimal("-5.10"), Decimal("-5.1")),
        (19.99, Decimal("19.99")),
        (None, None),
        ("", None),
    ],
)
def test_a_price_is_what_magento_says_to_the_digit(sent, read):
    price = product(price=sent).price
    assert price == read
    assert price is None or isinstance(price, Decimal)
    assert with_attribute("cost", sent).cost == read


def test_texts_stay_html_and_lose_only_what_odoo_cannot_store():
    html = "<p>Caf\u00e9 &amp; <b>more</b>\nline</p>"
    assert with_attribute("description", html).description == html
    assert with_attribute("short_description", "a\x00b\x07").short_description == "ab"
    assert product(name="N\x00ame \ud83d").name == "Name"
    assert product(name="").name == "SIM-01"


def test_attributes_are_texts_or_lists_of_texts():
    assert with_attribute("color", 7).attributes == {"color": "7"}
    assert with_attribute("features", ["1", 2, None]).attributes == {"features": ("1", "2")}
    assert with_attribute("layout", {"a": 1}).attributes == {}
    assert with_attribute("thumbnail", "no_selection").attributes == {}


def test_categories_come_from_links_and_from_the_attribute_each_once():
    raw = copy.deepcopy(SIMPLE)
    raw["custom_attributes"] = [{"attribute_code": "category_ids", "value": ["5", "7"]}]
    assert parse_product(raw).category_ids == (5, 7)
    raw["custom_attributes"][0]["value"] = "7, 8"
    raw["extension_attributes"]["category_links"] = None
    assert parse_product(raw).category_ids == (7, 8)


def test_images_are_sorted_and_those_without_a_file_are_left_out():
    def entry(number, **more):
        return {"id": number, "media_type": "image", "position": 1, "file": f"/f/{number}.png", **more}

    read = product(
        media_gallery_entries=[
            entry(3, position=2, disabled=True, label=None),
            entry(2, types=["image", "thumbnail"], label="Front"),
            entry(4, file="no_selection"),
            None,
        ]
    )
    assert [(image.entry_id, image.file, image.is_disabled) for image in read.images] == [
        (2, "/f/2.png", False), (3, "/f/3.png", True),
    ]  # fmt: skip
    assert read.images[0].types == {"image", "thumbnail"}
    assert (read.images[0].label, read.images[1].label) == ("Front", "")


def test_a_disabled_product_is_disabled_and_one_without_status_is_not():
    assert not product(status=2).is_enabled
    assert not product(status="2").is_enabled
    assert product(status=None).is_enabled


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"id": None}, "id"),
        ({"id": 0}, "id"),
        ({"id": "seven"}, "id"),
        ({"sku": None}, "sku"),
        ({"sku": "\x00 "}, "sku"),
        ({"type_id": ""}, "type_id"),
        ({"price": "twelve"}, "price"),
        ({"price": []}, "price"),
        ({"price": True}, "price"),
        ({"weight": {"a": 1}}, "weight"),
        ({"custom_attributes": "x"}, "custom_attributes"),
        ({"custom_attributes": ["x"]}, "custom_attributes[0]"),
        ({"custom_attributes": [{"value": "x"}]}, "custom_attributes[0].attribute_code"),
        ({"custom_attributes": [{"attribute_code": "cost", "value": "dear"}]}, "cost"),
        ({"custom_attributes": [{"attribute_code": "category_ids", "value": ["a"]}]}, "category_ids[0]"),
        ({"extension_attributes": {"website_ids": [1, "x"]}}, "extension_attributes.website_ids[1]"),
        ({"extension_attributes": {"configurable_product_links": 5}}, "extension_attributes.configurable_product_links"),
        (
            {"extension_attributes": {"configurable_product_options": [{"attribute_id": "93", "values": [{}]}]}},
            "extension_attributes.configurable_product_options[0].values[0].value_index",
        ),
        ({"media_gallery_entries": [{"file": "/a.png"}]}, "id"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_names_its_field_and_the_product(changes, field):
    with pytest.raises(InvalidRecord) as refused:
        product(**changes)
    found = refused.value.details["field"]
    assert found == field or found.endswith(f".{field}"), found
    assert field.rpartition(".")[2] in refused.value.message


def test_a_refusal_says_which_product_it_was():
    with pytest.raises(InvalidRecord, match="The product SIM-01's field price is not a number"):
        product(price="x")
    with pytest.raises(InvalidRecord, match="The product 1's field sku is missing"):
        product(sku=None)
    with pytest.raises(InvalidRecord, match="product is not an object"):
        parse_product(None)


#: Any JSON, with Decimal for fractions as the client reads it.
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals(allow_nan=True) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(RECORDED), st.data())
def test_damaged_products_are_read_or_refused_and_nothing_else(raw, data):
    damaged = copy.deepcopy(raw)
    for _ in range(data.draw(st.integers(1, 3))):
        place = damaged
        name = data.draw(st.sampled_from(sorted(place)))
        while isinstance(place[name], dict) and place[name] and data.draw(st.booleans()):
            place = place[name]
            name = data.draw(st.sampled_from(sorted(place)))
        if isinstance(place[name], list) and place[name] and data.draw(st.booleans()):
            place[name][0] = data.draw(JSON)
        else:
            place[name] = data.draw(JSON)
    try:
        read = parse_product(damaged)
    except InvalidRecord as refused:
        assert refused.details["field"]
        return
    assert read.sku
    assert all("\x00" not in text for text in (read.sku, read.name, read.description))
    assert read.price is None or read.price.is_finite()


@given(JSON)
def test_whatever_comes_in_place_of_a_record_is_refused_by_name(raw):
    for parse in (parse_product, parse_attribute, parse_category):
        with pytest.raises(InvalidRecord) as refused:
            parse(raw)
        assert refused.value.details["field"]


def test_texts_of_a_store_view_may_be_empty():
    assert parse_text({"id": 1, "custom_attributes": None}) == ProductText(name="")
    with pytest.raises(InvalidRecord, match="custom_attributes is not a list"):
        parse_text({"id": 1, "custom_attributes": 7})
    assert parse_text({"id": 1, "name": "Eins"}) == ProductText(name="Eins")


def test_an_attribute_has_its_options_by_id_and_not_the_empty_one():
    color = next(raw for raw in recorded(52)["items"] if raw["attribute_code"] == "color")
    read = parse_attribute(color)
    assert (read.attribute_id, read.code, read.label, read.frontend_input) == (93, "color", "Color", "select")
    assert read.options["9"] == MagentoOption(value="9", label="Gr\u00e9\u00e9n")
    assert set(read.options) == {"7", "8", "9"}
    odd = parse_attribute(
        {**color, "options": [{"label": "", "value": 12}, {"label": "G", "value": [1]}, None]}
    )
    assert odd.options == {"12": MagentoOption(value="12", label="12")}
    assert parse_attribute({"attribute_id": 1, "attribute_code": "x", "options": None}).label == "x"


def test_a_category_is_read_and_the_root_of_all_has_no_parent():
    root, default, apparel = map(parse_category, recorded(59)["items"])
    assert (root.category_id, root.parent_id, root.is_active) == (1, 0, False)
    assert (default.parent_id, default.level) == (1, 1)
    assert apparel == MagentoCategory(
        category_id=3, parent_id=2, name="Apparel", is_active=True, position=1, level=2
    )
    with pytest.raises(InvalidRecord, match="The category Apparel's field parent_id is missing"):
        parse_category({"id": 3, "name": "Apparel"})
    assert parse_category({"id": 3, "parent_id": 2, "name": None}).name == ""
