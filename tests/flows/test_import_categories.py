"""``bridge run import-categories``: Magento's tree of categories in Odoo, once, whatever breaks on the way."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from bridge.engine import run_job
from bridge.flows.wants import want
from bridge.ledger import Job, JobId, Ledger
from bridge.sandbox.magento.data import load_data
from tests.flows.conftest import SECRET_KEY, OpenShop
from tests.support.shop import HURRIED, ROOM, Shop

VERSIONS = (16, 18, 19)
MODEL = "product.category"
#: How the recorded shop's tree is called in Odoo.
RECORDED = {
    2: "Default Category",
    3: "Default Category / Apparel",
    4: "Default Category / Apparel / Shirts",
    5: "Default Category / Hardware",
}


def opened(open_shop: OpenShop, version: int = 18, **more: Any) -> Shop:
    """Return a shop with the recorded tree of categories."""
    shop = open_shop(version, **more)
    shop.box.magento.categories.restore(load_data("categories"))
    return shop


def wanted(shop: Shop) -> JobId:
    return shop.ledger.jobs.want([want("import-categories", instance="shop", entity="all")])[0].job_id


def imported(shop: Shop) -> Job:
    job_id = wanted(shop)
    shop.work()
    return shop.job(job_id)


def done(shop: Shop) -> dict[str, int]:
    """Import the categories and return how many were made, changed and left."""
    job = imported(shop)
    assert (job.state, job.error) == ("done", None)
    assert job.result is not None
    found: dict[str, int] = job.result["categories"]
    return found


def blocked(shop: Shop, code: str) -> Job:
    job = imported(shop)
    assert (job.state, job.error_code) == ("blocked", code), job.error
    return job


def rows(shop: Shop) -> dict[int, dict[str, Any]]:
    return {row["id"]: row for row in shop.box.odoo.records(MODEL)}


def odoo_id(shop: Shop, category_id: int) -> int:
    binding = shop.ledger.bindings.get("shop", "category", category_id)
    assert binding is not None
    return binding.odoo_id


def names(shop: Shop) -> dict[int, str]:
    """Return the whole names in Odoo of what is bound, by Magento's ids."""
    there = rows(shop)

    def name(one: int) -> str:
        parent = there[one].get("parent_id")
        return f"{name(parent)} / {there[one]['name']}" if parent else str(there[one]["name"])

    bindings = shop.ledger.bindings.list("shop", kind="category", limit=1000)
    return {int(binding.magento_id): name(binding.odoo_id) for binding in bindings}


def count(shop: Shop, method: str) -> int:
    """Return how often a method of categories was called in Odoo."""
    counts = shop.box.calls.counts()
    return sum(number for (_, _, operation), number in counts.items() if operation == f"{MODEL}.{method}")


@pytest.mark.parametrize("version", VERSIONS)
def test_the_tree_is_made_level_by_level_and_again_nothing_is_written(
    open_shop: OpenShop, version: int
) -> None:
    shop = opened(open_shop, version)
    before = len(rows(shop))
    assert done(shop) == {"made": 4, "changed": 0, "unchanged": 0}
    assert names(shop) == RECORDED
    assert len(rows(shop)) == before + 4
    assert (count(shop, "load"), count(shop, "write")) == (3, 0)
    shop.box.calls.reset()
    assert done(shop) == {"made": 0, "changed": 0, "unchanged": 4}
    # One page of categories and one look whether the bound ones are there.
    assert sum(shop.box.calls.counts().values()) == 2
    binding = shop.ledger.bindings.get("shop", "category", 4)
    assert binding is not None
    assert (binding.odoo_model, binding.magento_label) == (MODEL, "Shirts")


