"""Products between a real Magento and Odoo, both ways: made once, changed where they changed, and nothing echoes."""

from __future__ import annotations

import base64
import uuid
from typing import Any
from urllib.parse import quote

import pytest

from bridge.flows.wants import want
from tests.live.conftest import OpenShop
from tests.live.magento import RealMagento
from tests.support.outward_shop import Family, OutwardShop
from tests.support.pictures import a_png

EXPORTING = {"export_products": True, "sync_direction": "odoo", "auto_create_products": True}


def picture(seed: int) -> str:
    return base64.b64encode(a_png(seed)).decode()


def ended(job: Any) -> tuple[str, Any, Any]:
    return job.state, job.result, job.error


def files(shop: OutwardShop, sku: str) -> list[str]:
    return [row["file"] for row in shop.raw(sku)["media_gallery_entries"]]


@pytest.mark.parametrize("form", ["OUT-{}", "OUT/{} a, b & c+d; 5%"])
def test_a_product_of_odoo_is_made_changed_and_left_alone(
    open_real_shop: OpenShop, magento: RealMagento, form: str
) -> None:
    shop = OutwardShop(open_real_shop(**EXPORTING))
    sku = magento.sku(form)
    texts = {"description": "<p>Good</p>", "description_sale": "Very\ngood"}
    product_id = shop.make(sku, list_price=12.5, weight=1.0, image_1920=picture(1), **texts)
    shop.export(product_id)
    raw, attributes = shop.raw(sku), shop.attributes(sku)
    assert (raw["name"], raw["price"], raw["status"], raw["visibility"]) == (f"Name of {sku}", 12.5, 1, 4)
    assert (attributes["description"], attributes["short_description"]) == ("<p>Good</p>", "Very<br>good")
    assert sorted(raw["extension_attributes"]["website_ids"]) == sorted(magento.website_ids)
    (first,) = files(shop, sku)
    assert {"image", "small_image", "thumbnail"} <= set(raw["media_gallery_entries"][0]["types"])
    # The same again, from both sides.
    assert ended(shop.export(product_id)) == ("done", {"unchanged": 1}, None)
    assert ended(shop.import_(sku)) == ("done", {"unchanged": 1}, None)
    assert (shop.raw(sku)["updated_at"], shop.conflicts()) == (raw["updated_at"], [])
    # A change goes to the global values, which each view that has none of its own shows.
    shop.edit(product_id, name="New", weight=2.0)
    assert ended(shop.export(product_id)) == ("done", {"updated": 1}, None)
    assert {shop.raw(sku, view.code)["name"] for view in magento.views} == {"New"}
    shop.edit(product_id, image_1920=picture(2))
    shop.export(product_id)
    shop.edit(product_id, image_1920=picture(1))
    shop.export(product_id)
    assert len(files(shop, sku)) == 2
    assert first in files(shop, sku)
    shop.edit(product_id, active=False)
    shop.export(product_id)
    assert shop.raw(sku)["status"] == 2
    failed = [job for job in shop.ledger.jobs.list(instance="shop", limit=100) if job.state != "done"]
    assert failed == []


def test_what_a_store_view_has_of_its_own_stays_and_the_rest_stays_common(
    open_real_shop: OpenShop, magento: RealMagento
) -> None:
    shop = OutwardShop(open_real_shop(**{**EXPORTING, "sync_direction": "status=odoo"}))
    sku = magento.product(attributes={"meta_title": "By hand"})
    view = magento.views[-1].code
    body = {"product": {"name": "Of this view"}}
    magento.client.in_store(view).put(f"/products/{quote(sku, safe='')}", body)
    product_id = shop.make(sku)
    shop.export(product_id)
    shop.edit(product_id, active=False)
    shop.export(product_id)
    assert {shop.raw(sku, code)["status"] for code in ("all", view)} == {2}
    assert shop.raw(sku, view)["name"] == "Of this view"
    assert (shop.raw(sku)["name"], shop.attributes(sku)["meta_title"]) == (f"Name of {sku}", "By hand")


