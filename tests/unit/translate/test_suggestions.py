"""Proposals: by name, percent and code, each with a reason, and less sure where several fit."""

from __future__ import annotations

from decimal import Decimal

import pytest

from bridge.translate.suggestions import Candidate, prices_include_tax, same_name, suggest


def named(id: int, name: str, **more: object) -> Candidate:  # noqa: A002
    return Candidate(id=id, name=name, **more)  # type: ignore[arg-type]


def tax(id: int, name: str, percent: str, *, inside: bool = False) -> Candidate:  # noqa: A002
    return Candidate(id=id, name=name, percent=Decimal(percent), is_inside=inside)


def told(kind: str, value: str, label: str | None, *candidates: Candidate, inside: bool = False):
    return [
        (one.candidate.id, one.confidence, one.reason)
        for one in suggest(kind, value, label, candidates, is_inside=inside)
    ]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Free Shipping", "  free-shipping "),
        ("Überweisung", "uberweisung"),
        ("Straße", "STRASSE"),
        ("Crème brûlée", "creme brulee"),
        ("Cafe\u0301", "CAFÉ"),
        ("bank_transfer", "Bank Transfer"),
        ("Ｗｅｂ", "web"),
    ],
)
def test_names_are_equal_without_case_accents_spaces_and_signs(one: str, other: str) -> None:
    assert same_name(one) == same_name(other)
    assert told("store", "1", one, named(7, other)) == [(7, 0.9, "equal name")]


def test_other_names_are_not_equal() -> None:
    assert told("store", "1", "Web", named(7, "Webshop"), named(8, ""), named(9, "***")) == []
    assert told("store", "***", "", named(9, "+++")) == []
    assert told("payment_method", "checkmo", None, named(1, "30 Days")) == []


def test_a_tax_of_the_name_and_the_percent_goes_before_others_of_the_percent() -> None:
    found = told(
        "tax",
        "DE-19|19",
        None,
        tax(1, "19% VAT", "19"),
        tax(2, "DE 19", "19.0000"),
        tax(3, "DE-19", "7"),
        tax(4, "Tax DE-19 standard", "19"),
        tax(5, "de-19", "19", inside=True),
    )
    assert found == [
        (2, 0.95, "equal percent 19 and equal name"),
        (4, 0.42, "equal percent 19 and a name that holds the code; 2 fit at least as well"),
        (1, 0.23, "equal percent 19; 3 fit at least as well"),
        (
            5,
            0.12,
            "equal percent 19 and equal name, but it is inside the price, and the shop's prices are without tax; "
            "4 fit at least as well",
        ),
    ]


def test_several_that_fit_alike_are_all_shown_and_less_sure() -> None:
    found = told("tax", "FR-20|20", None, tax(1, "20% G", "20"), tax(2, "20% S", "20"))
    assert [(id_, confidence) for id_, confidence, _ in found] == [(1, 0.35), (2, 0.35)]
    assert told("tax", "FR-20|20", None, tax(1, "20% G", "20")) == [(1, 0.7, "equal percent 20")]


def test_a_shop_whose_prices_include_tax_gets_taxes_inside_the_price() -> None:
    outside, inside = tax(1, "19%", "19"), tax(2, "19% incl", "19", inside=True)
    assert [one[0] for one in told("tax", "DE|19", None, outside, inside)] == [1, 2]
    found = told("tax", "DE|19", None, outside, inside, inside=True)
    assert [one[:2] for one in found] == [(2, 0.7), (1, 0.17)]
    assert "comes on top of the price, and the shop's prices include tax" in found[1][2]


@pytest.mark.parametrize("value", ["DE", "DE|", "DE|x", "DE|NaN", "DE|Infinity", ""])
def test_a_tax_without_a_percent_fits_none(value: str) -> None:
    assert told("tax", value, "DE", tax(1, "DE", "19"), tax(2, "DE", "0")) == []


def test_a_percent_is_compared_exactly() -> None:
    assert told("tax", "NY|8.375", None, tax(1, "NY", "8.38"), tax(2, "8.375%", "8.3750"))[0][0] == 2


def test_a_line_without_tax_may_have_any_tax_of_none_and_no_one_is_sure() -> None:
    found = told(
        "zero_tax", "CH|novat|0", None, tax(1, "Export", "0"), tax(2, "19%", "19"), tax(3, "EU", "0.0")
    )
    assert [one[:2] for one in found] == [(1, 0.15), (3, 0.15)]
    assert "only a person knows" in found[0][2]


def test_a_code_is_surer_than_a_name() -> None:
    found = told("source", "berlin", "Depot", named(1, "Depot", code="WH"), named(2, "Main", code="BERLIN"))
    assert [one[:2] for one in found] == [(2, 0.95), (1, 0.45)]
    assert told("service", "gift_wrapping", None, named(1, "x", code="gift_wrapping"))[0][1] == 0.95


def test_a_part_of_the_name_counts_less() -> None:
    label = "Main Website, Main Website Store, German View"
    assert told("store", "2", label, named(4, "German view")) == [(4, 0.6, "equal to a part of its name")]
    assert told("service", "fee|cod", None, named(4, "COD"))[0][1] == 0.6


@pytest.mark.parametrize("kind", ["store", "customer_group"])
def test_an_id_is_no_name(kind: str) -> None:
    candidates = named(1, "2"), named(2, "x", code="2"), named(3, "Retail")
    assert [one[0] for one in told(kind, "2", "Retail", *candidates)] == [3]
    assert told(kind, "2", None, *candidates) == []


def test_currencies_and_units() -> None:
    lists = [
        named(1, "EUR", currency="USD"),
        named(2, "Web", currency="EUR"),
        named(3, "B2B", currency="EUR"),
    ]
    assert [one[:2] for one in told("currency", "EUR", None, *lists)] == [(2, 0.4), (3, 0.4)]
    assert told("currency", "", None, named(1, "x")) == []
    units = [named(1, "kg"), named(2, "lb"), named(3, "g")]
    assert told("unit", "lbs", "weight", *units) == [(2, 0.95, "Odoo spells Magento's lbs so")]
    assert told("unit", "kgs", "weight", *units)[0][0] == 1


def test_what_is_mapped_already_tells_whether_prices_include_tax() -> None:
    outside, inside, none = tax(1, "a", "19"), tax(2, "b", "19", inside=True), tax(3, "c", "0")
    assert prices_include_tax([inside, none])
    assert not prices_include_tax([inside, outside])
    assert not prices_include_tax([outside])
    assert not prices_include_tax([none])
    assert not prices_include_tax([])
