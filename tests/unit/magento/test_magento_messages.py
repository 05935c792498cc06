from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.magento.faults import clean_message, fill, parse_json


@pytest.mark.parametrize(
    ("message", "parameters", "filled"),
    [
        (
            "No such entity with %fieldName = %fieldValue",
            {"fieldName": "id", "fieldValue": 999},
            "No such entity with id = 999",
        ),
        ("%field and %fieldName", {"field": "a", "fieldName": "b"}, "a and b"),
        (
            "Signature method %1 is not supported",
            ["HMAC-SHA1"],
            "Signature method HMAC-SHA1 is not supported",
        ),
        ("%1 %2 %10", list("abcdefghij"), "a b j"),
        ("Invalid attribute %fieldName = %fieldValue.", ["SKU", "NOPE"], "Invalid attribute SKU = NOPE."),
        ("access %resources.", {"resources": ["A::b", "C::d"]}, "access A::b, C::d."),
        ("%a", {"a": "%b", "b": "never"}, "%b"),
        ("100 % of %unknown", {"a": 1}, "100 % of %unknown"),
        ("%1 of %2", ["one"], "one of %2"),
        ("%a", None, "%a"),
        ("%a", {"a": None}, ""),
    ],
)
def test_raw_placeholders_are_filled_in(message, parameters, filled):
    assert fill(message, parameters) == filled


def test_inner_errors_are_told_once_and_html_is_left_out():
    value = {
        "message": 'Validation Failed: "status" should be numeric.',
        "errors": [{"message": '"%field" should be numeric.', "parameters": {"field": "status"}}],
    }
    assert clean_message(value) == 'Validation Failed: "status" should be numeric.'
    value = {
        "message": "Validation\n Failed",
        "errors": [{"message": "<b>%1</b> bad", "parameters": ["A"]}, "odd"],
    }
    assert clean_message(value) == "Validation Failed A bad"
    assert clean_message({}) == ""


@given(
    st.text(), st.one_of(st.dictionaries(st.text(), st.text()), st.lists(st.text()), st.integers(), st.none())
)
def test_filling_in_never_fails(message, parameters):
    assert isinstance(fill(message, parameters), str)


@given(st.binary(max_size=50))
def test_reading_json_fails_in_one_way_only(body):
    with contextlib.suppress(ValueError):
        parse_json(body)
