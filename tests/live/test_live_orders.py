"""Every recorded order into a real Odoo, under all settings that decide how it adds up."""

from __future__ import annotations

import pytest

from bridge.flows.import_order import OVER
from tests.live.conftest import OpenShop
from tests.support.amounts import import_to_the_cent

RECORDED = range(1, 32)
#: Seconds for 31 orders on a slow machine.
PATIENCE = 600.0


def recorded(shop):
    return [shop.box.magento.orders.get(number) for number in RECORDED]


@pytest.mark.parametrize("inside", [False, True], ids=["top", "inside"])
@pytest.mark.parametrize("method", ["round_per_line", "round_globally"])
@pytest.mark.parametrize("digits", [2, 6])
def test_every_recorded_order_stands_in_odoo_to_the_cent_and_tax_by_tax(
    open_shop: OpenShop, digits: int, method: str, inside: bool
) -> None:
    shop = open_shop(digits=digits)
    shop.box.odoo.set_rounding(method)
    raws = recorded(shop)
    shop.map_all(raws, inside=inside)
    import_to_the_cent(shop, raws, method=method, seconds=PATIENCE)


def test_every_recorded_order_stands_so_after_it_was_confirmed(open_shop: OpenShop) -> None:
    shop = open_shop(digits=2, order_action="confirm")
    shop.box.odoo.set_rounding("round_globally")
    raws = [raw for raw in recorded(shop) if raw["state"] not in OVER | {"holded"}]
    shop.map_all(raws)
    import_to_the_cent(shop, raws, method="round_globally", seconds=PATIENCE, state="sale")
    dates = {order["client_order_ref"]: order["date_order"] for order in shop.box.odoo.records("sale.order")}
    assert {raw["increment_id"]: dates[raw["increment_id"]] for raw in raws} == {
        raw["increment_id"]: raw["created_at"] for raw in raws
    }
