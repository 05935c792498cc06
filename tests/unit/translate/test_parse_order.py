"""Reading a raw order: tolerant of what shops send, and clear about what cannot be read."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import BridgeError, InvalidRecord, OrderUnclear
from bridge.translate.magento_order import parse_order
from tests.unit.translate.books import RECORDED, load, order, raw_item, raw_order, recorded


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_every_recorded_order_is_read(path):
    raw = load(path)["response"]["json"]
    parsed = parse_order(raw)
    assert parsed.entity_id == raw["entity_id"]
    assert parsed.increment_id == raw["increment_id"]
    assert len(parsed.items) == len(raw["items"])
    assert parsed.grand_total == raw["grand_total"]


def test_absent_fields_are_zero_or_empty_facts_7():
    parsed = parse_order(recorded(1))
    assert parsed.coupon_code == ""
    assert parsed.customer.id is None
    assert parsed.customer.is_guest
    assert parsed.items[0].parent_item_id is None


def test_a_virtual_order_has_an_assignment_without_address_and_method_facts_7():
    parsed = parse_order(recorded(6))
    assert parsed.delivery is None
    assert parsed.shipping.method == ""
    assert parsed.destination is parsed.billing


def test_the_shipping_address_stands_only_in_the_assignment_facts_7():
    parsed = parse_order(recorded(23))
    assert parsed.delivery is not None
    assert parsed.delivery.country == "FR"
    assert parsed.billing.country != "FR"
    assert parsed.shipping.method == "flatrate_flatrate"


def test_times_are_utc_facts_3():
    assert order().created_at == datetime(2026, 11, 23, 15, 47, 44, tzinfo=UTC)


def test_the_applied_taxes_base_amount_is_not_taken_for_a_base_rules_1_3():
    usd = parse_order(recorded(18))
    assert usd.taxes[0].amount == Decimal("24.22")
    assert usd.currency == "USD"
    assert usd.base_currency == "EUR"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("grand_total", "11.90"),
        ("subtotal", "10.0000"),
        ("entity_id", "7"),
        ("store_id", "1"),
        ("customer_is_guest", True),
    ],
)
def test_numbers_and_flags_come_in_several_spellings(field, value):
    assert parse_order(raw_order(**{field: value})) == order()


def test_a_float_is_read_by_its_shortest_text_and_never_kept():
    parsed = parse_order(raw_order(grand_total=11.9))
    assert parsed.grand_total == Decimal("11.9")
    assert isinstance(parsed.grand_total, Decimal)


@pytest.mark.parametrize(
    "field",
    ["entity_id", "increment_id", "grand_total", "order_currency_code", "created_at"],
)
@pytest.mark.parametrize("how", ["missing", "null"])
def test_what_an_order_cannot_be_without_is_named(field, how):
    raw = raw_order()
    if how == "missing":
        del raw[field]
    else:
        raw[field] = None
    with pytest.raises(InvalidRecord) as caught:
        parse_order(raw)
    assert caught.value.details["field"] == field
    assert field in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"grand_total": "12,90"}, "grand_total"),
        ({"grand_total": "NaN"}, "grand_total"),
        ({"grand_total": "Infinity"}, "grand_total"),
        ({"grand_total": [1]}, "grand_total"),
        ({"subtotal": "1e15"}, "subtotal"),
        ({"created_at": "yesterday"}, "created_at"),
        ({"created_at": "0001-01-01 00:00:00"}, "created_at"),
        ({"created_at": "9999-12-31 23:59:59"}, "created_at"),
        ({"payment": {"method": "m" * 256}}, "payment.method"),
        ({"entity_id": "7.5"}, "entity_id"),
        ({"items": "none"}, "items"),
        ({"items": [[1]]}, "items[0]"),
    ],
)
def test_a_value_of_a_wrong_kind_is_named_by_its_path(changes, field):
    with pytest.raises(InvalidRecord) as caught:
        parse_order(raw_order() | changes)
    assert caught.value.details["field"] == field


def test_a_wrong_value_in_a_line_is_named_with_the_lines_place():
    with pytest.raises(InvalidRecord, match=r"items\[1\]\.qty_ordered"):
        order(raw_item(1), raw_item(2, qty_ordered="two"))


def test_a_code_that_no_mapping_could_keep_is_named():
    tax = {"code": "T" * 256, "percent": 19, "amount": Decimal("1.90")}
    with pytest.raises(InvalidRecord, match=r"applied_taxes\[0\]\.code is too long"):
        order(extension_attributes={"applied_taxes": [tax]})
    assert order(extension_attributes={"applied_taxes": [tax | {"code": "T" * 255}]}).taxes


def test_null_lines_are_left_out_and_no_line_at_all_is_unclear():
    assert len(parse_order(raw_order() | {"items": [None, raw_item(), None]}).items) == 1
    for nothing in (None, [], [None]):
        with pytest.raises(OrderUnclear, match="no lines"):
            parse_order(raw_order() | {"items": nothing})


def test_lists_that_php_sends_as_objects_are_read():
    assert len(parse_order(raw_order() | {"items": {"0": raw_item(1), "2": raw_item(2)}}).items) == 2


def test_a_negative_grand_total_is_unclear():
    with pytest.raises(OrderUnclear, match="negative grand total"):
        order(grand_total=-1)


def test_a_line_of_a_parent_that_is_not_there_is_unclear():
    with pytest.raises(OrderUnclear, match="line 99"):
        order(raw_item(1, parent_item_id=99))


def test_two_lines_with_one_id_are_unclear():
    with pytest.raises(OrderUnclear, match="one item_id"):
        order(raw_item(1), raw_item(1))


def test_nul_bytes_and_control_characters_are_taken_out_odoo_facts_2():
    # Odoo refuses NUL bytes (errors/nul-byte).
    parsed = order(raw_item(name="Te\x00st\x07 \ud800x"))
    assert parsed.items[0].name == "Test x"


def test_emoji_and_right_to_left_names_are_kept():
    parsed = order(raw_item(name="\U0001f455 \u05d7\u05d5\u05dc\u05e6\u05d4 \u0642\u0645\u064a\u0635"))
    assert parsed.items[0].name == "\U0001f455 \u05d7\u05d5\u05dc\u05e6\u05d4 \u0642\u0645\u064a\u0635"


@pytest.mark.parametrize("raw", [None, [], "order", 7])
def test_what_is_no_order_is_refused(raw):
    with pytest.raises(InvalidRecord):
        parse_order(raw)


def test_street_may_be_a_list_or_one_text():
    address = raw_order()["billing_address"]
    parsed = parse_order(raw_order(billing_address=address | {"street": "Hauptstrasse 1"}))
    assert parsed.billing.street == ("Hauptstrasse 1",)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**15), 10**15)
    | st.decimals(allow_nan=True)
    | st.text(max_size=8),
    lambda children: (
        st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=8), children, max_size=3)
    ),
    max_leaves=6,
)


@given(st.sampled_from(sorted(raw_order())), json_values)
def test_whatever_stands_in_a_field_the_order_is_read_or_plainly_refused(field, value):
    try:
        parse_order(raw_order() | {field: value})
    except BridgeError as error:
        assert error.message


@given(st.sampled_from(sorted(raw_item())), json_values)
def test_whatever_stands_in_a_lines_field_the_order_is_read_or_plainly_refused(field, value):
    try:
        order(raw_item() | {field: value})
    except BridgeError as error:
        assert error.message


@given(st.decimals(min_value=0, max_value=10**9, places=4))
def test_an_amount_survives_json_and_parsing(amount):
    sent = (
        json.loads(json.dumps({"a": float(amount)}), parse_float=Decimal)["a"] if amount < 10**6 else amount
    )
    assert order(subtotal=str(amount)).subtotal == amount
    assert order(subtotal=amount).subtotal == amount
    assert order(subtotal=sent).subtotal == amount


def test_required_texts_may_not_be_blank():
    with pytest.raises(InvalidRecord, match="increment_id"):
        order(increment_id="  ")


def test_more_decimals_than_any_column_has_are_cut():
    assert order(base_to_order_rate=Decimal("1.08370000000000000001")).base_to_order_rate == Decimal("1.0837")
