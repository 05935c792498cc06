"""Edits on the side that is not a field's master: shown, kept when they are overwritten, and decided by a person."""

from __future__ import annotations

from typing import Any

import pytest

from tests.flows.conftest import OpenShop
from tests.support.outward_shop import OutwardShop

VERSIONS = (16, 18, 19)


@pytest.fixture
def known(open_shop: OpenShop):
    """Open a shop with a product of Magento that the import made in Odoo."""

    def open_one(version: int = 18, **settings: Any) -> tuple[OutwardShop, str, int]:
        given = {"export_products": True, "auto_create_products": True, **settings}
        shop = OutwardShop(open_shop(version, own_box=False, **given))
        sku = shop.new_sku("CON-{}")
        (raw,) = shop.magento.add_products(1, configurable_share=0)
        shop.magento.catalog.add(
            {**raw, "sku": sku, "name": "Mug", "status": 1, "type_id": "simple", "weight": 0.5}
        )
        assert shop.import_(sku).result == {"made": 1}
        binding = shop.ledger.bindings.get("shop", "product", raw["id"])
        assert binding is not None
        return shop, sku, binding.odoo_id

    return open_one


def shown(shop: OutwardShop, *states: str) -> list[tuple[str, str, str, str, bool]]:
    return [
        (one.field, one.master, one.magento_value, one.odoo_value, one.overwritten_at is not None)
        for one in shop.conflicts(*states)
    ]


@pytest.mark.parametrize("version", VERSIONS)
def test_an_edit_in_odoo_of_what_magento_is_master_of_is_shown_and_stays(known, version: int) -> None:
    shop, sku, product_id = known(version)
    shop.edit(product_id, name="Edited", weight=9.0)
    shop.forget_calls()
    assert shop.export(product_id).result == {"unchanged": 1, "conflicts": 2}
    assert shop.writes() == []
    assert shown(shop) == [
        ("name", "magento", "Mug", "Edited", False),
        ("weight", "magento", "0.226796", "9", False),
    ]
    # Magento changes another field: the edits stay.
    shop.magento.catalog.change(sku, {"description": "<p>New</p>"})
    shop.import_(sku)
    row = shop.row(product_id)
    assert (row["name"], row["weight"], row["description"]) == ("Edited", 9.0, "<p>New</p>")
    assert len(shown(shop)) == 2


@pytest.mark.parametrize("version", VERSIONS)
def test_an_edit_that_the_master_overwrites_is_kept(known, version: int) -> None:
    shop, sku, product_id = known(version)
    shop.edit(product_id, name="Edited")
    shop.magento.catalog.change(sku, {"name": "Cup"})
    # Nobody had looked at Odoo before.
    assert shop.import_(sku).result == {"updated": 1}
    assert shop.row(product_id)["name"] == "Cup"
    assert shown(shop) == [("name", "magento", "Cup", "Edited", True)]
    assert shop.export(product_id).result == {"unchanged": 1}
    assert shown(shop) == [("name", "magento", "Cup", "Edited", True)]


@pytest.mark.parametrize("version", VERSIONS)
def test_an_edit_in_magento_of_what_odoo_is_master_of_is_shown_stays_and_is_kept(known, version: int) -> None:
    shop, sku, product_id = known(version, sync_direction="text=odoo")
    shop.magento.catalog.change(sku, {"name": "Edited", "weight": 2})
    assert shop.import_(sku).result == {"updated": 1}
    row = shop.row(product_id)
    assert (row["name"], round(row["weight"], 2)) == ("Mug", 0.91)
    assert shown(shop) == [("name", "odoo", "Edited", "Mug", False)]
    # The export leaves it while Odoo does not change that field.
    shop.edit(product_id, description_sale="Short")
    assert shop.export(product_id).result == {"updated": 1, "conflicts": 1}
    assert (shop.raw(sku)["name"], shop.attributes(sku)["short_description"]) == ("Edited", "Short")
    shop.edit(product_id, name="Cup")
    shop.export(product_id)
    assert shop.raw(sku)["name"] == "Cup"
    assert shown(shop) == [("name", "odoo", "Edited", "Cup", True)]
    assert shop.import_(sku).result == {"unchanged": 1}
    assert len(shown(shop, "open", "gone", "resolved")) == 1


def test_an_edit_that_is_taken_back_or_made_on_both_sides_is_no_conflict(known) -> None:
    shop, sku, product_id = known()
    shop.edit(product_id, name="Edited")
    shop.export(product_id)
    shop.edit(product_id, name="Mug")
    shop.export(product_id)
    assert shown(shop) == []
    assert shown(shop, "gone") == [("name", "magento", "Mug", "Edited", False)]
    shop.edit(product_id, name="Same")
    shop.magento.catalog.change(sku, {"name": "Same"})
    shop.forget_calls()
    assert shop.import_(sku).result == {"unchanged": 1}
    assert shop.export(product_id).result == {"unchanged": 1}
    assert (shown(shop), shop.writes("odoo"), shop.writes()) == ([], [], [])


def test_an_edit_in_magento_that_is_taken_back_is_gone(known) -> None:
    shop, sku, _ = known(sync_direction="odoo")
    for name in ("Edited", "Mug"):
        shop.magento.catalog.change(sku, {"name": name})
        shop.import_(sku)
    assert (shown(shop), len(shown(shop, "gone"))) == ([], 1)


def test_a_sku_cannot_be_renamed_in_magento_so_an_edit_of_it_is_a_conflict(known) -> None:
    shop, _sku, product_id = known(sync_direction="odoo")
    shop.edit(product_id, default_code="RENAMED")
    shop.forget_calls()
    assert shop.export(product_id).result == {"unchanged": 1, "conflicts": 1}
    assert (shop.writes(), [one[0] for one in shown(shop)]) == ([], ["default_code"])


def test_the_edit_of_a_formatting_is_seen_once_odoo_was_read(known) -> None:
    shop, _sku, product_id = known()
    shop.export(product_id)
    shop.edit(product_id, description="<p><b>No. 1</b></p>")
    assert shop.export(product_id).result == {"unchanged": 1, "conflicts": 1}
