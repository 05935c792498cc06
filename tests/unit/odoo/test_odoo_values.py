from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import InvalidRecord
from bridge.odoo.values import decode, encode, odoo_datetime, parse_datetime


def test_numbers_moments_and_dates_take_odoos_form():
    moment = datetime(2026, 11, 1, 12, 20, 30, 999, tzinfo=timezone(timedelta(hours=2)))
    values = {
        "price": Decimal("8.26446281"),
        "quantity": Decimal("2.000"),
        "at": moment,
        "on": date(2026, 11, 1),
    }
    assert encode(MappingProxyType(values)) == (
        b'{"price": 8.26446281, "quantity": 2, "at": "2026-11-01 10:20:30", "on": "2026-11-01"}'
    )


@given(st.decimals(min_value=-(10**9), max_value=10**9, places=6))
def test_money_keeps_its_digits_on_the_way_out_and_in(amount: Decimal):
    assert decode(encode([amount])) == [amount]


@pytest.mark.parametrize("value", [datetime(2026, 1, 1), object(), {1, 2}, b"bytes"])  # noqa: DTZ001
def test_what_has_no_form_in_odoo_is_a_type_error(value):
    with pytest.raises(TypeError):
        encode({"value": value})


@pytest.mark.parametrize("value", [Decimal("NaN"), Decimal("Infinity"), float("nan")])
def test_what_is_no_number_is_refused(value):
    with pytest.raises(ValueError):
        encode({"value": value})


@given(st.text())
def test_a_text_arrives_as_it_is_or_not_at_all(text: str):
    if "\x00" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
        with pytest.raises(InvalidRecord):
            encode({"name": text})
    else:
        assert decode(encode({"name": text})) == {"name": text}


@pytest.mark.parametrize(
    ("payload", "place"),
    [
        ({"vals": {"name": "a\x00"}}, "vals.name"),
        ({"data": [["x", "\x00"]]}, "data[0][1]"),
        ({"vals": {"na\x00me": "x"}}, "the name of vals.na?me"),
    ],
)
def test_the_place_of_a_nul_byte_is_named(payload, place):
    with pytest.raises(InvalidRecord) as caught:
        encode(payload)
    assert caught.value.details["place"] == place
    assert "\x00" not in str(caught.value)


def test_odoos_moments_are_utc():
    assert parse_datetime("2026-11-01 10:20:30") == datetime(2026, 11, 1, 10, 20, 30, tzinfo=UTC)
    assert parse_datetime("2026-11-01 10:20:30.123456") == datetime(2026, 11, 1, 10, 20, 30, tzinfo=UTC)
    assert parse_datetime(False) is None
    assert parse_datetime(None) is None
    assert odoo_datetime(datetime(2026, 1, 1, tzinfo=UTC)) == "2026-01-01 00:00:00"
    with pytest.raises(ValueError):
        parse_datetime("2026-11-01T10:20:30Z")
