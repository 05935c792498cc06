"""How the simulated Magento reads its requests: signatures, criteria, field lists, versions of an order."""

from __future__ import annotations

import pytest
from oauthlib.oauth1 import Client
from oauthlib.oauth1.rfc5849.signature import (
    normalize_parameters,
    sign_hmac_sha256_with_client,
    signature_base_string,
)

from bridge.sandbox.magento.app import describe
from bridge.sandbox.magento.fields import only_fields
from bridge.sandbox.magento.oauth import signature
from bridge.sandbox.magento.rest import RestError
from bridge.sandbox.magento.search import find, parse_criteria
from bridge.sandbox.magento.state import Orders

GROUP = "searchCriteria[filter_groups][{0}][filters][0][{1}]"


def sign(names):
    return signature(
        method="get",
        url="http://shop/rest/V1/orders",
        parameters=[(name, "1") for name in names],
        consumer_secret="one",
        token_secret="two",
    )


def test_parameters_are_signed_in_natural_order_which_begins_to_differ_at_the_eleventh_group():
    def by_the_standard(names):
        parameters = normalize_parameters([(name, "1") for name in names])
        base = signature_base_string("GET", "http://shop/rest/V1/orders", parameters)
        return sign_hmac_sha256_with_client(base, Client("", "one", "", "two"))

    ten = [f"g[{number}]" for number in range(10)]
    eleven = [f"g[{number}]" for number in range(11)]
    assert sign(ten) == by_the_standard(ten)
    assert sign(eleven) != by_the_standard(eleven)


def rows():
    return [
        {"entity_id": number, "updated_at": f"2026-11-23 15:47:0{number}", "email": email}
        for number, email in ((1, "Anna@example.com"), (2, None), (3, "bob@example.com"))
    ]


COLUMNS = {name: (lambda row, name=name: row.get(name)) for name in ("entity_id", "updated_at", "email")}


def ids(*filters, **more):
    query = [("searchCriteria", "")]
    for number, (field, value, condition) in enumerate(filters):
        query += [
            (GROUP.format(number, "field"), field),
            (GROUP.format(number, "value"), value),
            (GROUP.format(number, "condition_type"), condition),
        ]
    query += [(f"searchCriteria[{name}]", str(value)) for name, value in more.items()]
    page, total = find(rows(), parse_criteria(query), COLUMNS, dates=("updated_at",))
    return [row["entity_id"] for row in page], total


@pytest.mark.parametrize(
    ("criterion", "expected"),
    [
        (("entity_id", "2", "gteq"), [2, 3]),
        (("entity_id", "2", "no such condition"), [2]),
        (("entity_id", "1,3", "in"), [1, 3]),
        (("entity_id", "1,3", "nin"), [2]),
        (("email", "ANNA@example.com", "eq"), [1]),
        (("email", "%@EXAMPLE.com", "like"), [1, 3]),
        # Nothing compares with NULL in a database, not even "unlike".
        (("email", "anna@example.com", "neq"), [3]),
        (("email", "", "null"), [2]),
        (("email", "", "notnull"), [1, 3]),
        (("updated_at", "2026-11-23T15:47:02Z", "gteq"), [2, 3]),
        # The offset is ignored: 15:47:02 in Berlin would be 14:47:02 in UTC.
        (("updated_at", "2026-11-23T15:47:02+01:00", "gteq"), [2, 3]),
        (("updated_at", "yesterday-ish", "gteq"), [1, 2, 3]),
        (("updated_at", "yesterday-ish", "lt"), []),
        (("updated_at", "2026-11-23", "gteq"), [1, 2, 3]),
    ],
)
def test_conditions_choose_as_the_database_would(criterion, expected):
    assert ids(criterion) == (expected, len(expected))


@pytest.mark.parametrize(
    ("paging", "expected"),
    [
        ({"pageSize": 2}, [1, 2]),
        ({"pageSize": 2, "currentPage": 2}, [3]),
        ({"pageSize": 2, "currentPage": 9}, []),
        ({"pageSize": 0}, [1, 2, 3]),
        ({"pageSize": -1}, [1]),
        ({"pageSize": 2, "currentPage": 0}, [1, 2]),
    ],
)
def test_pages_are_cut_as_recorded_and_the_count_is_of_all(paging, expected):
    assert ids(**paging) == (expected, 3)


def test_groups_are_and_and_the_criteria_must_be_there():
    assert ids(("entity_id", "1", "gt"), ("email", "", "notnull")) == ([3], 1)
    with pytest.raises(RestError) as refused:
        parse_criteria([("fields", "items")])
    assert refused.value.body["parameters"] == {"fieldName": "searchCriteria"}


def test_field_lists_nest_and_keep_the_two_oddities():
    order = {"id": 1, "items": [{"sku": "A", "qty": 2}], "notes": []}
    assert only_fields(order, "id,items[sku]") == {"id": 1, "items": [{"sku": "A"}]}
    assert only_fields(order, "items[nope]") == {"items": [[]]}
    assert only_fields(order, "notes[text]") == {"notes": None}
    assert only_fields(order, "nope") == []


@pytest.mark.parametrize(
    ("path", "operation"),
    [
        ("/rest/all/V1/orders/42", "/V1/orders/{id}"),
        ("/rest/V1/orders/items/42", "/V1/orders/items/{id}"),
        ("/rest/V1/products/SKU%20WITH%2FSLASH", "/V1/products/{id}"),
        ("/rest/V1/no/such/route", "/rest/V1/no/such/route"),
        ("/rest", "/rest"),
    ],
)
def test_requests_are_counted_by_operation(path, operation):
    assert describe("GET", path, b"") == operation


def order(**values):
    return {"entity_id": 1, "increment_id": "000000001", "updated_at": "2026-11-23 15:47:09", **values}


def test_a_change_moves_updated_at_and_a_stale_read_gets_the_older_version_for_a_while():
    orders = Orders()
    orders.add(order())
    changed = orders.change(1, {"ext_order_id": "S00042"})
    assert changed["updated_at"] > "2026-11-23 15:47:09"
    again = orders.change(1, {"ext_order_id": "S00043"})
    assert again["updated_at"] > changed["updated_at"]
    assert orders.get(1, is_stale=True)["ext_order_id"] == "S00042"
    assert orders.get(1)["ext_order_id"] == "S00043"
    orders.stale_seconds = 0
    assert orders.get(1, is_stale=True)["ext_order_id"] == "S00043"
    assert orders.change(2, {}) is None


def test_an_order_can_be_deleted():
    orders = Orders()
    orders.add(order())
    orders.remove(1)
    orders.remove(1)
    assert orders.get(1) is None
    assert orders.by_increment("000000001") is None
    assert len(orders) == 0
