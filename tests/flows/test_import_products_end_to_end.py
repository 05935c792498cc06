"""The whole catalog of the simulated Magento, read over HTTP, arrives in Odoo; orders then find every product."""

from __future__ import annotations

from collections import Counter

import pytest

from bridge.flows.wants import want
from tests.flows.conftest import OpenShop
from tests.support.catalog_shop import CatalogShop
from tests.support.products import FakeCatalog

VERSIONS = (16, 18, 19)


def sellable(shop: CatalogShop) -> dict[int, str]:
    """Return the SKUs by id of what stands in Odoo as a product: no configurable, bundle or grouped one."""
    return {
        row["id"]: row["sku"]
        for row in shop.shop.box.magento.catalog.all()
        if row["type_id"] not in {"configurable", "bundle", "grouped"}
    }


@pytest.mark.parametrize("version", VERSIONS)
def test_the_whole_catalog_arrives_once_and_orders_find_it(open_shop: OpenShop, version: int) -> None:
    shop = CatalogShop(open_shop(version, own_box=True, auto_create_products=True), FakeCatalog())
    shop.shop.box.magento.add_products(150)
    categories = want("import-categories", instance="shop", entity="all")
    shop.ledger.jobs.want([categories])
    shop.shop.work()
    shop.forget_calls()
    progress = shop.run()
    assert (progress.run.state, set(progress.jobs)) == ("done", {"done"})
    wanted = sellable(shop)
    found = Counter(row.get("default_code") for row in shop.odoo.records("product.product"))
    assert {sku: found[sku] for sku in wanted.values()} == dict.fromkeys(wanted.values(), 1)
    assert all(shop.bound(product_id) is not None for product_id in wanted)
    calls = shop.calls()
    # Some 180 products of all types and 15 families in two pages: however many they are, calls are by batch.
    assert len(calls) <= 30, Counter(calls)
    # Everything once more: nothing is written; only a kit for the bundles is looked for again.
    shop.forget_calls()
    progress = shop.run(updated_from="2020-01-01T00:00:00+00:00")
    assert (progress.run.state, set(progress.jobs)) == ("done", {"done"})
    assert set(shop.calls()) == {"product.product.search_read"}
    order = shop.shop.box.magento.generate_orders(1, kinds=("configurable",))[0]
    child = int(next(item["product_id"] for item in order["items"] if item.get("parent_item_id")))
    assert shop.bound(child) is not None
