"""Tables of the shop's configuration are read to their end, whatever the shop makes of pages."""

from __future__ import annotations

import json

import pytest

from bridge.errors import AccessMissing, InvalidRecord
from bridge.magento import read_list

from .conftest import query_of


def ask(magento, **more):
    return read_list(magento, "/inventory/sources", key="source_code", fields=("name",), **more)


def rows(*codes):
    return [{"source_code": code, "name": code.upper()} for code in codes]


def sends(shop, items, **more):
    shop.sends(200, json.dumps({"items": items, **more}).encode())


def test_a_recorded_table_is_read_in_one_page(shop, magento):
    shop.answers("stores/020-customergroups")
    page = read_list(magento, "/customerGroups/search", key="id", fields=("code",))
    assert ([row["code"] for row in page.rows], page.after) == (
        ["NOT LOGGED IN", "General", "Wholesale", "Retailer"],
        None,
    )
    asked = query_of(shop.requests[0])
    assert asked["fields"] == "items[id,code],total_count"
    assert asked["searchCriteria[sortOrders][0][field]"] == "id"
    assert asked["searchCriteria[sortOrders][0][direction]"] == "ASC"
    assert asked["searchCriteria[currentPage]"] == "1"
    assert "searchCriteria[filterGroups][0][filters][0][field]" not in asked


@pytest.mark.parametrize(
    ("items", "more", "after"),
    [
        (rows("a"), {"total_count": 1}, None),
        (rows("a"), {}, None),
        # Full by its length, whatever is counted.
        (rows("a", "b", "c"), {"total_count": 3}, "c"),
        (rows("a", "b", "c"), {}, "c"),
        # Capped without a word: Magento counts more than it gave.
        (rows("a", "b"), {"total_count": 7}, "b"),
        # With fields an empty list comes as null, and the count may be anything.
        (None, {"total_count": 7}, None),
        ([], {"total_count": 0}, None),
    ],
)
def test_a_page_is_the_last_where_it_is_short_and_all_is_counted(shop, magento, items, more, after):
    sends(shop, items, **more)
    page = ask(magento, page_size=3)
    assert (list(page.rows), page.after) == (items or [], after)


def test_the_next_page_begins_behind_the_last_value(shop, magento):
    sends(shop, rows("c"), total_count=1)
    ask(magento, after="b & c")
    asked = query_of(shop.requests[0])
    assert asked["searchCriteria[filterGroups][0][filters][0][value]"] == "b & c"
    assert asked["searchCriteria[filterGroups][0][filters][0][conditionType]"] == "gt"


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"null",
        b'"x"',
        b'{"items": {"a": 1}}',
        b'{"items": ["x"]}',
        b'{"items": [null]}',
        # Full pages that do not say where to go on, or go on nowhere.
        json.dumps({"items": [{"name": "x"}] * 3}).encode(),
        json.dumps({"items": [{"source_code": ["x"]}] * 3}).encode(),
        json.dumps({"items": rows("z", "z", "a")}).encode(),
    ],
)
def test_what_is_no_such_list_is_refused(shop, magento, body):
    shop.sends(200, body)
    with pytest.raises(InvalidRecord):
        ask(magento, after="a", page_size=3)


def test_a_missing_resource_is_named(shop, magento):
    shop.answers(
        "auth/016-oauth1-limited-inventory-refused", "stores/011-storeviews", "orders/053-list-page2",
        "catalog/021-products-page1-full", "auth/016-oauth1-limited-inventory-refused",
    )  # fmt: skip
    with pytest.raises(AccessMissing) as caught:
        ask(magento)
    assert caught.value.details["resources"] == ["Magento_InventoryApi::source"]
