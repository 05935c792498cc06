"""Edits on the side that is not a field's master: shown, kept when they are overwritten, and decided by a person."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.flows.wants import want
from tests.flows.conftest import OpenShop
from tests.support.once import is_in_doubt, pump_until
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
    shop, _, product_id = known(sync_direction="odoo")
    shop.edit(product_id, default_code="RENAMED")
    shop.forget_calls()
    assert shop.export(product_id).result == {"unchanged": 1, "conflicts": 1}
    assert (shop.writes(), [one[0] for one in shown(shop)]) == ([], ["default_code"])


def test_the_edit_of_a_formatting_is_seen_once_odoo_was_read(known) -> None:
    shop, _, product_id = known()
    shop.export(product_id)
    shop.edit(product_id, description="<p><b>No. 1</b></p>")
    assert shop.export(product_id).result == {"unchanged": 1, "conflicts": 1}


def resolve(shop: OutwardShop, use: str) -> Any:
    (one,) = shop.conflicts()
    wanted = want("resolve-conflict", instance="shop", entity=str(one.id), data={"use": use})
    job_id = shop.ledger.jobs.want([wanted])[0].job_id
    shop.shop.work()
    return shop.shop.job(job_id)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("field", "odoo", "magento"),
    [
        ("name", {"name": "Edited"}, {"name": "Edited"}),
        ("description", {"description": "<p>Edited</p>"}, {"description": "<p>Edited</p>"}),
        ("active", {"active": False}, {"status": 2}),
        ("weight", {"weight": 4.0}, {"weight": 8.818490}),
    ],
)
@pytest.mark.parametrize("use", ["magento", "odoo"])
def test_a_person_decides_and_both_sides_have_it(
    known, version: int, field: str, odoo: dict, magento: dict, use: str
) -> None:
    shop, sku, product_id = known(version)
    before = {**shop.raw(sku), **shop.attributes(sku)}
    shop.edit(product_id, **odoo)
    shop.export(product_id)
    job = resolve(shop, use)
    assert (job.state, job.error) == ("done", None)
    assert job.result["written_to"] == ["odoo" if use == "magento" else "magento"]
    (name, value) = next(iter(magento.items()))
    wanted = value if use == "odoo" else before[name]
    assert {**shop.raw(sku), **shop.attributes(sku)}[name] == wanted
    assert (shop.conflicts(), [one.used for one in shop.conflicts("resolved")]) == ([], [use])
    # The decision is no change of anybody's.
    shop.forget_calls()
    assert shop.import_(sku).result == {"unchanged": 1}
    assert shop.export(product_id).result == {"unchanged": 1}
    assert (shop.conflicts(), shop.writes(), shop.writes("odoo")) == ([], [], [])


@pytest.mark.parametrize("use", ["magento", "odoo"])
def test_an_overwritten_edit_can_still_be_chosen(known, use: str) -> None:
    shop, sku, product_id = known()
    shop.edit(product_id, name="Edited")
    shop.magento.catalog.change(sku, {"name": "Cup"})
    shop.import_(sku)
    job = resolve(shop, use)
    assert job.result["written_to"] == (["magento", "odoo"] if use == "odoo" else [])
    wanted = "Edited" if use == "odoo" else "Cup"
    assert (shop.raw(sku)["name"], shop.row(product_id)["name"]) == (wanted, wanted)


def test_what_magento_has_no_place_for_blocks_with_what_to_do(known) -> None:
    shop, _, product_id = known()
    shop.edit(product_id, default_code="RENAMED")
    shop.export(product_id)
    job = resolve(shop, "odoo")
    assert (job.state, job.error_code) == ("blocked", "conflict_unwritable")
    assert "cannot be renamed" in job.help
    assert len(shop.conflicts()) == 1


def test_what_odoo_makes_of_html_and_numbers_is_no_edit(known) -> None:
    shop, sku, product_id = known()
    shop.magento.catalog.change(sku, {"description": "plain text"})
    shop.import_(sku)
    # As a real Odoo stores them: 0.226796 with two digits, and text in a paragraph.
    shop.edit(product_id, weight=0.23, description="<p>plain text</p>")
    shop.forget_calls()
    assert shop.export(product_id).result == {"unchanged": 1}
    shop.magento.catalog.change(sku, {"description": "other text"})
    shop.import_(sku)
    assert shop.conflicts() == []
    # From then on it is known as Odoo has it: a real edit is seen.
    shop.edit(product_id, weight=0.235)
    shop.export(product_id)
    assert [one.field for one in shop.conflicts()] == ["weight"]


def test_an_edit_is_kept_before_the_write_that_takes_its_place(known) -> None:
    shop, sku, product_id = known(sync_direction="odoo")
    shop.magento.catalog.change(sku, {"name": "Edited"})
    shop.edit(product_id, name="Cup")
    # The write happens, and nobody hears of it: what was there before can be read nowhere any more.
    shot = shop.magento.faults.once("cut_after", only=lambda call: call.method == "PUT")
    assert shop.export(product_id).state == "done"
    assert shot.fired.is_set()
    assert shop.raw(sku)["name"] == "Cup"
    assert shown(shop) == [("name", "odoo", "Edited", "Cup", True)]


@pytest.mark.parametrize("version", VERSIONS)
def test_our_own_write_is_nobodys_edit_though_its_answer_was_lost_and_the_master_went_on(
    known, version: int
) -> None:
    shop, sku, product_id = known(version)
    shop.magento.catalog.change(sku, {"name": "First"})
    shot = shop.odoo.faults.once("cut_after", "product.product.load")
    wanted = want("import-product", instance="shop", entity=str(shop.raw(sku)["id"]))
    job_id = shop.ledger.jobs.want([wanted])[0].job_id
    pump_until(shop.shop, lambda: is_in_doubt(shop.shop, job_id), what="in doubt")
    assert shot.fired.is_set()
    assert shop.row(product_id)["name"] == "First"
    shop.magento.catalog.change(sku, {"name": "Second"})
    shop.shop.work()
    assert (shop.shop.job(job_id).state, shop.row(product_id)["name"]) == ("done", "Second")
    assert shown(shop) == []
