"""A ledger is lost: a real Odoo knows the store and its records, and nothing is made twice."""

from __future__ import annotations

from bridge.flows.wants import PLACES
from tests.live.conftest import OpenShop
from tests.support.orders import bound, new_order

PATIENCE = 120.0


def test_another_ledger_makes_nothing_twice_and_finds_its_bindings(open_shop: OpenShop) -> None:
    shop = open_shop()
    raws = [new_order(shop, kind) for kind in ("simple", "configurable", "mixed")]
    shop.map_all(raws)
    for raw in raws:
        job = shop.import_order(raw, seconds=PATIENCE)
        assert (job.state, job.error) == ("done", None)
    orders = {raw["increment_id"]: bound(shop, raw)["id"] for raw in raws}
    items = {one.magento_id: one.order_items_json for one in shop.ledger.bindings.list("shop", kind="order")}

    # One that only imports: the same keys answer the same records.
    importing = open_shop()
    importing.map_all(raws)
    job = importing.import_order(raws[0], seconds=PATIENCE)
    assert (job.state, job.error) == ("done", None)
    assert [one["id"] for one in importing.sale_orders(raws[0])] == [orders[raws[0]["increment_id"]]]
    assert bound(importing, raws[0])["id"] == orders[raws[0]["increment_id"]]

    # One that rebuilds first.
    rebuilding = open_shop()
    place = PLACES["rebuild-bindings"]
    run = rebuilding.ledger.runs.start(
        "shop", "rebuild-bindings", {}, queue=place.queue, systems=place.systems
    )
    rebuilding.work(seconds=PATIENCE)
    assert run.planner_job_id is not None
    planner = rebuilding.job(run.planner_job_id)
    assert (planner.state, planner.error) == ("done", None)
    for raw in raws:
        found = rebuilding.ledger.bindings.get("shop", "order", raw["entity_id"])
        assert found is not None
        assert found.odoo_id == orders[raw["increment_id"]]
        assert found.order_items_json == items[str(raw["entity_id"])]
