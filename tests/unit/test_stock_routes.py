"""Sources and warehouses, n to m: who is filled from where, and how a warehouse is shared."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.stock_routes import Routes, parse_routes


def routes(text: str, home: str = "berlin") -> Routes:
    return Routes(by_source=parse_routes(text), home=home)


def portions(text: str, quantity: str) -> list[str]:
    found = routes(text)
    return [str(found.portion(source, 3, Decimal(quantity))) for source in found.sources]


def test_several_warehouses_fill_one_source():
    found = routes("berlin=1+2; munich=3")
    assert found.sources == ("berlin", "munich")
    assert (found.warehouses("berlin"), found.warehouses("munich"), found.shared) == (
        (1, 2),
        (3,),
        frozenset(),
    )


@pytest.mark.parametrize(
    ("text", "quantity", "expected"),
    [
        ("a=3*60%; b=3*rest", "10", ["6", "4"]),
        ("a=3*60%; b=3*rest", "7", ["4", "3"]),
        ("a=3*60%; b=3*40%", "7", ["4", "2"]),
        ("a=3*60%; b=3*rest", "7.5", ["4.5000", "3.0000"]),
        ("a=3*10; b=3*rest", "7", ["7", "0"]),
        ("a=3*10; b=3*rest", "25", ["10", "15"]),
        ("a=3*50%; b=3*4; c=3*rest", "20", ["10", "4", "6"]),
        ("a=3; b=1", "20", ["20", "0"]),
        ("a=3*60%; b=3*rest", "-2", ["-2", "-2"]),
    ],
)
def test_how_sources_share_a_warehouse(text, quantity, expected):
    assert [Decimal(one) for one in portions(text, quantity)] == [Decimal(one) for one in expected]


@given(
    quantity=st.decimals(min_value=0, max_value=10_000, places=3),
    percent=st.integers(0, 100),
    first=st.integers(0, 500),
)
def test_together_they_get_no_more_than_there_is(quantity, percent, first):
    found = routes(f"a=3*{percent}%; b=3*{first}; c=3*rest")
    parts = [found.portion(source, 3, quantity) for source in found.sources]
    assert all(part >= 0 for part in parts)
    assert sum(parts) == quantity


def test_a_line_counts_in_one_source_only_rules_3_4():
    found = routes("berlin=1+2; munich=3*60%; outlet=3*rest")
    assert found.counts_in(2) == "berlin"
    # Shared: in the first of the sources, whichever Magento shipped from.
    assert found.counts_in(3, shipped_from="outlet") == "munich"
    assert found.counts_in(None, shipped_from="outlet") == "outlet"
    assert (
        found.counts_in(None) == found.counts_in(99) == found.counts_in(None, shipped_from="gone") == "berlin"
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("berlin", "SOURCE=WAREHOUSE"),
        ("=1", "SOURCE=WAREHOUSE"),
        ("berlin=", "SOURCE=WAREHOUSE"),
        ("berlin=1; berlin=2", "once"),
        ("berlin=WH", "warehouse's id"),
        ("berlin=0", "warehouse's id"),
        ("berlin=1*-5", "warehouse's id"),
        ("a=3; b=3", "say how"),
        ("a=3*rest; b=3*60%", "rest last"),
        ("a=3*60%; b=3*50%", "more than 100%"),
    ],
)
def test_routes_that_cannot_be(text, words):
    with pytest.raises(ValueError, match=words.replace("*", r"\*")):
        parse_routes(text)


def test_no_routes_are_none():
    assert parse_routes(" ; ") == {}