@pytest.mark.parametrize("version", VERSIONS)
def test_moves_and_new_names_are_written_and_nothing_else(open_shop: OpenShop, version: int) -> None:
    shop = opened(open_shop, version)
    done(shop)
    ids = {number: odoo_id(shop, number) for number in RECORDED}
    categories = shop.box.magento.categories
    # Parent and child change places: on the way there may be no loop.
    categories.change(4, parent_id=2)
    categories.change(3, parent_id=4, name="Clothes")
    shop.box.calls.reset()
    assert done(shop) == {"made": 0, "changed": 2, "unchanged": 2}
    assert count(shop, "write") == 2
    assert names(shop) == RECORDED | {
        4: "Default Category / Shirts", 3: "Default Category / Shirts / Clothes",
    }  # fmt: skip
    assert {number: odoo_id(shop, number) for number in RECORDED} == ids
    # There and back again, the same change twice.
    for name in ("Tools", "Hardware", "Tools"):
        categories.change(5, name=name)
        assert done(shop)["changed"] == 1
        assert names(shop)[5] == f"Default Category / {name}"
    new = categories.add("Caps", 3)
    categories.change(4, parent_id=1)
    assert done(shop) == {"made": 1, "changed": 1, "unchanged": 3}
    assert names(shop)[new] == "Shirts / Clothes / Caps"


def test_what_people_change_in_odoo_stays_until_magento_changes_it(open_shop: OpenShop) -> None:
    shop = opened(open_shop)
    done(shop)
    shop.box.odoo.write(MODEL, odoo_id(shop, 5), {"name": "Our own name"})
    assert done(shop)["changed"] == 0
    assert names(shop)[5] == "Default Category / Our own name"
    shop.box.magento.categories.change(5, name="Tools")
    assert done(shop)["changed"] == 1
    assert names(shop)[5] == "Default Category / Tools"


@pytest.mark.parametrize("version", VERSIONS)
def test_a_category_that_a_person_made_is_taken_and_stays_the_only_one_of_its_name(
    open_shop: OpenShop, version: int
) -> None:
    shop = opened(open_shop, version, own_box=True)
    root = shop.box.odoo.create(MODEL, {"name": "Default Category"})
    apparel = shop.box.odoo.create(MODEL, {"name": "Apparel", "parent_id": root})
    # The same name elsewhere, and twice: nobody can tell which is meant.
    shop.box.odoo.create(MODEL, {"name": "Shirts", "parent_id": root})
    for _ in range(2):
        shop.box.odoo.create(MODEL, {"name": "Hardware", "parent_id": root})
    there = len(rows(shop))
    assert done(shop) == {"made": 2, "bound": 2, "changed": 0, "unchanged": 0}
    assert (odoo_id(shop, 2), odoo_id(shop, 3)) == (root, apparel)
    assert names(shop) == RECORDED
    assert len(rows(shop)) == there + 2
    assert count(shop, "write") == 0
    assert done(shop) == {"made": 0, "changed": 0, "unchanged": 4}


def test_what_the_bridge_made_is_no_other_categorys_though_the_name_is_given_again(
    open_shop: OpenShop,
) -> None:
    shop = opened(open_shop, own_box=True)
    done(shop)
    ids = {number: odoo_id(shop, number) for number in RECORDED}
    # The ledger is lost; meanwhile Magento gave the name to a category that is older.
    for number in RECORDED:
        shop.ledger.bindings.drop("shop", "category", number)
    shop.box.magento.categories.change(5, name="Apparel")
    shop.box.magento.categories.change(3, name="Hardware")
    done(shop)
    assert {number: odoo_id(shop, number) for number in RECORDED} == ids
    assert names(shop)[5] == "Default Category / Apparel"


def test_twins_below_one_parent_get_their_ids_behind_the_name(open_shop: OpenShop) -> None:
    shop = opened(open_shop)
    twin = shop.box.magento.categories.add("Hardware", 2)
    elsewhere = shop.box.magento.categories.add("Hardware", 3)
    done(shop)
    assert names(shop) == RECORDED | {
        twin: f"Default Category / Hardware ({twin})",
        elsewhere: "Default Category / Apparel / Hardware",
    }
    # The older one goes: the name is free.
    shop.box.magento.categories.remove(5)
    assert done(shop)["changed"] == 1
    assert names(shop)[twin] == "Default Category / Hardware"


