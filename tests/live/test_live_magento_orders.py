"""Orders of a real Magento's checkout into Odoo: totals to the cent, their names written back, and no echo."""

from __future__ import annotations

from tests.live.conftest import OpenShop
from tests.live.magento import RealMagento
from tests.support.amounts import import_to_the_cent
from tests.support.orders import stored

PATIENCE = 300.0


def test_orders_of_the_checkout_stand_in_odoo_to_the_cent(
    open_order_shop: OpenShop, magento: RealMagento
) -> None:
    shop = open_order_shop()
    shop.box.odoo.set_rounding("round_per_line")
    thirds, cents = magento.product(price=33.33), magento.product(magento.sku("a/b {}"), price=0.05)
    raws = [
        magento.place((thirds, 3), (cents, 2)),
        magento.place((thirds, 1), country="FR"),
        *(magento.place((thirds, 2), view=view.code) for view in magento.views[1:]),
    ]
    shop.map_all(raws)
    import_to_the_cent(shop, raws, method="round_per_line", seconds=PATIENCE)


def test_the_name_in_odoo_is_written_to_the_order_and_comes_back_as_no_change(
    open_order_shop: OpenShop, magento: RealMagento
) -> None:
    shop = open_order_shop(write_ext_order_id=True)
    raw = magento.place((magento.product(price=12.5), 1))
    shop.map_all([raw])
    job = shop.import_order(raw, seconds=PATIENCE)
    assert (job.state, job.error) == ("done", None)
    order = stored(shop, job)
    after = magento.order(raw["entity_id"])
    assert after["ext_order_id"] == order["name"]
    assert after["updated_at"] >= raw["updated_at"]
    # Only that field: state, lines and amounts are as they were.
    moved = {"updated_at", "ext_order_id", "items", "status_histories", "extension_attributes"}
    assert {k: v for k, v in after.items() if k not in moved} == {
        k: v for k, v in raw.items() if k not in moved
    }
    again = shop.import_order(after, seconds=PATIENCE)
    assert (again.state, again.error) == ("done", None)
    assert magento.order(raw["entity_id"])["updated_at"] == after["updated_at"]
    assert len(shop.sale_orders(raw)) == 1
