"""The catalog that the simulated shop keeps: changes, texts by store view, attributes, categories, many products."""

from __future__ import annotations

import pytest

from bridge.sandbox.magento.catalog_state import Catalog, attribute
from bridge.sandbox.magento.category_state import Attributes, Categories
from bridge.sandbox.magento.data import load_data
from bridge.sandbox.magento.product_generator import LONGEST_SKU, ProductGenerator


@pytest.fixture
def catalog():
    return Catalog(load_data("products"))


def test_a_change_sets_fields_and_attributes_and_moves_updated_at(catalog):
    before = catalog.by_sku("SIM-05")
    changed = catalog.change("sim-05", {"name": "New", "special_price": None, "color": "7"})
    assert (changed["name"], attribute(changed, "color"), attribute(changed, "special_price")) == (
        "New",
        "7",
        None,
    )
    assert attribute(before, "special_price") is not None
    assert changed["updated_at"] > before["updated_at"]
    silent = catalog.change("SIM-05", {"price": 1}, is_silent=True)
    assert (silent["price"], silent["updated_at"]) == (1, changed["updated_at"])
    with pytest.raises(LookupError):
        catalog.change("NOPE", {})


def test_a_store_view_shows_its_own_values_and_the_global_ones_for_the_rest(catalog):
    catalog.set_texts("SIM-01", "de", {"name": "Eins", "description": "<p>Eins</p>"})
    catalog.change("SIM-01", {"name": "One", "price": 2})
    german = catalog.by_sku("SIM-01", "de")
    assert (german["name"], german["price"], attribute(german, "description")) == ("Eins", 2, "<p>Eins</p>")
    assert catalog.get(1)["name"] == "One"
    assert attribute(catalog.get(1), "description") is None
    # Without a code it is the default view.
    catalog.set_texts("SIM-01", "default", {"name": "Only here"})
    assert catalog.by_sku("SIM-01", "")["name"] == "Only here"


def test_a_product_that_is_deleted_is_gone_with_its_texts_and_one_may_come_back(catalog):
    raw = catalog.by_sku("SIM-01")
    catalog.set_texts("SIM-01", "de", {"name": "Eins"})
    catalog.remove("SIM-01")
    catalog.remove("SIM-01")
    assert catalog.by_sku("SIM-01") is None
    assert [one["id"] for one in catalog.behind(41)] == [42, 43]
    catalog.add({**raw, "sku": "OTHER"})
    assert catalog.by_sku("OTHER", "de")["name"] == raw["name"]
    catalog.add({**raw, "sku": "THIRD"})
    assert catalog.by_sku("OTHER") is None
    assert catalog.all()[0]["sku"] == "THIRD"


def test_children_of_a_configurable_are_those_that_are_there(catalog):
    catalog.remove("TSHIRT-Red-S")
    assert [one["sku"] for one in catalog.children("tshirt")][:2] == ["TSHIRT-Red-M", "TSHIRT-Red-L"]
    assert catalog.children("SIM-01") == []


def test_options_are_added_relabelled_and_deleted():
    attributes = Attributes(load_data("attributes"))
    value = attributes.add_option("color", "Green")
    assert value not in {"4", "5", "6", "7", "8", "9"}
    attributes.change_option("color", value, "Dark green")
    assert attributes.get("color")["options"][-1] == {"label": "Dark green", "value": value}
    attributes.remove_option("color", value)
    assert all(option["value"] != value for option in attributes.get("color")["options"])
    shoe = attributes.add("shoe_size", ["40", "41"])
    assert [option["label"] for option in shoe["options"]] == [" ", "40", "41"]
    assert shoe["attribute_id"] > 137
    assert attributes.get("nope") is None


def test_categories_keep_level_path_and_children_when_they_move_and_go():
    categories = Categories(load_data("categories"))
    lamps = categories.add("Lamps", 5)
    assert (categories.get(lamps)["level"], categories.get(lamps)["path"]) == (3, f"1/2/5/{lamps}")
    assert categories.get(5)["children"] == str(lamps)
    categories.change(lamps, parent_id=4, name="All lamps")
    assert categories.get(lamps)["path"] == f"1/2/3/4/{lamps}"
    assert attribute(categories.get(3), "children_count") == "2"
    categories.remove(3)
    assert [raw["id"] for raw in categories.all()] == [1, 2, 5]
    # A loop, as only a database script makes one, is kept as it is.
    categories.change(2, parent_id=5)
    assert categories.get(5)["path"] == "2/5"


def made(seed, count, share=0.1):
    catalog = Catalog(load_data("products"))
    return ProductGenerator(catalog, seed=seed).add(count, configurable_share=share), catalog


def test_the_same_seed_makes_the_same_products_and_another_seed_others():
    assert made(3, 120)[0] == made(3, 120)[0]
    assert made(3, 120)[0] != made(4, 120)[0]


@pytest.mark.parametrize(("count", "share"), [(500, 0.1), (40, 0.5), (3, 1.0), (7, 0.0), (0, 0.1)])
def test_so_many_products_are_made_and_the_share_of_configurables_is_among_them(count, share):
    rows, catalog = made(1, count, share)
    assert len(rows) == count
    assert len(catalog.all()) == 43 + count
    parents = [raw for raw in rows if raw["type_id"] == "configurable"]
    assert len(parents) == round(count * share)
    for parent in parents:
        children = catalog.children(parent["sku"])
        links = parent["extension_attributes"]["configurable_product_links"]
        assert [child["id"] for child in children] == links
        pairs = [(attribute(child, "color"), attribute(child, "size")) for child in children]
        assert len(set(pairs)) == len(pairs)
        offered = [
            {str(value["value_index"]) for value in option["values"]}
            for option in parent["extension_attributes"]["configurable_product_options"]
        ]
        assert offered == [{color for color, _ in pairs}, {size for _, size in pairs}]


def test_skus_are_of_many_shapes_and_none_comes_twice():
    skus = [raw["sku"] for raw in made(1, 1000)[0]]
    assert len({sku.casefold() for sku in skus}) == 1000
    assert max(map(len, skus)) == LONGEST_SKU
    for sign in "/,%_&+ ":
        assert any(sign in sku for sku in skus)
    assert any(sku.isdigit() for sku in skus)
    assert any(not sku.isascii() for sku in skus)
