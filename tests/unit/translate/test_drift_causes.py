"""Where a difference comes from: each cause with its units, which always make up the whole (RULES 3.6)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.translate.drift import History, Limits, parts, severity
from bridge.translate.stock import SoldLine, StockFigure, StockRules, figure

UNITS = st.decimals(min_value=-50, max_value=500, places=4, allow_nan=False, allow_infinity=False)
SOME = st.decimals(min_value=0, max_value=50, places=4, allow_nan=False, allow_infinity=False)


def a_figure(odoo: object, *, safety: object = 0, lines: tuple[SoldLine, ...] = ()) -> StockFigure:
    return figure(Decimal(str(odoo)), lines, StockRules(safety=Decimal(str(safety))))


def a_line(open_units: int, *, shipped: int = 0, lacking: int = 0) -> SoldLine:
    return SoldLine(order="1", open=Decimal(open_units), shipped=Decimal(shipped), lacking=Decimal(lacking))


def split(found: object, target: StockFigure, **history: Any) -> dict[str, int]:
    given_history = History(
        **{name: Decimal(value) if type(value) is int else value for name, value in history.items()}
    )
    has = None if found is None else Decimal(str(found))
    return {part.cause: int(part.units) for part in parts(has, target, given_history)}


@pytest.mark.parametrize(
    ("found", "history", "expected"),
    [
        # Exported at 10, and nothing but this happened since.
        (15, {"left_at": 10}, {"edited_in_magento": 5}),
        (None, {"left_at": 10}, {"edited_in_magento": -10}),
        # Odoo fell to 10 from what was exported.
        (14, {"left_at": 14}, {"newer_change": 4}),
        (14, {"left_at": 14, "job": "waiting"}, {"job_waiting": 4}),
        (14, {"left_at": 14, "job": "failed"}, {"job_failed": 4}),
        # Both ways at once, and together nothing more than the difference.
        (20, {"left_at": 14}, {"edited_in_magento": 6, "newer_change": 4}),
        (12, {"left_at": 8, "job": "waiting"}, {"edited_in_magento": 4, "job_waiting": -2}),
        # Magento shipped 3: it fell, and so did the target.
        (12, {"left_at": 15, "shipped": 3}, {"newer_change": 2}),
        (15, {"left_at": 13, "shipped": 3}, {"edited_in_magento": 5}),
        (9, {"left_at": 13, "shipped": 3}, {"edited_in_magento": -1}),
        # Three were shipped, of which one before the last export: two explain all.
        (10, {"left_at": 12, "shipped": 3}, {}),
        # An order that was shipped, and nobody told: Magento fell, the ledger still takes the units to be reserved.
        (7, {"left_at": 10, "stale": 3}, {"stale_reservation": -3}),
        (5, {"left_at": 10, "stale": 3}, {"stale_reservation": -3, "edited_in_magento": -2}),
        (12, {"left_at": 10, "stale": 3}, {"edited_in_magento": 2}),
        (7, {"left_at": 10, "stale": -3}, {"edited_in_magento": -3}),
    ],
)
def test_each_way_that_units_go_has_its_name(
    found: int | None, history: dict[str, Any], expected: dict[str, int]
):
    assert split(found, a_figure(10), **history) == expected


@pytest.mark.parametrize(
    ("found", "history", "expected"),
    [
        # 12 in Odoo, safety stock 5: the target is 7.
        (12, {}, {"safety_stock": 5}),
        (14, {}, {"safety_stock": 5, "never_exported": 2}),
        (9, {}, {"safety_stock": 2}),
        (4, {}, {"never_exported": -3}),
        (12, {"job": "waiting"}, {"job_waiting": 5}),
        (12, {"left_at": 12, "has_new_safety": True}, {"safety_stock": 5}),
        (13, {"left_at": 13, "has_new_safety": True}, {"safety_stock": 5, "newer_change": 1}),
        (12, {"left_at": 12}, {"newer_change": 5}),
        (3, {"left_at": 3, "has_new_safety": True}, {"newer_change": -4}),
    ],
)
def test_a_safety_stock_that_was_left_out(found: int, history: dict[str, Any], expected: dict[str, int]):
    assert split(found, a_figure(12, safety=5), **history) == expected


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        # Odoo's free figure of 7 lacks the 3 that Magento holds back itself: the target is 10.
        (7, {"open_reservation": -3}),
        (8, {"open_reservation": -2}),
        (5, {"open_reservation": -3, "never_exported": -2}),
        (12, {"never_exported": 2}),
    ],
)
def test_open_orders_that_were_left_out(found: int, expected: dict[str, int]):
    assert split(found, a_figure(7, lines=(a_line(3, lacking=3),))) == expected


def test_the_largest_cause_comes_first():
    made = parts(Decimal(13), a_figure(10), History(left_at=Decimal(9), job="waiting"))
    assert [part.cause for part in made] == ["edited_in_magento", "job_waiting"]


@given(
    found=st.none() | UNITS,
    odoo=UNITS,
    safety=SOME,
    lines=st.lists(st.tuples(st.integers(-3, 9), st.integers(0, 9), st.integers(0, 9)), max_size=3),
    left_at=st.none() | UNITS,
    job=st.sampled_from([None, "waiting", "failed"]),
    shipped=SOME,
    has_new_safety=st.booleans(),
    stale=st.none() | UNITS,
)
def test_units_always_make_up_the_whole_difference(
    found: Decimal | None,
    odoo: Decimal,
    safety: Decimal,
    lines: list[tuple[int, int, int]],
    **history: Any,
):
    sold = tuple(
        a_line(open_units, shipped=shipped, lacking=lacking) for open_units, shipped, lacking in lines
    )
    target = a_figure(odoo, safety=safety, lines=sold)
    made = parts(found, target, History(**history))
    assert sum((part.units for part in made), Decimal(0)) == (found or Decimal(0)) - target.quantity
    assert all(part.units for part in made)
    assert len({part.cause for part in made}) == len(made)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ("10", "ok"),
        ("10.0001", "ok"),
        ("9.9999", "ok"),
        ("10.0002", "warning"),
        ("20", "warning"),
        ("20.0001", "critical"),
        ("-0.0001", "critical"),
        (None, "not_found"),
    ],
)
def test_a_warning_is_over_a_ten_thousandth_and_critical_over_ten(found: str | None, expected: str):
    has = None if found is None else Decimal(found)
    assert severity(has, Decimal(10), Limits()) == expected
