"""The installation id stands in Odoo before anything is keyed by it: a lost ledger doubles nothing (RULES 2.2)."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from bridge.flows.wants import want
from bridge.idempotency import external_id, store_external_id
from bridge.ledger import Want
from tests.flows.conftest import OpenShop
from tests.support.once import Working, wait_for
from tests.support.orders import bound, calls, new_order, partners_of
from tests.support.shop import Shop

TAG = "res.partner.category"


def tags(shop: Shop) -> list[str]:
    return [row["name"] for row in shop.box.odoo.records(TAG)]


def installation_id(shop: Shop) -> str:
    return shop.ledger.instances.get("shop").installation_id


def done(shop: Shop, raw: dict[str, Any]) -> None:
    job = shop.import_order(raw)
    assert (job.state, job.error) == ("done", None)


def bindings(shop: Shop) -> dict[tuple[str, str], tuple[int, Any]]:
    return {
        (one.kind, one.magento_id): (one.odoo_id, one.order_items_json)
        for one in shop.ledger.bindings.list("shop", limit=1000)
    }


def counts(shop: Shop) -> Counter[str]:
    models = ("sale.order", "sale.order.line", "res.partner", "product.product", "mail.message", TAG)
    return Counter({model: len(shop.box.odoo.records(model)) for model in models})


@pytest.mark.parametrize("version", [16, 18, 19])
def test_all_orders_imported_again_after_a_lost_ledger_make_no_double_and_are_bound(
    open_shop: OpenShop, version: int
) -> None:
    shop = open_shop(version, own_box=True, order_action="confirm", auto_create_products=True)
    orders = [new_order(shop, kind) for kind in ("simple", "configurable", "bundle, dynamic price")]
    for raw in orders:
        done(shop, raw)
    before, known = counts(shop), bindings(shop)
    again = open_again(open_shop, shop, order_action="confirm", auto_create_products=True)
    assert installation_id(again) != installation_id(shop)
    again.map_all(orders)
    for raw in orders:
        done(again, raw)
        assert len(again.sale_orders(raw)) == 1
        assert len(partners_of(again, raw["customer_email"])) == 1
    assert installation_id(again) == installation_id(shop)
    assert counts(again) == before
    assert bindings(again) == known


def open_again(open_shop: OpenShop, shop: Shop, **settings: Any) -> Shop:
    """Return the same shop and database with a new ledger, as after the old one was lost."""
    return open_shop(box=shop.box, **settings)


def test_the_tag_carries_the_id_and_costs_nothing_once_it_is_known(open_shop: OpenShop) -> None:
    shop = open_shop(own_box=True)
    first = new_order(shop)
    done(shop, first)
    assert tags(shop) == [f"CommerceBridge installation {installation_id(shop)} (keep)"]
    made = shop.box.odoo.external_id(store_external_id(shop.box.magento.url))
    assert made == (TAG, shop.box.odoo.records(TAG)[0]["id"])
    assert calls(shop)[f"odoo: {TAG}.load"] == 1
    shop.box.calls.reset()
    done(shop, new_order(shop))
    assert not [name for name in calls(shop) if TAG in name]


def test_one_store_is_one_however_its_address_is_written(open_shop: OpenShop) -> None:
    shop = open_shop(own_box=True)
    done(shop, new_order(shop))
    shop.set(base_url=shop.box.magento.url.replace("http://127", "HTTP://127") + "//")
    shop.box.calls.reset()
    done(shop, new_order(shop))
    assert not [name for name in calls(shop) if TAG in name]


def test_of_two_bridges_that_meet_a_store_at_once_both_take_the_id_of_the_first(open_shop: OpenShop) -> None:
    shop = open_shop(own_box=True)
    other = open_again(open_shop, shop)
    first, second = new_order(shop), new_order(other)
    shop.map_all([second])
    other.map_all([first])
    hold = shop.box.odoo.hold_commit(f"{TAG}.load")
    working = Working(lambda: done(shop, first))
    wait_for(hold.fired.is_set, what="the first bridge is about to commit")
    late = Working(lambda: done(other, second))
    wait_for(lambda: calls(other).get(f"odoo: {TAG}.load") == 2, what="the second bridge asked, too")
    hold.release()
    working.end()
    late.end()
    assert installation_id(shop) == installation_id(other)
    assert len(tags(shop)) == 1
    for raw in (first, second):
        name = external_id(installation_id(shop), "order", str(raw["entity_id"]))
        assert shop.box.odoo.external_id(name) is not None
    done(other, first)
    assert bound(other, first)["id"] == bound(shop, first)["id"]


def test_another_id_in_odoo_blocks_an_instance_that_has_written_before(open_shop: OpenShop) -> None:
    shop = open_shop(own_box=True)
    raw = new_order(shop)
    done(shop, raw)
    own = installation_id(shop)
    other = "5f1d7d8e-0000-4000-8000-000000000001"
    tag_id = shop.box.odoo.records(TAG)[0]["id"]
    shop.box.odoo.write(TAG, tag_id, {"name": f"CommerceBridge installation {other} (keep)"})
    # Odoo under another address is asked anew: it may be another database.
    shop.set(odoo_url=shop.box.odoo.url.replace("127.0.0.1", "localhost"))
    late = new_order(shop)
    job = shop.import_order(late)
    assert (job.state, job.error_code) == ("blocked", "settings_wrong")
    assert f"under the installation id {other}" in str(job.error)
    assert "remove the instance and add it anew" in str(job.help)
    assert shop.sale_orders(late) == []
    assert installation_id(shop) == own


def test_a_tag_whose_name_says_no_id_blocks_until_it_does(open_shop: OpenShop) -> None:
    shop = open_shop(own_box=True)
    done(shop, new_order(shop))
    again = open_again(open_shop, shop)
    tag_id = shop.box.odoo.records(TAG)[0]["id"]
    shop.box.odoo.write(TAG, tag_id, {"name": "Web shop"})
    raw = new_order(again)
    job = again.import_order(raw)
    assert (job.state, job.error_code) == ("blocked", "settings_wrong")
    assert "its name was changed" in str(job.error)
    shop.box.odoo.write(TAG, tag_id, {"name": f"Web shop {installation_id(shop)}"})
    assert again.ledger.jobs.retry(job.id).changed
    again.work()
    assert again.job(job.id).state == "done"
    assert installation_id(again) == installation_id(shop)


def test_a_tag_that_a_person_deleted_is_made_again_when_it_is_looked_for(open_shop: OpenShop) -> None:
    shop = open_shop(own_box=True)
    done(shop, new_order(shop))
    own, address = installation_id(shop), shop.box.odoo.url
    shop.box.odoo.delete(TAG, shop.box.odoo.records(TAG)[0]["id"])
    for url in (address.replace("127.0.0.1", "localhost"), address):
        shop.set(odoo_url=url)
        done(shop, new_order(shop))
    assert tags(shop) == [f"CommerceBridge installation {own} (keep)"]
    assert installation_id(shop) == own


def test_a_copy_of_the_database_needs_a_ledger_of_its_own(open_shop: OpenShop) -> None:
    shop = open_shop(own_box=True)
    done(shop, new_order(shop))
    copy = shop.ledger.instances.get("shop")
    shop.ledger.instances.add(
        "staging",
        {**copy.settings.model_dump(mode="json", exclude_unset=True), "odoo_url": copy_url(shop)},
        copy.secrets,
    )
    raw = new_order(shop)
    shop.ledger.jobs.want([import_into("staging", raw)])
    shop.work()
    (job,) = shop.ledger.jobs.list(instance="staging")
    assert (job.state, job.error_code) == ("blocked", "settings_wrong")
    assert "one of them is a copy of the other" in str(job.error)


def copy_url(shop: Shop) -> str:
    return shop.box.odoo.url.replace("127.0.0.1", "localhost")


def import_into(name: str, raw: dict[str, Any]) -> Want:
    return want("import-order", instance=name, entity=str(raw["entity_id"]), version=raw["updated_at"])