def test_hundreds_of_categories_take_one_load_for_each_hundred_of_a_level(open_shop: OpenShop) -> None:
    shop = opened(open_shop)
    for number in range(240):
        shop.box.magento.categories.add(f"Kind {number}", 5)
    assert done(shop)["made"] == 244
    assert count(shop, "load") == 1 + 1 + 3
    assert (
        len({row["name"] for row in rows(shop).values() if row.get("parent_id") == odoo_id(shop, 5)}) == 240
    )


@pytest.mark.parametrize(
    ("number", "damage", "said"),
    [
        (4, {"name": ""}, "category 4 has no name"),
        (4, {"parent_id": 77}, "category 4 (Shirts) is below category 77, which is not there"),
        (3, {"parent_id": 4}, "category 3 (Apparel) is below itself"),
    ],
)
def test_a_broken_tree_blocks_with_nothing_written(
    open_shop: OpenShop, number: int, damage: dict[str, Any], said: str
) -> None:
    shop = opened(open_shop)
    before = len(rows(shop))
    whole = load_data("categories")
    shop.box.magento.categories.change(number, **damage)
    job = blocked(shop, "catalog_unclear")
    assert said in str(job.error)
    assert "Correct it in Magento" in str(job.help)
    assert len(rows(shop)) == before
    assert shop.ledger.bindings.list("shop", kind="category") == []
    shop.box.magento.categories.restore(whole)
    shop.ledger.jobs.retry(job.id)
    shop.work()
    assert shop.job(job.id).state == "done"
    assert names(shop) == RECORDED


@pytest.mark.parametrize("version", VERSIONS)
def test_a_category_that_was_deleted_in_odoo_blocks_and_is_not_made_again(
    open_shop: OpenShop, version: int
) -> None:
    shop = opened(open_shop, version, own_box=True)
    done(shop)
    # Odoo deletes what is below it, too.
    shop.box.odoo.delete(MODEL, odoo_id(shop, 3))
    shop.box.magento.categories.add("Caps", 5)
    before = len(rows(shop))
    job = blocked(shop, "bound_record_gone")
    assert "Apparel (3), Shirts (4)" in str(job.error)
    assert len(rows(shop)) == before
    assert shop.ledger.jobs.retry(job.id).changed
    shop.work()
    assert shop.job(job.id).state == "blocked"
    # A person makes others in their places; the parent alone does not do.
    parent = shop.box.odoo.create(MODEL, {"name": "Apparel", "parent_id": odoo_id(shop, 2)})
    assert "deleted in Odoo: Shirts (4)." in str(blocked(shop, "bound_record_gone").error)
    shop.box.odoo.create(MODEL, {"name": "Shirts", "parent_id": odoo_id(shop, 5)})
    assert blocked(shop, "bound_record_gone").state == "blocked"
    child = shop.box.odoo.create(MODEL, {"name": "Shirts", "parent_id": parent})
    assert done(shop) == {"made": 1, "changed": 0, "unchanged": 4}
    assert (odoo_id(shop, 3), odoo_id(shop, 4)) == (parent, child)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("fault", ["cut_before", "cut_after", "cut_body", "error_after"])
def test_a_load_whose_answer_is_lost_makes_each_category_once(
    open_shop: OpenShop, version: int, fault: Any
) -> None:
    shop = opened(open_shop, version)
    before = len(rows(shop))
    shot = shop.box.odoo.faults.once(fault, f"{MODEL}.load", times=2)
    job_id = wanted(shop)
    shop.work()
    assert shot.fired.is_set()
    assert (shop.job(job_id).state, shop.job(job_id).error) == ("done", None)
    assert names(shop) == RECORDED
    assert len(rows(shop)) == before + 4


def test_what_changes_during_a_doubt_is_written_after_it(open_shop: OpenShop) -> None:
    shop = opened(open_shop)
    before = len(rows(shop))
    first = shop.box.odoo.hold_commit(f"{MODEL}.load", cut=True)
    job_id = wanted(shop)
    shop.ledger.jobs.dispatch(ROOM, limit=1)
    run_job(shop.runtime, job_id)
    assert first.fired.is_set()
    assert shop.job(job_id).state == "retry_waiting"
    # While nobody knows: another name, and another category on the level of the first.
    shop.box.magento.categories.change(2, name="All goods")
    shop.box.magento.categories.add("Second root", 1)
    first.release()
    shop.work()
    assert shop.job(job_id).state == "done"
    assert names(shop)[2] == "All goods"
    assert len(rows(shop)) == before + 5


