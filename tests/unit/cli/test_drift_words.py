"""What a line of drift says to people, and its columns in a table of figures."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from bridge.cli.drift_words import CAUSE_WORDS, causes_text, csv_columns, csv_row, signed
from bridge.ledger import DriftLine, RunId
from bridge.translate.drift import CAUSES


def a_line(*, sku: str = "A", **details: Any) -> DriftLine:
    return DriftLine(
        run_id=RunId(3),
        source="berlin",
        sku=sku,
        magento_id="1",
        severity="warning",
        target=Decimal("10.0000"),
        found=None,
        difference=Decimal("-10.0000"),
        details=details,
        checked_at=datetime(2026, 11, 1, tzinfo=UTC),
    )


def test_every_cause_has_words():
    assert set(CAUSE_WORDS) == set(CAUSES)


def test_causes_have_their_units_and_their_jobs():
    line = a_line(
        causes=[
            {"cause": "edited_in_magento", "units": "2.5"},
            {"cause": "job_failed", "units": "-12.5", "job": 7},
        ]
    )
    assert (
        causes_text(line) == "+2.5 edited in Magento since the last export; -12.5 its export failed (job 7)"
    )


def test_what_is_wrong_stands_for_the_cause():
    line = a_line(
        causes=[{"cause": "mapping_missing", "units": "3"}], problem="The Odoo product was deleted."
    )
    assert causes_text(line) == "+3 The Odoo product was deleted"


def test_a_row_that_is_not_there_and_need_not_be_says_so():
    line = replace(a_line(), severity="not_found", target=Decimal(0), difference=Decimal(0))
    assert causes_text(line) == "0 units missing: Magento has no row, and none should be in stock"


def test_what_is_deducted_besides_is_said_rules_3_6():
    line = a_line(
        causes=[{"cause": "stale_reservation", "units": "-1"}],
        notes={"safety_stock": "5", "threshold": "2", "shared_source": ["Web", "Outlet"]},
    )
    assert "beside it 5 safety stock and Magento's own threshold of 2" in causes_text(line)
    assert "shared by the stocks Web, Outlet" in causes_text(line)


def test_a_row_of_figures_has_a_column_for_each_cause_and_no_formula():
    row = dict(
        zip(
            csv_columns(),
            csv_row(a_line(sku="=1+1", causes=[{"cause": "newer_change", "units": "-10"}])),
            strict=True,
        )
    )
    shown = {name: value for name, value in row.items() if value}
    assert shown == {
        "run": "3",
        "source": "berlin",
        "sku": "'=1+1",
        "severity": "warning",
        "target": "10",
        "difference": "-10",
        "newer_change": "-10",
    }


def test_units_have_a_sign():
    assert [signed(Decimal(one)) for one in ("3.0", "-2", "0")] == ["+3", "-2", "0"]
