"""Every recorded order into Odoo 16, 18 and 19, with price precision 2 and 6, both rounding methods, taxes on top and
inside: ``grand_total`` to the cent and the tax of each rate, as the orders stand in Odoo afterwards."""

from __future__ import annotations

from typing import Any

import pytest

from tests.flows.conftest import OpenShop
from tests.support.amounts import import_to_the_cent

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
    paired = import_to_the_cent(shop, raws, method=method, seconds=90)
    is_global = version >= 18 and method == "round_globally"
    assert paired == ((PAIRS_INSIDE if inside else PAIRS_ON_TOP) if is_global else set())
