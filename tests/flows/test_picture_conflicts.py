"""Pictures that were changed on the side that is not their master: shown, never lost, decided by a person."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from bridge.flows.wants import want
from bridge.ledger import Job
from tests.flows.conftest import OpenShop
from tests.support.outward_shop import OutwardShop
from tests.support.pictures import a_png

VERSIONS = (16, 18, 19)


def encoded(seed: int) -> str:
    return base64.b64encode(a_png(seed)).decode()


def shown(shop: OutwardShop, *states: str) -> list[tuple[str, str, bool]]:
    return [(one.field, one.master, one.overwritten_at is not None) for one in shop.conflicts(*states)]


def base_file(shop: OutwardShop, sku: str) -> str:
    rows = shop.raw(sku)["media_gallery_entries"]
    return next(str(row["file"]) for row in rows if "image" in row["types"])


def resolve(shop: OutwardShop, use: str) -> Job:
    (one,) = shop.conflicts()
    wanted = want("resolve-conflict", instance="shop", entity=str(one.id), data={"use": use})
    job_id = shop.ledger.jobs.want([wanted])[0].job_id
    shop.shop.work()
    return shop.shop.job(job_id)


def rest(shop: OutwardShop, sku: str, product_id: int) -> None:
    """Insist that nothing is anybody's change any more."""
    shop.forget_calls()
    for _ in range(2):
        shop.import_(sku)
        shop.export(product_id)
    assert (shop.writes(), shop.writes("odoo"), shop.conflicts()) == ([], [], [])


@pytest.fixture
def from_magento(open_shop: OpenShop):
    """Open a shop with a product whose picture the import brought to Odoo."""

    def open_one(version: int = 18) -> tuple[OutwardShop, str, int]:
        shop = OutwardShop(open_shop(version, own_box=True, auto_create_products=True))
        shop.magento.add_picture("SIM-01", a_png(1))
        shop.import_("SIM-01")
        binding = shop.ledger.bindings.get("shop", "product", shop.raw("SIM-01")["id"])
        assert binding is not None
        assert shop.row(binding.odoo_id)["image_1920"] == encoded(1)
        return shop, "SIM-01", binding.odoo_id

    return open_one


@pytest.fixture
def from_odoo(open_shop: OpenShop):
    """Open a shop with a product whose picture the export brought to Magento."""

    def open_one(version: int = 18) -> tuple[OutwardShop, str, int]:
        settings: Any = {"export_products": True, "sync_direction": "images=odoo,text=odoo", "own_box": True}
        shop = OutwardShop(open_shop(version, **settings))
        sku = shop.new_sku("PICON-{}")
        product_id = shop.make(sku, image_1920=encoded(1))
        shop.export(product_id)
        shop.import_(sku)
        assert shown(shop) == []
        return shop, sku, product_id

    return open_one


@pytest.mark.parametrize("version", VERSIONS)
def test_a_picture_changed_in_odoo_is_shown_and_not_overwritten(from_magento, version: int) -> None:
    shop, sku, product_id = from_magento(version)
    assert "conflicts" not in shop.export(product_id).result
    shop.edit(product_id, image_1920=encoded(9))
    assert shop.export(product_id).result["conflicts"] == 1
    assert shown(shop) == [("image", "magento", False)]
    # The ledger cannot keep a picture: Magento's new one waits.
    shop.magento.add_picture(sku, a_png(2), name="two.png")
    shop.import_(sku)
    assert shop.row(product_id)["image_1920"] == encoded(9)
    (one,) = shop.conflicts()
    assert one.magento_value == base_file(shop, sku)
    # Asked for again it is not even fetched.
    shop.forget_calls()
    shop.import_(sku)
    assert [key for key in shop.shop.box.calls.counts("magento") if "/media/catalog" in key[2]] == []
    # Taken back, what was held comes.
    shop.edit(product_id, image_1920=encoded(1))
    shop.export(product_id)
    assert shown(shop) == []
    shop.import_(sku)
    assert shop.row(product_id)["image_1920"] == encoded(2)
    rest(shop, sku, product_id)


