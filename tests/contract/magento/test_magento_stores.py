"""The four lists of stores through the client: the records they give, and what is no such list."""

from __future__ import annotations

import json

import pytest

from bridge import errors
from bridge.magento import StoreConfig, StoreGroup, StoreView, Website, store_tree

from .conftest import recording

LISTS = {
    "websites": "stores/009-*",
    "store_groups": "stores/010-*",
    "store_views": "stores/011-*",
    "store_configs": "stores/012-*",
}


def error_of(call):
    with pytest.raises(errors.InvalidRecord) as caught:
        call()
    assert caught.value.system == "magento"
    return caught.value.message


def recorded(call):
    return recording(LISTS[call])["response"]["json"]


def read(shop, magento, call, rows):
    shop.sends(200, json.dumps(rows).encode())
    return getattr(magento, call)()


@pytest.mark.parametrize("call", LISTS)
def test_stores_come_as_recorded(shop, magento, call):
    shop.answers(LISTS[call])
    rows = recorded(call)
    found = getattr(magento, call)()
    assert [one.id for one in found] == [row["id"] for row in rows]
    path = recording(LISTS[call])["request"]["path"]
    assert shop.requests[0].url.path == path.replace("/rest/V1", "/rest/all/V1")


def test_each_record_has_what_its_list_says(shop, magento):
    found = {call: read(shop, magento, call, recorded(call)) for call in LISTS}
    assert found["websites"][1] == Website(id=1, code="base", name="Main Website", default_group_id=1)
    assert found["store_groups"][2] == StoreGroup(
        id=2, code="outlet_group", name="Outlet Store", website_id=2, root_category_id=2, default_store_id=4
    )
    assert found["store_views"][2] == StoreView(
        id=2, code="de", name="German View", website_id=1, group_id=1, is_active=True
    )
    assert found["store_configs"][3] == StoreConfig(
        id=3,
        code="us",
        locale="en_US",
        base_currency="EUR",
        display_currency="USD",
        timezone="Europe/Berlin",
        weight_unit="lbs",
        base_url="https://magento.example.test/",
        secure_base_url="https://magento.example.test/",
        media_url="https://magento.example.test/media/",
    )


@pytest.mark.parametrize("call", LISTS)
@pytest.mark.parametrize("answer", [{"not": "a list"}, None, "text", [["row"]], [None]])
def test_what_is_no_list_of_objects_is_refused(shop, magento, call, answer):
    error_of(lambda: read(shop, magento, call, answer))


@pytest.mark.parametrize("value", [None, "x", 1.5, [1], {}, ""])
@pytest.mark.parametrize("call", LISTS)
def test_an_id_that_is_missing_or_no_number_is_named(shop, magento, call, value):
    rows = recorded(call)
    rows[1]["id"] = value
    assert " id is " in error_of(lambda: read(shop, magento, call, rows))


@pytest.mark.parametrize(
    ("call", "field", "value", "said"),
    [
        ("websites", "code", None, "website 1: code is missing"),
        ("websites", "code", "  ", "website 1: code is missing"),
        ("websites", "name", 7, "website base: name is not a text"),
        ("websites", "default_group_id", None, "website base: default_group_id is missing"),
        ("store_groups", "website_id", "one", "website_id is not a whole number"),
        ("store_groups", "root_category_id", None, "root_category_id is missing"),
        ("store_views", "store_group_id", None, "store_group_id is missing"),
        ("store_views", "is_active", "yes", "is_active is not a whole number"),
        ("store_configs", "timezone", 3, "timezone is not a text"),
    ],
)
def test_a_wrong_field_is_named_with_its_record(shop, magento, call, field, value, said):
    rows = recorded(call)
    rows[1][field] = value
    assert said in error_of(lambda: read(shop, magento, call, rows))


def test_numbers_as_texts_and_fields_that_are_left_out_of_a_configuration_are_taken(shop, magento):
    rows = [{**row, "id": str(row["id"]), "is_active": False} for row in recorded("store_views")]
    views = read(shop, magento, "store_views", rows)
    assert [(view.id, view.is_active) for view in views][:2] == [(1, False), (0, False)]
    (config,) = read(shop, magento, "store_configs", [{"id": 1, "timezone": None}])
    assert (config.timezone, config.base_currency) == ("", "")


def tree(shop, magento, **changes):
    lists = {call: read(shop, magento, call, changes.get(call) or recorded(call)) for call in LISTS}
    return store_tree(
        websites=lists["websites"],
        groups=lists["store_groups"],
        views=lists["store_views"],
        configs=lists["store_configs"],
    )


def test_the_recorded_lists_are_whole(shop, magento):
    found = tree(shop, magento)
    assert (len(found.websites), len(found.groups), len(found.views)) == (3, 3, 5)
    assert sorted(found.configs) == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("call", "change", "said"),
    [
        ("websites", lambda rows: rows[:2], "store group outlet_group (id 2) belongs to website 2, which"),
        ("websites", lambda rows: [*rows, rows[1]], "list of websites has the id 1 twice"),
        ("websites", lambda rows: rows[1:], "list of websites is not whole"),
        (
            "store_groups",
            lambda rows: rows[:2],
            "store view outlet_en (id 4) belongs to store group 2, which",
        ),
        ("store_groups", lambda rows: rows[1:], "list of store groups is not whole"),
        ("store_views", lambda rows: rows[:1], "list of store views is not whole"),
        (
            "store_views",
            lambda rows: [rows[1], {**rows[2], "website_id": 9}],
            "store view de (id 2) belongs to website 9, which",
        ),
        (
            "store_views",
            lambda rows: [rows[1], {**rows[2], "website_id": 2}],
            "store view de (id 2) is of website 2, but its store group is of website 1",
        ),
    ],
)
def test_lists_that_do_not_fit_together_are_refused_in_plain_words(shop, magento, call, change, said):
    assert said in error_of(lambda: tree(shop, magento, **{call: change(recorded(call))}))


def test_the_configuration_of_a_view_that_is_gone_is_left_out(shop, magento):
    found = tree(shop, magento, store_views=recorded("store_views")[:3])
    assert sorted(found.configs) == [1, 2]
