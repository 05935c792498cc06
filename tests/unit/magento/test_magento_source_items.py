"""What of a quantity can be sent to Magento, and what its refusals mean."""

from __future__ import annotations

from decimal import Decimal

import pytest

from bridge.errors import InvalidRecord, ServiceRejected
from bridge.magento import inventory
from bridge.magento.inventory import SourceItem


def item(quantity="1", sku="A-1", source="berlin"):
    return SourceItem(sku=sku, source_code=source, quantity=Decimal(quantity))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (item("-0.0001"), "below zero"),
        (item("NaN"), "no number"),
        (item("Infinity"), "no number"),
        (item("1e12"), "larger than Magento can keep"),
        (item("0.00001"), "more than 4 digits"),
        (item(sku=" "), "SKU is empty"),
        (item(sku="x" * 65), "longer than 64"),
        (item(source=""), "no source is named"),
    ],
)
def test_a_row_that_magento_would_take_or_spoil_is_named(wrong, words):
    assert words in inventory.problem_of(wrong)


@pytest.mark.parametrize("quantity", ["0", "0.0001", "99999999.9999", "7.50", "1E+2"])
def test_a_quantity_that_magento_can_keep_is_no_problem(quantity):
    assert inventory.problem_of(item(quantity)) is None


def test_a_kept_body_gives_the_same_items_again_to_the_digit():
    items = [item("0.1"), item("12345678.1234", sku='"\u00fc, /&'), item("100")]
    assert inventory.decode_source_items(inventory.encode_source_items(items)) == items


@pytest.mark.parametrize(
    ("value", "quantity"),
    [(40, "40"), ("12.5", "12.5"), (Decimal("10.1"), "10.1"), (-5, "-5")],
)
def test_a_quantity_is_read_as_it_was_written(value, quantity):
    assert inventory.read_quantity(value, of="A") == Decimal(quantity)


@pytest.mark.parametrize("value", [None, True, "many", 1.5, [], "NaN"])
def test_what_is_no_quantity_is_refused(value):
    with pytest.raises(InvalidRecord, match="no number"):
        inventory.read_quantity(value, of="A")


def test_only_the_input_limit_gives_a_number_of_rows():
    limit = ServiceRejected("x", reason="array_size", maximum=20)
    assert inventory.batch_limit(limit) == 20
    assert inventory.batch_limit(ServiceRejected("x", reason="page_size", maximum=50)) is None
    assert not inventory.is_refused_batch(limit)
    assert inventory.is_refused_batch(ServiceRejected("x", reason="refused"))
