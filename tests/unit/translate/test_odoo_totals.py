"""The calculator against every recording that shows totals (Odoo FACTS 6)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from bridge.errors import OrderUnclear
from bridge.translate.odoo_totals import OdooProfile, OdooTax, PricedLine, order_totals
from tests.unit.translate.books import RECORDINGS, load

ODOO = RECORDINGS / "odoo"
VERSIONS = (16, 18, 19)
#: What the recorded databases had where nothing else was set (``orders/company-tax-settings``).
DEFAULT_METHOD = {16: "round_per_line", 18: "round_per_line", 19: "round_globally"}
ON_TOP, INSIDE = 1, 2
TAXES = {
    ON_TOP: OdooTax(id=ON_TOP, amount=Decimal(21)),
    INSIDE: OdooTax(id=INSIDE, amount=Decimal(21), price_include=True),
}


def profile(version, method=None):
    return OdooProfile(major=version, rounding_method=method or DEFAULT_METHOD[version])


def recording(version, topic, name):
    (path,) = (ODOO / str(version) / topic).glob(f"*-{name}.json")
    return load(path)


def line(quantity, price, tax=None, discount=0):
    return PricedLine(
        quantity=Decimal(str(quantity)),
        price_unit=Decimal(str(price)),
        tax_ids=() if tax is None else (tax,),
        discount=Decimal(str(discount)),
    )


def cents(figures):
    return [Decimal(figure or 0).quantize(Decimal("0.01")) for figure in figures]


def amounts(totals):
    return [totals.untaxed, totals.tax, totals.total]


@pytest.mark.parametrize("version", VERSIONS)
def test_each_of_40_random_orders_comes_to_the_cent_to_what_odoo_stored(version):
    document = recording(version, "rules", "onchange-against-load-many")
    assert len(document["figures"]) == 40
    for figure in document["figures"]:
        tax = INSIDE if figure["included"] else ON_TOP
        lines = [line(q, price, tax if taxed else None, off) for q, price, taxed, off in figure["lines"]]
        assert amounts(order_totals(lines, TAXES, profile(version))) == cents(figure["stored"]), figure


def first_onchange(document):
    """Return the lines of the recorded preview."""
    for exchange in document["exchanges"]:
        body = exchange["request"]["json"]
        args = body.get("args", body.get("params", {}).get("args", []))
        if "onchange" in args:
            return [command[2] for command in args[5][1]["order_line"]]
    raise AssertionError("no preview in the recording")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("name", "tax"),
    [
        ("onchange-excluded-21", ON_TOP),
        ("onchange-included-21", INSIDE),
        ("onchange-net-8-digits", ON_TOP),
        ("onchange-net-8-digits-no-tax", None),
        ("onchange-discount", ON_TOP),
        ("onchange-negative-line-and-shipping", ON_TOP),
        ("onchange-pricelist-currency", ON_TOP),
        ("onchange-discount-3-digits", ON_TOP),
        ("onchange-fiscal-position", ON_TOP),
    ],
)
def test_the_recorded_single_orders_come_to_what_odoo_stored(version, name, tax):
    document = recording(version, "rules", name)
    lines = []
    for row in first_onchange(document):
        ids = (row.get("tax_id") or row.get("tax_ids"))[0][2]
        lines.append(line(row["product_uom_qty"], row["price_unit"], tax if ids else None, row["discount"]))
    assert amounts(order_totals(lines, TAXES, profile(version))) == cents(document["stored"])


@pytest.mark.parametrize("version", VERSIONS)
def test_both_rounding_methods_come_to_what_odoo_stored(version):
    document = recording(version, "rules", "onchange-rounding-methods")
    two = [line(5, "0.333", ON_TOP), line(3, "1.005", ON_TOP)]
    seven = [line(7, "9.99", INSIDE)]
    for case, figure in document["figures"].items():
        method, kind = case.split(" ")
        lines = two if kind.startswith("excluded") else seven
        assert amounts(order_totals(lines, TAXES, profile(version, method))) == cents(figure["stored"]), case


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("method", ["round_per_line", "round_globally"])
@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("rounding-read", [*[line(1, "0.333", ON_TOP)] * 5, line(3, "1.005", ON_TOP)]),
        ("rounding-read-included", [line(1, "9.99", INSIDE)] * 7),
    ],
)
def test_many_small_lines_come_to_what_odoo_stored_by_either_method(version, method, name, lines):
    row = recording(version, "orders", f"{name}-{method}")["response"]["json"]["result"][0]
    stored = [row["amount_untaxed"], row["amount_tax"], row["amount_total"]]
    assert amounts(order_totals(lines, TAXES, profile(version, method))) == cents(stored)


@pytest.mark.parametrize(("version", "total"), [(16, "30.00"), (18, "29.98"), (19, "30.00")])
def test_18_cuts_the_unit_price_and_16_and_19_do_not_before_they_compute(version, total):
    totals = order_totals([line(3, "8.26446281", ON_TOP)], TAXES, profile(version, "round_per_line"))
    assert totals.total == Decimal(total)


def test_with_six_digits_18_keeps_what_16_and_19_keep():
    six = OdooProfile(major=18, price_digits=6)
    assert order_totals([line(3, "8.264463", ON_TOP)], TAXES, six).total == Decimal("30.00")


@pytest.mark.parametrize("version", VERSIONS)
def test_two_taxes_on_top_are_each_rounded_from_the_same_base(version):
    taxes = {1: OdooTax(id=1, amount=Decimal(4)), 2: OdooTax(id=2, amount=Decimal("4.875"))}
    one = PricedLine(quantity=Decimal(1), price_unit=Decimal("9.99"), tax_ids=(1, 2))
    totals = order_totals([one], taxes, profile(version, "round_per_line"))
    assert totals.taxes == {1: Decimal("0.40"), 2: Decimal("0.49")}
    assert totals.total == Decimal("10.88")


@pytest.mark.parametrize("version", VERSIONS)
def test_two_taxes_inside_leave_the_price_as_the_total(version):
    taxes = {
        1: OdooTax(id=1, amount=Decimal(4), price_include=True),
        2: OdooTax(id=2, amount=Decimal(5), price_include=True),
    }
    one = PricedLine(quantity=Decimal(3), price_unit=Decimal("33.33"), tax_ids=(1, 2))
    for method in ("round_per_line", "round_globally"):
        assert order_totals([one], taxes, profile(version, method)).total == Decimal("99.99")


def test_a_tax_that_is_no_percentage_is_refused():
    taxes = {1: OdooTax(id=1, amount=Decimal(2), kind="fixed")}
    with pytest.raises(OrderUnclear, match="fixed"):
        order_totals([line(1, 10, 1)], taxes, profile(18))


def test_taxes_inside_and_on_top_of_one_line_are_refused():
    one = PricedLine(quantity=Decimal(1), price_unit=Decimal(10), tax_ids=(ON_TOP, INSIDE))
    with pytest.raises(OrderUnclear, match="inside the price and on top"):
        order_totals([one], TAXES, profile(18))