def test_an_edit_that_nobody_had_looked_at_is_not_overwritten_either(from_magento) -> None:
    shop, sku, product_id = from_magento()
    shop.edit(product_id, image_1920=encoded(9))
    shop.magento.add_picture(sku, a_png(2), name="two.png")
    shop.import_(sku)
    assert (shop.row(product_id)["image_1920"], shown(shop)) == (encoded(9), [("image", "magento", False)])


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("use", ["magento", "odoo"])
@pytest.mark.parametrize("has_changed", [False, True])
def test_a_person_decides_about_a_picture_changed_in_odoo(
    from_magento, version: int, use: str, has_changed: bool
) -> None:
    shop, sku, product_id = from_magento(version)
    shop.edit(product_id, image_1920=encoded(9))
    if has_changed:
        shop.magento.add_picture(sku, a_png(2), name="two.png")
        shop.import_(sku)
    else:
        shop.export(product_id)
    before = base_file(shop, sku)
    job = resolve(shop, use)
    assert (job.state, job.error) == ("done", None)
    wanted = encoded(9) if use == "odoo" else encoded(2 if has_changed else 1)
    assert shop.row(product_id)["image_1920"] == wanted
    assert (base_file(shop, sku) == before) == (use == "magento")
    assert [one.used for one in shop.conflicts("resolved")] == [use]
    # Magento's own file of what was Odoo's is met once, and is the same.
    shop.import_(sku)
    assert shop.row(product_id)["image_1920"] == wanted
    rest(shop, sku, product_id)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_picture_changed_in_magento_is_shown_and_stays_in_its_gallery(from_odoo, version: int) -> None:
    shop, sku, product_id = from_odoo(version)
    shop.magento.add_picture(sku, a_png(9), name="mine.png")
    shop.import_(sku)
    assert shown(shop) == [("image", "odoo", False)]
    shop.edit(product_id, description_sale="Other")
    shop.export(product_id)
    assert "mine" in base_file(shop, sku)
    shop.edit(product_id, image_1920=encoded(2))
    shop.export(product_id)
    assert "mine" not in base_file(shop, sku)
    assert shown(shop) == [("image", "odoo", True)]
    assert len(shop.raw(sku)["media_gallery_entries"]) == 3
    shop.import_(sku)
    assert shown(shop) == [("image", "odoo", True)]
    # The first again: Magento has it, and shows the product by it.
    shop.edit(product_id, image_1920=encoded(1))
    shop.export(product_id)
    rows = shop.raw(sku)["media_gallery_entries"]
    assert [bool(row["types"]) for row in rows] == [True, False, False]
    shop.import_(sku)
    assert len(shown(shop)) == 1


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("use", ["magento", "odoo"])
@pytest.mark.parametrize("is_overwritten", [False, True])
def test_a_person_decides_about_a_picture_changed_in_magento(
    from_odoo, version: int, use: str, is_overwritten: bool
) -> None:
    shop, sku, product_id = from_odoo(version)
    shop.magento.add_picture(sku, a_png(9), name="mine.png")
    if is_overwritten:
        shop.edit(product_id, image_1920=encoded(2))
        shop.export(product_id)
    else:
        shop.import_(sku)
    job = resolve(shop, use)
    assert (job.state, job.error) == ("done", None)
    wanted = encoded(9) if use == "magento" else encoded(2 if is_overwritten else 1)
    assert shop.row(product_id)["image_1920"] == wanted
    assert ("mine" in base_file(shop, sku)) == (use == "magento")
    rest(shop, sku, product_id)


def test_a_picture_that_is_gone_cannot_be_chosen(from_odoo) -> None:
    shop, sku, _ = from_odoo()
    shop.magento.catalog.change(sku, {"media_gallery_entries": []})
    shop.import_(sku)
    assert [one.magento_value for one in shop.conflicts()] == ["none"]
    job = resolve(shop, "magento")
    assert (job.state, job.error_code) == ("blocked", "picture_unwritable")
    assert "shown by no picture" in job.error
    assert len(shop.conflicts()) == 1


@pytest.mark.parametrize("kind", ["cut_before", "cut_after"])
def test_roles_whose_answer_is_lost_are_given_once(from_odoo, kind: Any) -> None:
    shop, sku, product_id = from_odoo()
    shop.magento.add_picture(sku, a_png(9), name="mine.png")
    shop.import_(sku)
    shot = shop.magento.faults.once(kind, only=lambda call: call.method == "PUT" and "/media/" in call.path)
    assert resolve(shop, "odoo").state == "done"
    assert shot.fired.is_set()
    assert "mine" not in base_file(shop, sku)
    rest(shop, sku, product_id)
