from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import InvalidRecord, ServiceRejected
from bridge.magento.encoding import json_bytes
from bridge.magento.search import Filter, magento_time, parse_magento_time, query_string, search_query


def test_groups_are_and_and_a_list_among_them_is_or():
    query = dict(
        parse_qsl(search_query([Filter("a", 1), [Filter("b", 2), Filter("c", 3, "gt")]], page_size=7))
    )
    name = "searchCriteria[filterGroups][{}][filters][{}][{}]"
    assert query[name.format(0, 0, "field")] == "a"
    assert query[name.format(0, 0, "conditionType")] == "eq"
    assert query[name.format(1, 1, "value")] == "3"
    assert query[name.format(1, 1, "conditionType")] == "gt"
    assert query["searchCriteria[pageSize]"] == "7"


def test_sorting_always_names_its_direction():
    query = dict(parse_qsl(search_query(page_size=1, sort=("updated_at", "entity_id"))))
    assert query["searchCriteria[sortOrders][1][field]"] == "entity_id"
    assert query["searchCriteria[sortOrders][0][direction]"] == "ASC"
    assert query["searchCriteria[sortOrders][1][direction]"] == "ASC"


@pytest.mark.parametrize(
    ("filters", "page_size", "reason"),
    [
        ([Filter("a", 1, "equals")], 1, "condition"),
        ([], 0, "page_size"),
        ([], -1, "page_size"),
        ([Filter("a", "x" * 8000, "in")], 1, "query_too_long"),
    ],
)
def test_what_magento_would_misread_is_refused(filters, page_size, reason):
    with pytest.raises(ServiceRejected) as caught:
        search_query(filters, page_size=page_size)
    assert caught.value.details["reason"] == reason


@given(st.lists(st.tuples(st.text(min_size=1, max_size=9), st.text(max_size=20)), max_size=5))
def test_a_query_says_what_was_meant_and_has_no_plus(pairs):
    pairs = [(n, v) for n, v in pairs if (n + v).isprintable()]
    query = query_string(pairs)
    assert "+" not in query
    assert parse_qsl(query, keep_blank_values=True) == pairs


def test_times_go_out_in_utc_since_magento_ignores_offsets():
    berlin = timezone(timedelta(hours=1))
    assert magento_time(datetime(2026, 11, 23, 16, 30, 0, 999, tzinfo=berlin)) == "2026-11-23 15:30:00"
    with pytest.raises(ValueError, match="time zone"):
        magento_time(datetime(2026, 11, 23))  # noqa: DTZ001  # the fault


def test_times_come_in_as_utc():
    assert parse_magento_time("2026-11-23 15:30:00") == datetime(2026, 11, 23, 15, 30, tzinfo=UTC)
    for wrong in (None, "", "0000-00-00 00:00:00", "yesterday-ish", 5):
        with pytest.raises(InvalidRecord) as caught:
            parse_magento_time(wrong)
        assert caught.value.details["field"] == "updated_at"


def test_decimals_go_out_as_the_numbers_they_are():
    assert (
        json_bytes({"a": Decimal("19.99"), "b": Decimal("0.1"), "c": "\u00fc"})
        == b'{"a":19.99,"b":0.1,"c":"\xc3\xbc"}'
    )


def test_a_decimal_that_a_number_cannot_hold_is_refused():
    with pytest.raises(ServiceRejected):
        json_bytes({"a": Decimal("0.12345678901234567890")})
    with pytest.raises(TypeError):
        json_bytes({"a": object()})