@pytest.mark.parametrize("fault", ["cut_before", "cut_after", "error_after"])
def test_a_write_whose_answer_is_lost_is_settled_before_a_newer_one(open_shop: OpenShop, fault: Any) -> None:
    shop = opened(open_shop)
    done(shop)
    shop.box.magento.categories.change(5, name="Tools")
    shot = shop.box.odoo.faults.once(fault, f"{MODEL}.write")
    assert done(shop)["changed"] == 1
    assert shot.fired.is_set()
    assert names(shop)[5] == "Default Category / Tools"


def test_a_lost_ledger_finds_every_category_again_and_makes_none(
    open_shop: OpenShop, empty_ledger: Path, tmp_path: Path
) -> None:
    shop = opened(open_shop)
    done(shop)
    ids = {number: odoo_id(shop, number) for number in RECORDED}
    there = len(rows(shop))
    shop.box.magento.categories.change(5, name="Tools")
    path = tmp_path / "new.db"
    shutil.copyfile(empty_ledger, path)
    ledger = Ledger.open(f"sqlite:///{path}", secret_key=SECRET_KEY, lengths=HURRIED)
    again = Shop(shop.box, ledger)
    try:
        done(again)
        assert {number: odoo_id(again, number) for number in RECORDED} == ids
        assert names(again) == RECORDED | {5: "Default Category / Tools"}
        assert len(rows(again)) == there
    finally:
        again.close()


def test_a_worker_that_died_between_answer_and_binding_costs_nothing(open_shop: OpenShop) -> None:
    shop = opened(open_shop, own_box=True)
    done(shop)
    ids = {number: odoo_id(shop, number) for number in RECORDED}
    there = len(rows(shop))
    shop.box.magento.categories.change(5, name="Tools")
    for number in (3, 5):
        shop.ledger.bindings.drop("shop", "category", number)
    shop.box.calls.reset()
    done(shop)
    assert count(shop, "load") == 0
    assert {number: odoo_id(shop, number) for number in RECORDED} == ids
    assert names(shop) == RECORDED | {5: "Default Category / Tools"}
    assert len(rows(shop)) == there
    # What the ledger knows to be made and Odoo does not have was deleted.
    caps = shop.box.magento.categories.add("Caps", 5)
    done(shop)
    shop.box.odoo.delete(MODEL, odoo_id(shop, caps))
    shop.ledger.bindings.drop("shop", "category", caps)
    assert f"Caps ({caps})" in str(blocked(shop, "bound_record_gone").error)
    assert len(rows(shop)) == there
    again = shop.box.odoo.create(MODEL, {"name": "Caps", "parent_id": odoo_id(shop, 5)})
    done(shop)
    assert odoo_id(shop, caps) == again


def test_a_replica_that_lags_does_not_look_like_a_deletion(open_shop: OpenShop) -> None:
    shop = opened(open_shop, 19, own_box=True)
    shop.box.odoo.faults.set(stale_reads=1.0)
    assert done(shop)["made"] == 4
    shop.box.odoo.faults.clear()
    assert names(shop) == RECORDED
    assert done(shop)["unchanged"] == 4


def test_an_integration_without_the_right_to_categories_blocks_and_says_which(open_shop: OpenShop) -> None:
    shop = opened(open_shop, own_box=True)
    shop.box.magento.guard.allowed = frozenset({"Magento_Catalog::products"})
    assert "Magento_Catalog::categories" in str(blocked(shop, "access_missing").error)


def test_the_bridges_own_user_may_make_categories(open_shop: OpenShop) -> None:
    shop = opened(open_shop, own_box=True)
    shop.box.odoo.set_rights("products")
    assert done(shop)["made"] == 4
    shop.box.odoo.set_rights("contacts")
    shop.box.magento.categories.add("Caps", 5)
    assert blocked(shop, "access_missing").state == "blocked"
