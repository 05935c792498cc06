"""Pictures in a real Odoo, which makes large ones smaller and keeps sizes of its own: each is sent only when it changed."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from bridge.odoo import OdooClient
from tests.flows.test_export_images import (
    test_a_picture_that_the_import_brought_does_not_go_back_until_it_changes,
)
from tests.live.conftest import OpenShop
from tests.support.outward_shop import OutwardShop
from tests.support.pictures import a_png

#: Wider than Odoo keeps.
WIDE = 2500


def pictured(shop: OutwardShop, content: bytes) -> tuple[str, int]:
    """Import a new product of Magento with a picture; return its SKU and its id in Odoo."""
    sku = shop.new_sku("PIC-{}")
    (raw,) = shop.magento.add_products(1, configurable_share=0)
    shop.magento.catalog.add({**raw, "sku": sku, "name": sku, "status": 1, "type_id": "simple"})
    shop.magento.add_picture(sku, content)
    assert shop.import_(sku).result["made"] == 1
    binding = shop.ledger.bindings.get("shop", "product", raw["id"])
    assert binding is not None
    return sku, binding.odoo_id


def in_odoo(odoo: OdooClient, product_id: int, name: str = "image_1920") -> bytes:
    (row,) = odoo.read("product.product", [product_id], [name])
    return base64.b64decode(row[name] or "")


def sent(shop: OutwardShop) -> tuple[int, int]:
    """Return how many files were fetched and how many writes Odoo got, since the calls were forgotten."""
    calls = shop.shop.box.calls
    found = calls.total("magento", contains="/media/"), len(shop.writes("odoo"))
    shop.forget_calls()
    return found


@pytest.mark.parametrize("width", [1, WIDE])
def test_a_picture_arrives_once_and_again_only_with_other_bytes(
    open_shop: OpenShop, odoo: OdooClient, width: int
) -> None:
    shop = OutwardShop(open_shop(auto_create_products=True, own_box=True))
    sku, product_id = pictured(shop, a_png(1, width=width))
    first = in_odoo(odoo, product_id)
    # What is small enough is kept as it came.
    assert (first == a_png(1)) == (width == 1)
    assert first
    shop.forget_calls()
    shop.import_(sku)
    assert sent(shop) == (0, 0)
    # Another entry with the same bytes is fetched and not sent, other bytes are sent.
    shop.magento.add_picture(sku, a_png(1, width=width))
    shop.import_(sku)
    assert sent(shop) == (1, 0)
    shop.magento.add_picture(sku, a_png(0xFF0000, width=width), name="back.png")
    shop.import_(sku)
    assert sent(shop) == (1, 1)
    assert in_odoo(odoo, product_id) not in {first, b""}


def test_a_picture_of_odoo_goes_once_and_a_new_one_beside_it(open_shop: OpenShop) -> None:
    shop = OutwardShop(
        open_shop(own_box=True, export_products=True, sync_direction="images=odoo", auto_create_products=True)
    )
    sku = shop.new_sku("PIC/{}")

    def picture(seed: int, width: int = 3) -> str:
        return base64.b64encode(a_png(seed, width=width)).decode()

    def entries() -> list[dict[str, Any]]:
        return list(shop.raw(sku)["media_gallery_entries"])

    product_id = shop.make(sku, image_1920=picture(1))
    shop.export(product_id)
    assert [one["types"] for one in entries()] == [["image", "small_image", "thumbnail"]]
    shop.edit(product_id, description_sale="Other")
    shop.forget_calls()
    shop.export(product_id)
    assert [one for one in shop.writes() if "media" in one] == []
    shop.edit(product_id, image_1920=picture(0x00FF00, WIDE))
    shop.export(product_id)
    assert [len(one["types"]) for one in entries()] == [0, 3]
    # The first again, and then none: Magento keeps what it has.
    shop.edit(product_id, image_1920=picture(1))
    shop.export(product_id)
    shop.edit(product_id, image_1920=False)
    shop.export(product_id)
    assert len(entries()) == 2