def test_a_template_becomes_a_configurable_and_gets_a_new_child(
    open_real_shop: OpenShop, magento: RealMagento, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = OutwardShop(open_real_shop(**EXPORTING))
    # An attribute's code is small letters, figures and lines, and begins with a letter.
    monkeypatch.setattr(
        OutwardShop, "new_sku", lambda _, form: magento.sku(form).replace("-finish", "finish").lower()
    )
    monkeypatch.setattr(RealMagento, "sku", lambda self, form: f"a{uuid.uuid4().hex[:8]}-{form.format(1)}")
    family = Family(shop, "matt", "Glossy")
    assert ended(family.export()) == ("done", {"made": 3}, None)
    parent = shop.raw(family.base)
    children = [shop.raw(sku) for sku in family.skus]
    extension = parent["extension_attributes"]
    assert (parent["type_id"], parent["visibility"]) == ("configurable", 4)
    assert extension["configurable_product_links"] == [one["id"] for one in children]
    assert {one["visibility"] for one in children} == {1}
    labels = {one["value"]: one["label"] for one in magento.attributes.get(family.code)["options"]}
    assert [labels[shop.attributes(sku)[family.code]] for sku in family.skus] == ["Matt", "Glossy"]
    assert ended(family.export()) == ("done", {"unchanged": 3}, None)
    assert ended(shop.import_(family.base)) == ("done", {"unchanged": 3}, None)
    family.add("Rough")
    assert ended(family.export()) == ("done", {"made": 1, "unchanged": 3}, None)
    assert len(shop.raw(family.base)["extension_attributes"]["configurable_product_links"]) == 3
    assert ended(family.export()) == ("done", {"unchanged": 4}, None)
    assert shop.conflicts() == []


def test_categories_and_products_arrive_with_their_pictures(
    open_real_shop: OpenShop, magento: RealMagento
) -> None:
    shop = OutwardShop(open_real_shop(auto_create_products=True))
    sku = magento.product(magento.sku("IN/{} a"), price=3.5, weight=1)
    picture_of = {"base64_encoded_data": picture(5), "type": "image/png", "name": "front.png"}
    entry = {"media_type": "image", "label": "Front", "position": 1, "disabled": False}
    entry |= {"types": ["image", "small_image", "thumbnail"], "content": picture_of}
    magento.client.post(f"/products/{quote(sku, safe='')}/media", {"entry": entry})
    shop.ledger.jobs.want([want("import-categories", instance="shop", entity="all")])
    shop.shop.work(seconds=300)
    shop.import_(sku)
    binding = shop.ledger.bindings.get("shop", "product", shop.raw(sku)["id"])
    assert binding is not None
    row = shop.row(binding.odoo_id)
    assert (row["default_code"], row["list_price"], row["name"]) == (sku, 3.5, f"Name of {sku}")
    assert row["image_1920"]
    category = next(one for one in shop.odoo.records("product.category") if one["id"] == row["categ_id"])
    assert category["name"] == f"Live {magento.tag}"


def test_an_account_is_made_once_and_follows_its_changes(
    open_real_shop: OpenShop, magento: RealMagento
) -> None:
    shop = open_real_shop()
    email = f"{uuid.uuid4().hex[:8]}@{magento.tag}.example.com"
    address = {"firstname": "Nora", "lastname": "Krause", "street": ["Unter den Linden 1"], "city": "Berlin"}
    address |= {"postcode": "10117", "country_id": "DE", "telephone": "030 77", "region": {"region_id": 82}}
    address |= {"default_billing": True, "default_shipping": True}
    customer = {"email": email, "firstname": "Nora", "lastname": "Krause", "addresses": [address]}
    made = magento.client.post("/customers", {"customer": {**customer, "website_id": magento.website.id}})

    def partners() -> list[dict[str, Any]]:
        version = str(magento.client.customer(int(made["id"]))["updated_at"])
        wanted = want("import-customer", instance="shop", entity=str(made["id"]), version=version)
        job_id = shop.ledger.jobs.want([wanted])[0].job_id
        shop.work(seconds=300)
        assert (shop.job(job_id).state, shop.job(job_id).error) == ("done", None)
        return [row for row in shop.box.odoo.records("res.partner") if row.get("email") == email]

    (partner,) = partners()
    assert (partner["name"], partner["street"], partner["zip"]) == (
        "Nora Krause",
        "Unter den Linden 1",
        "10117",
    )
    changed = magento.client.customer(int(made["id"]))
    changed["addresses"][0] |= {"street": ["Neue Str. 2"], "postcode": "10119"}
    magento.client.put(f"/customers/{made['id']}", {"customer": changed})
    (again,) = partners()
    assert (again["id"], again["street"], again["zip"]) == (partner["id"], "Neue Str. 2", "10119")
