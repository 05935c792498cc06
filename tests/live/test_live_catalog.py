"""Categories, products and accounts of the sandbox's Magento into a real Odoo: made once, updated, and left alone."""

from __future__ import annotations

import uuid
from typing import Any

from bridge.flows.wants import PLACES, want
from bridge.ledger import Progress
from bridge.odoo import OdooClient
from tests.flows.test_import_customers import change, new_account, with_address
from tests.live.conftest import OpenShop
from tests.support.pictures import a_png
from tests.support.shop import Shop

PATIENCE = 600.0
_ALL = {"active_test": False}


def import_all(shop: Shop, **args: Any) -> Progress:
    """Run ``import-products`` to its end."""
    run = shop.ledger.runs.start(
        "shop", "import-products", args, queue=PLACES["import-products"].queue, lock_key="import-products"
    )
    shop.work(seconds=PATIENCE)
    return shop.ledger.runs.progress(run.id)


def renamed(shop: Shop, count: int) -> list[dict[str, Any]]:
    """Give the shop products under SKUs and names that no earlier run had, some of them configurable."""
    tag = uuid.uuid4().hex[:8]
    made = shop.box.magento.add_products(count, configurable_share=0.05)
    for raw in shop.box.magento.catalog.all():
        old = raw["sku"]
        shop.box.magento.catalog.remove(old)
        shop.box.magento.catalog.add({**raw, "sku": f"{tag}-{old}"[:64], "name": f"{raw['name']} {tag}"})
    return [shop.box.magento.catalog.get(raw["id"]) for raw in made]


def products_of(odoo: OdooClient, sku: str) -> list[dict[str, Any]]:
    fields = ["default_code", "name", "active", "list_price", "weight", "categ_id", "product_tmpl_id"]
    return odoo.search_read("product.product", [["default_code", "=", sku]], fields, context=_ALL)


def test_a_catalog_arrives_once_and_changes_follow(open_shop: OpenShop, odoo: OdooClient) -> None:
    shop = open_shop(auto_create_products=True, own_box=True)
    made = renamed(shop, 60)
    shop.ledger.jobs.want([want("import-categories", instance="shop", entity="all")])
    shop.work(seconds=PATIENCE)
    progress = import_all(shop)
    failed = [
        (job.kind, job.entity, job.state, job.error)
        for job in shop.ledger.jobs.list(run_id=progress.run.id, limit=100)
        if job.state != "done"
    ]
    assert failed == []
    parents = [raw for raw in made if raw["type_id"] == "configurable"]
    # A child is archived with its configurable, whatever its own status is.
    families = {one for raw in parents for one in raw["extension_attributes"]["configurable_product_links"]}
    simple = [raw for raw in made if raw["type_id"] == "simple" and raw["id"] not in families]
    assert simple
    assert parents
    for raw in simple:
        (row,) = products_of(odoo, raw["sku"])
        assert row["active"] == (raw["status"] == 1)
    for parent in parents:
        children = [
            shop.box.magento.catalog.get(one)
            for one in parent["extension_attributes"]["configurable_product_links"]
        ]
        rows = [row for child in children for row in products_of(odoo, child["sku"])]
        # One variant for each child and no other combination, all of one template.
        assert len(rows) == len(children)
        (template,) = {row["product_tmpl_id"][0] for row in rows}
        assert odoo.search_count(
            "product.product", [["product_tmpl_id", "=", template]], context=_ALL
        ) == len(children)
    # Again: nothing new. Then a change of a few fields, and an article that is switched off.
    before = odoo.search_count("product.product", [], context=_ALL)
    assert import_all(shop, updated_from="2020-01-01T00:00:00+00:00").jobs == {"done": progress.jobs["done"]}
    assert odoo.search_count("product.product", [], context=_ALL) == before
    one, other = [raw for raw in simple if raw["status"] == 1][:2]
    later = {"updated_at": "2027-01-02 03:04:05"}
    shop.box.magento.catalog.add({**one, "name": "Another name", "weight": 3.25, **later})
    shop.box.magento.catalog.add({**other, "status": 2, **later})
    import_all(shop)
    (row,) = products_of(odoo, one["sku"])
    assert (row["name"], float(row["weight"]) > 0) == ("Another name", True)
    (row,) = products_of(odoo, other["sku"])
    assert not row["active"]


def test_pictures_arrive_and_one_that_odoo_cannot_read_blocks_alone(
    open_shop: OpenShop, odoo: OdooClient
) -> None:
    shop = open_shop(auto_create_products=True, own_box=True)
    made = renamed(shop, 30)
    parent = next(raw for raw in made if raw["type_id"] == "configurable")
    child = shop.box.magento.catalog.get(parent["extension_attributes"]["configurable_product_links"][0])
    families = {
        one for raw in made for one in raw["extension_attributes"].get("configurable_product_links", ())
    }
    good, bad = [raw for raw in made if raw["type_id"] == "simple" and raw["id"] not in families][:2]
    for number, raw in enumerate((good, child, parent), start=1):
        shop.box.magento.add_picture(raw["sku"], a_png(number))
    shop.box.magento.add_picture(bad["sku"], a_png(4)[:40])
    import_all(shop)
    (blocked,) = shop.ledger.jobs.list(instance="shop", kind="import-product-image", limit=10)
    assert (blocked.entity, blocked.state, blocked.error_code) == (
        str(bad["id"]),
        "blocked",
        "picture_unusable",
    )

    def sizes(model: str, record_id: int, field: str) -> Any:
        (row,) = odoo.read(model, [record_id], [field], context={"bin_size": True, **_ALL})
        return row[field]

    ids = {raw["id"]: products_of(odoo, raw["sku"])[0] for raw in (good, bad, child)}
    assert sizes("product.product", ids[good["id"]]["id"], "image_1920")
    assert sizes("product.template", ids[good["id"]]["product_tmpl_id"][0], "image_1920")
    assert not sizes("product.product", ids[bad["id"]]["id"], "image_1920")
    assert sizes("product.product", ids[child["id"]]["id"], "image_variant_1920")
    assert sizes("product.template", ids[child["id"]]["product_tmpl_id"][0], "image_1920")


def test_an_account_is_made_once_and_kept_in_step(open_shop: OpenShop, odoo: OdooClient) -> None:
    shop = open_shop()
    raw = new_account(shop)
    raw["email"] = f"{uuid.uuid4().hex[:8]}.{raw['email']}"

    def run() -> dict[str, Any]:
        wanted = want("import-customer", instance="shop", entity=str(raw["id"]), version=raw["updated_at"])
        job_id = shop.ledger.jobs.want([wanted])[0].job_id
        shop.work(seconds=PATIENCE)
        job = shop.job(job_id)
        assert (job.state, job.error) == ("done", None)
        rows = odoo.search_read(
            "res.partner",
            [["email", "=", raw["email"]], ["parent_id", "=", False]],
            ["city", "phone", "name"],
        )
        assert len(rows) == 1
        return rows[0]

    first = run()
    assert (first["name"], first["city"]) == ("Nora Krause", "Berlin")
    odoo.write("res.partner", [first["id"]], {"phone": "0800 1"})
    raw = change(shop, raw, addresses=with_address(raw, city="Potsdam", telephone="+49 1", region={}))
    second = run()
    assert (second["id"], second["city"], second["phone"]) == (first["id"], "Potsdam", "0800 1")
