from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import ServiceRejected, ServiceUnavailable
from bridge.odoo import CREATE_ONLY, LoadRequest
from bridge.odoo.faults import CallSite
from bridge.odoo.load import read_load_answer

SITE = CallSite(model="sale.order", method="load", database="shop")
#: The columns of RULES' appendix, 16 and 18.
ORDER = [
    "id",
    "partner_id/.id",
    "pricelist_id/.id",
    "client_order_ref",
    "date_order",
    "order_line/id",
    "order_line/product_id/.id",
    "order_line/name",
    "order_line/product_uom_qty",
    "order_line/price_unit",
    "order_line/tax_id/.id",
    "order_line/discount",
]
PARTNER = [
    "id",
    "name",
    "email",
    "is_company",
    "vat",
    "country_id/.id",
    "child_ids/id",
    "child_ids/name",
    "child_ids/type",
    "child_ids/street",
]
TEMPLATE = [
    "id",
    "name",
    "list_price",
    "attribute_line_ids/id",
    "attribute_line_ids/attribute_id/.id",
    "attribute_line_ids/value_ids/.id",
]


def request(fields, rows=None, **more):
    rows = rows or [["bridge.k", *["x"] * (len(fields) - 1)]]
    return LoadRequest(model="sale.order", fields=tuple(fields), rows=tuple(map(tuple, rows)), **more)


@pytest.mark.parametrize("fields", [ORDER, PARTNER, TEMPLATE, ["id", "partner_id/id"]])
def test_the_forms_of_the_appendix_are_whole(fields):
    assert request(fields).context == CREATE_ONLY == {"mode": "update", "noupdate": True}


@pytest.mark.parametrize(
    ("fields", "rows", "said"),
    [
        (["name"], None, "external id"),
        (["id", "name"], [["", "x"]], "external id"),
        (["id", "order_line/name"], None, "order_line/id"),
        (["id", "order_line/product_id/.id"], None, "order_line/id"),
        (["id", "name"], [["bridge.k"]], "1 cells for 2 fields"),
    ],
)
def test_a_create_only_load_that_would_double_records_is_not_sent(fields, rows, said):
    with pytest.raises(ValueError, match=said):
        request(fields, rows)


def test_a_load_without_rows_is_a_mistake():
    with pytest.raises(ValueError, match="without rows"):
        LoadRequest(model="sale.order", fields=("id",), rows=())


def test_a_plain_load_has_no_context_and_needs_no_external_ids():
    assert request(["name"], [["x"]], create_only=False).context is None


def test_the_context_cannot_be_changed_by_mistake():
    with pytest.raises(TypeError):
        CREATE_ONLY["mode"] = "init"  # type: ignore[index]


@given(st.lists(st.tuples(st.text(min_size=1), st.text()), min_size=1))
def test_a_stored_request_is_the_request(rows):
    made = request(["id", "name"], rows)
    assert LoadRequest.decode(made.encode()) == made
    assert LoadRequest.decode(made.encode()).encode() == made.encode()


def test_warnings_come_with_the_ids():
    result = read_load_answer(
        {"ids": [5], "messages": [{"type": "warning", "message": "Odd.", "field": False, "record": 3}]}, SITE
    )
    assert result.ids == (5,)
    (warning,) = result.messages
    assert (warning.kind, warning.text, warning.field, warning.row) == ("warning", "Odd.", None, 3)


@pytest.mark.parametrize("answer", [None, {}, {"ids": False}, {"ids": False, "messages": []}, True])
def test_an_answer_without_ids_is_never_taken_for_done(answer):
    with pytest.raises(ServiceRejected):
        read_load_answer(answer, SITE)


def test_a_conflict_among_other_messages_is_a_conflict():
    answer = {
        "ids": False,
        "messages": [
            {"message": "Bad."},
            {"message": "could not serialize access due to concurrent update\n"},
        ],
    }
    with pytest.raises(ServiceUnavailable) as caught:
        read_load_answer(answer, SITE)
    assert caught.value.details["reason"] == "serialization"


def test_an_update_by_id_names_its_language_and_survives_being_stored():
    request = LoadRequest(
        model="product.product",
        fields=(".id", "name"),
        rows=(("7", "Tasse"),),
        create_only=False,
        lang="de_DE",
    )
    assert dict(request.context) == {"active_test": False, "lang": "de_DE"}
    assert LoadRequest.decode(request.encode()) == request


def test_an_update_without_an_id_would_make_a_record_and_is_refused():
    with pytest.raises(ValueError, match="needs the id of each record"):
        LoadRequest(model="product.product", fields=(".id", "name"), rows=(("", "Cup"),), create_only=False)
