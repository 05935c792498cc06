"""Batches that fill over pages."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bridge.flows.filling import Waiting, fill


def products(*weights: int, first: int = 1) -> list[Waiting]:
    return [
        Waiting(product_id=number, sku=f"S{number}", weight=weight)
        for number, weight in enumerate(weights, start=first)
    ]


def ids(batches: list[list[Waiting]]) -> list[list[int]]:
    return [[one.product_id for one in batch] for batch in batches]


def test_what_is_not_enough_waits_for_the_next_page():
    batches, rest = fill([], products(1, 1), most=3, is_last=False)
    assert (batches, len(rest)) == ([], 2)
    batches, rest = fill(rest, products(1, 1, first=3), most=3, is_last=False)
    assert (ids(batches), ids([rest])) == ([[1, 2, 3]], [[4]])
    batches, rest = fill(rest, [], most=3, is_last=True)
    assert (ids(batches), rest) == ([[4]], [])


def test_a_product_that_waits_is_not_added_again():
    batches, _ = fill(products(1, 1), products(1, 1, first=2), most=9, is_last=True)
    assert ids(batches) == [[1, 2, 3]]


def test_one_that_is_too_much_for_any_batch_has_one_of_its_own():
    batches, _ = fill([], products(1, 50, 1), most=10, is_last=True)
    assert ids(batches) == [[1], [2], [3]]


def test_what_waits_survives_the_cursor():
    (one,) = products(7)
    assert Waiting.from_list(one.as_list()) == one


@given(st.lists(st.lists(st.integers(1, 9)), max_size=6), st.integers(1, 20))
def test_every_product_is_in_one_batch_and_no_batch_is_too_large(pages: list[list[int]], most: int):
    rest: list[Waiting] = []
    found: list[list[Waiting]] = []
    first = 1
    for page in pages:
        full, rest = fill(rest, products(*page, first=first), most=most, is_last=False)
        assert sum(one.weight for one in rest) < most
        first += len(page)
        found += full
    last, rest = fill(rest, [], most=most, is_last=True)
    found += last
    assert [one for batch in ids(found) for one in batch] == list(range(1, first))
    assert not rest
    assert all(len(batch) == 1 or sum(one.weight for one in batch) <= most for batch in found)
