"""Every recorded order into Odoo 16, 18 and 19, with price precision 2 and 6, both rounding methods, taxes on top and
inside: ``grand_total`` to the cent and the tax of each rate, as the orders stand in Odoo afterwards."""

from __future__ import annotations

from collections import defaultdict
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest

from tests.flows.conftest import OpenShop
from tests.support.orders import cents, order_row
from tests.support.shop import Shop

MATRIX = [
    pytest.param(
        version, digits, method, inside, id=f"{version}-{digits}-{method}-{'inside' if inside else 'top'}"
    )
    for version in (16, 18, 19)
    for digits in (2, 6)
    for method in ("round_per_line", "round_globally")
    for inside in (False, True)
]
#: Orders with a pair of rounding lines on the adjustment product, for the reason that stands in
#: ``tests/unit/translate/test_recorded_orders.py``: 18 and 19 with ``round_globally`` tax the sum of the rows once,
#: and Magento's tax, rounded per unit, is not the rounded tax of that sum. The prices of a pair add up to 0.00.
PAIRS_ON_TOP = {2, 4, 5, 8, 12, 13, 16, 17, 20, 27, 30}
PAIRS_INSIDE = {2, 4, 8, 12, 16, 17, 20, 30}
RECORDED = 31


@pytest.mark.parametrize(("version", "digits", "method", "inside"), MATRIX)
def test_every_recorded_order_stands_in_odoo_to_the_cent_and_tax_by_tax(
    open_shop: OpenShop, version: int, digits: int, method: Any, inside: bool
) -> None:
    shop = open_shop(version, digits=digits)
    shop.box.odoo.set_rounding(method)
    orders = [shop.box.magento.orders.get(number) for number in range(1, RECORDED + 1)]
    assert all(orders)
    raws = [raw for raw in orders if raw]
    shop.map_all(raws, inside=inside)
    job_ids = {raw["entity_id"]: shop.want_order(raw) for raw in raws}
    shop.work(seconds=90)
    adjustments = adjustment_product(shop)
    paired = set()
    for raw in raws:
        job = shop.job(job_ids[raw["entity_id"]])
        assert (job.state, job.error) == ("done", None), raw["increment_id"]
        assert job.result is not None
        order = order_row(shop, job.result["sale_order_id"])
        lines = shop.lines(order["id"])
        assert cents(order["amount_total"]) == cents(raw["grand_total"]), raw["increment_id"]
        assert cents(order["amount_untaxed"] + order["amount_tax"]) == cents(raw["grand_total"])
        assert taxes_in_odoo(
            shop, lines, per_line=version < 18 or method == "round_per_line"
        ) == taxes_in_magento(raw), raw["increment_id"]
        assert cents(order["amount_tax"]) == sum(taxes_in_magento(raw).values())
        corrections = [line for line in lines if line["product_id"] == adjustments]
        if corrections:
            paired.add(raw["entity_id"])
            assert sum(cents(line["price_unit"]) for line in corrections) == 0
            assert all("Tax rounding" in line["name"] for line in corrections)
    is_global = version >= 18 and method == "round_globally"
    expected = (PAIRS_INSIDE if inside else PAIRS_ON_TOP) if is_global else set()
    assert paired == expected


def adjustment_product(shop: Shop) -> int:
    binding = shop.ledger.bindings.get("shop", "service", "adjustment")
    assert binding is not None
    return binding.odoo_id


def taxes_in_magento(raw: dict[str, Any]) -> dict[Decimal, Decimal]:
    """Return the order's tax by percentage, in cents."""
    found: dict[Decimal, Decimal] = defaultdict(Decimal)
    for tax in raw["extension_attributes"].get("applied_taxes", ()):
        found[Decimal(str(tax["percent"]))] += Decimal(str(tax["amount"]))
    return {percent: cents(rounded(amount)) for percent, amount in found.items() if rounded(amount)}


def taxes_in_odoo(shop: Shop, lines: list[dict[str, Any]], *, per_line: bool) -> dict[Decimal, Decimal]:
    """Return the tax by percentage of the stored lines: as each line keeps it, or of their sum where Odoo rounds so."""
    taxes = {row["id"]: row for row in shop.box.odoo.records("account.tax")}
    field = "tax_ids" if shop.box.odoo.version >= 19 else "tax_id"
    found: dict[Decimal, Decimal] = defaultdict(Decimal)
    for line in lines:
        if not line[field]:
            assert not line["price_tax"]
            continue
        (tax_id,) = line[field]
        percent = Decimal(str(taxes[tax_id]["amount"]))
        if per_line:
            found[percent] += cents(line["price_tax"])
            continue
        row = Decimal(str(line["price_unit"])) * Decimal(str(line["product_uom_qty"]))
        is_inside = taxes[tax_id].get("price_include_override") == "tax_included"
        found[percent] += row * percent / (100 + percent) if is_inside else row * percent / 100
    return {percent: rounded(amount) for percent, amount in found.items() if rounded(amount)}


def rounded(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)
