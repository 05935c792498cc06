"""Pictures from Odoo to Magento: each content once, whatever happens to the answer; what Magento has besides stays."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from tests.flows.conftest import OpenShop
from tests.support.outward_shop import OutwardShop
from tests.support.pictures import a_png

VERSIONS = (16, 18, 19)


def picture(text: str, *, start: bytes = b"\x89PNG\r\n\x1a\n") -> str:
    return base64.b64encode(start + text.encode() + b"IEND").decode()


def outward(open_shop: OpenShop, version: int = 18, **settings: Any) -> OutwardShop:
    given = {
        "export_products": True,
        "sync_direction": "images=odoo",
        "auto_create_products": True,
        **settings,
    }
    return OutwardShop(open_shop(version, **given))


def files(shop: OutwardShop, sku: str) -> list[tuple[str, tuple[str, ...]]]:
    rows = shop.raw(sku)["media_gallery_entries"]
    return [(row["file"].rpartition("/")[2], tuple(row["types"])) for row in rows]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_picture_goes_once_and_a_new_one_beside_it(open_shop: OpenShop, version: int) -> None:
    shop = outward(open_shop, version)
    sku = shop.new_sku("PIC/{}")
    product_id = shop.make(sku, image_1920=picture(f"one {sku}"))
    shop.export(product_id)
    ((first, roles),) = files(shop, sku)
    assert (first.endswith(".png"), roles) == (True, ("image", "small_image", "thumbnail"))
    shop.edit(product_id, description_sale="Other")
    shop.forget_calls()
    shop.export(product_id)
    assert [one for one in shop.writes() if "media" in one] == []
    shop.edit(product_id, image_1920=picture(f"two {sku}", start=b"\xff\xd8\xff"))
    shop.export(product_id)
    assert [(name.rpartition(".")[2], len(roles)) for name, roles in files(shop, sku)] == [
        ("png", 0),
        ("jpg", 3),
    ]
    # The first again: Magento has it.
    shop.edit(product_id, image_1920=picture(f"one {sku}"))
    shop.export(product_id)
    assert len(files(shop, sku)) == 2
    # Taking it away in Odoo takes nothing away in Magento.
    shop.edit(product_id, image_1920=False)
    shop.export(product_id)
    assert len(files(shop, sku)) == 2


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("width", [1, 2500])
def test_a_picture_that_the_import_brought_does_not_go_back_until_it_changes(
    open_shop: OpenShop, version: int, width: int
) -> None:
    shop = outward(open_shop, version, sync_direction="magento", own_box=True)
    sku = shop.new_sku("PIC-{}")
    (raw,) = shop.magento.add_products(1, configurable_share=0)
    shop.magento.catalog.add({**raw, "sku": sku, "name": sku, "status": 1, "type_id": "simple"})
    shop.magento.add_picture(sku, a_png(7, width=width))
    shop.import_(sku)
    binding = shop.ledger.bindings.get("shop", "product", raw["id"])
    assert binding is not None
    has = base64.b64decode(shop.shown(binding.odoo_id, "image_1920"))
    # Odoo has made the large one smaller.
    assert (has == a_png(7, width=width), bool(has)) == (width == 1, True)
    shop.shop.set(sync_direction="images=odoo")
    shop.forget_calls()
    for _ in range(2):
        shop.export(binding.odoo_id)
        shop.import_(sku)
    assert shop.writes() == []
    shop.edit(binding.odoo_id, image_1920=base64.b64encode(a_png(9, width=width)).decode())
    shop.export(binding.odoo_id)
    assert len(files(shop, sku)) == 2


def test_pictures_stay_where_magento_is_master_or_export_is_off(open_shop: OpenShop) -> None:
    for settings in ({"sync_direction": "text=odoo"}, {"export_products": False}):
        shop = outward(open_shop, **settings)
        (raw,) = shop.magento.add_products(1, configurable_share=0)
        product_id = shop.make(raw["sku"], image_1920=picture("x"))
        shop.forget_calls()
        shop.export(product_id)
        shop.export(product_id)
        assert shop.writes() == []


def test_a_file_that_magento_does_not_take_is_told(open_shop: OpenShop) -> None:
    shop = outward(open_shop)
    sku = shop.new_sku("PIC-{}")
    product_id = shop.make(sku, image_1920=picture("x", start=b"RIFF"))
    assert shop.export(product_id).result == {"made": 1, "no_place": {"image": [sku]}}


@pytest.mark.parametrize("kind", ["cut_before", "cut_after", "cut_body", "error_after"])
def test_a_picture_whose_answer_is_lost_is_there_once(open_shop: OpenShop, kind: Any) -> None:
    shop = outward(open_shop)
    sku = shop.new_sku("PIC-{}")
    product_id = shop.make(sku)
    shop.export(product_id)
    shop.edit(product_id, image_1920=picture(sku))
    shot = shop.magento.faults.once(kind, "/media")
    assert shop.export(product_id).state == "done"
    assert shot.fired.is_set()
    assert len(files(shop, sku)) == 1


def test_a_picture_that_magento_has_is_not_sent_though_the_ledger_is_lost(open_shop: OpenShop) -> None:
    shop = outward(open_shop)
    sku = shop.new_sku("PIC-{}")
    product_id = shop.make(sku, image_1920=picture(sku))
    shop.export(product_id)
    entry = shop.raw(sku)["media_gallery_entries"]
    # Another product of Magento has the same picture already, under the bridge's name for it.
    (raw,) = shop.magento.add_products(1, configurable_share=0)
    shop.magento.catalog.change(raw["sku"], {"media_gallery_entries": entry})
    other = shop.make(raw["sku"], image_1920=picture(sku))
    shop.forget_calls()
    shop.export(other)
    assert shop.writes() == []
