"""Which imported orders another mapping would have changed: told from the ledger alone."""

from __future__ import annotations

import copy
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from bridge.flows import mapping_impact
from bridge.flows.mapping_impact import Impact, impact
from tests.flows.conftest import OpenShop
from tests.support.orders import changed, new_order
from tests.support.shop import Shop


def ask(shop: Shop, kind: str, value: str, odoo_id: int, *, days: int = 30, limit: int = 50) -> Impact:
    shop.box.calls.reset()
    found = impact(shop.ledger, "shop", kind, value, odoo_id, days=days, limit=limit)
    assert shop.box.calls.total() == 0
    return found


def imported(shop: Shop, kind: str = "simple", **changes: Any) -> dict[str, Any]:
    raw = new_order(shop, kind, **changes)
    job = shop.import_order(raw)
    assert (job.state, job.error) == ("done", None)
    return raw


def told(found: Impact) -> dict[str, tuple[str, int | None, int]]:
    return {one.increment_id: (one.change.what, one.change.old_id, one.change.new_id) for one in found.newest}


def used(shop: Shop, raw: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    kept = shop.ledger.explanations.get("shop", "order", raw["entity_id"])
    assert kept is not None
    return [one for one in kept.content["mappings"] if one["kind"] == kind]


def test_a_tax_changes_the_orders_that_have_it_and_no_others(open_shop: OpenShop) -> None:
    shop = open_shop()
    raw = imported(shop)
    (entry, *_) = used(shop, raw, "tax")
    key, old = entry["value"], entry["odoo_id"]
    found = ask(shop, "tax", key, 9999)
    assert told(found) == {raw["increment_id"]: ("tax", old, 9999)}
    assert (found.changed, found.looked_at, found.unknown, found.waiting) == (1, 1, 0, 0)
    (order,) = found.newest
    percent = key.rpartition("|")[2]
    applied = [
        one
        for one in raw["extension_attributes"]["applied_taxes"]
        if Decimal(str(one["percent"])) == Decimal(percent)
    ]
    assert order.change.amount is not None
    assert Decimal(order.change.amount) == Decimal(str(applied[0]["amount"])).quantize(Decimal("0.01"))
    assert (order.change.version, order.sale_order) == (
        shop.ledger.mappings.get("shop", "tax", key).version,
        shop.sale_orders(raw)[0]["name"],
    )
    # As it is, or another value: nothing.
    assert ask(shop, "tax", key, old).changed == 0
    assert ask(shop, "tax", "XX|1", 9999).changed == 0


def test_it_is_what_the_order_used_that_counts_and_not_what_is_mapped_now(open_shop: OpenShop) -> None:
    shop = open_shop()
    raw = imported(shop)
    (entry, *_) = used(shop, raw, "tax")
    key, old = entry["value"], entry["odoo_id"]
    shop.ledger.mappings.set(
        "shop", "tax", key, odoo_model="account.tax", odoo_id=old + 1, odoo_label=None, by="test"
    )
    assert told(ask(shop, "tax", key, old + 1)) == {raw["increment_id"]: ("tax", old, old + 1)}
    assert ask(shop, "tax", key, old).changed == 0
    # Later events keep it.
    changed(shop, raw, status="processing", state="processing")
    assert shop.import_order(shop.box.magento.orders.get(raw["entity_id"])).state == "done"
    assert ask(shop, "tax", key, old + 1).changed == 1


def test_choices_are_compared_with_what_was_in_force(open_shop: OpenShop) -> None:
    shop = open_shop(team_id=1)
    raw = imported(shop)
    number = raw["increment_id"]
    method = raw["payment"]["method"]
    assert told(ask(shop, "payment_method", method, 3)) == {number: ("payment term", None, 3)}
    assert ask(shop, "store", str(raw["store_id"]), 1).changed == 0
    assert told(ask(shop, "store", str(raw["store_id"]), 2)) == {number: ("sales team", 1, 2)}
    (pricelist,) = used(shop, raw, "currency")
    assert told(ask(shop, "currency", raw["order_currency_code"], 77)) == {
        number: ("pricelist", pricelist["odoo_id"], 77)
    }
    assert ask(shop, "currency", raw["order_currency_code"], pricelist["odoo_id"]).changed == 0


def test_the_product_of_shipping_is_that_of_its_method_where_there_is_one(open_shop: OpenShop) -> None:
    shop = open_shop()
    first = imported(shop)
    carrier = first["extension_attributes"]["shipping_assignments"][0]["shipping"]["method"]
    (own,) = used(shop, first, "service")
    assert told(ask(shop, "service", "shipping", 500)) == {
        first["increment_id"]: ("product of the shipping line", own["odoo_id"], 500)
    }
    product = shop.box.odoo.seed_products(["PARCEL"])["PARCEL"]
    shop.ledger.mappings.set(
        "shop",
        "shipping_method",
        carrier,
        odoo_model="product.product",
        odoo_id=product,
        odoo_label=None,
        by="test",
    )
    second = imported(shop)
    assert carrier == second["extension_attributes"]["shipping_assignments"][0]["shipping"]["method"]
    # The second has its method's own product: that of shipping as such does not matter for it.
    assert set(told(ask(shop, "service", "shipping", 500))) == {first["increment_id"]}
    assert told(ask(shop, "shipping_method", carrier, product)) == {
        first["increment_id"]: ("product of the shipping line", own["odoo_id"], product)
    }


def test_services_are_told_by_the_lines_that_have_them(open_shop: OpenShop) -> None:
    shop = open_shop()
    coupon, plain = imported(shop, "coupon, percent"), imported(shop)
    assert set(told(ask(shop, "service", "discount", 500))) == {coupon["increment_id"]}
    assert set(told(ask(shop, "service", "shipping", 500))) >= {plain["increment_id"]}
    assert ask(shop, "service", "store_credit", 500).changed == 0


def test_only_the_days_asked_for_count(open_shop: OpenShop) -> None:
    shop = open_shop()
    day = datetime.now(UTC) - timedelta(days=5)
    old = imported(shop, created_at=day.strftime("%Y-%m-%d %H:%M:%S"))
    new = imported(shop)
    (entry, *_) = used(shop, new, "currency")
    assert set(told(ask(shop, "currency", entry["value"], 77, days=4))) == {new["increment_id"]}
    found = ask(shop, "currency", entry["value"], 77, days=6)
    assert set(told(found)) == {old["increment_id"], new["increment_id"]}
    assert [one.increment_id for one in found.newest] == [new["increment_id"], old["increment_id"]]


def test_what_the_ledger_lost_is_counted(open_shop: OpenShop) -> None:
    shop = open_shop()
    raws = [imported(shop) for _ in range(3)]
    currency = raws[0]["order_currency_code"]
    kept = shop.ledger.explanations.get("shop", "order", raws[0]["entity_id"])
    older = {name: one for name, one in kept.content.items() if name != "mappings"}
    shop.ledger.explanations.put("shop", "order", raws[0]["entity_id"], older)
    shop.ledger.database.command(
        "DELETE FROM explanations WHERE entity = :entity", entity=str(raws[1]["entity_id"])
    )
    found = ask(shop, "currency", currency, 77)
    assert (found.unknown, found.looked_at, found.changed) == (2, 1, 1)
    assert set(told(found)) == {raws[2]["increment_id"]}


def test_an_order_that_waits_for_the_mapping_is_no_imported_one(open_shop: OpenShop) -> None:
    shop = open_shop(auto_create_products=True)
    raw = new_order(shop, is_mapped=False)
    job = shop.import_order(raw)
    assert job.state == "blocked"
    value = shop.ledger.mappings.list("shop", kind="tax")[0].value
    found = ask(shop, "tax", value, 5)
    assert (found.changed, found.looked_at, found.unknown, found.waiting) == (0, 0, 0, 1)


def test_kinds_that_orders_do_not_use_change_none(open_shop: OpenShop) -> None:
    shop = open_shop()
    raw = imported(shop)
    found = ask(shop, "customer_group", str(raw["customer_group_id"]), 5)
    assert (found.is_used, found.changed) == (False, 0)


def test_many_orders_are_read_by_pages_and_only_the_newest_are_kept(
    open_shop: OpenShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = open_shop()
    raw = imported(shop)
    kept = shop.ledger.explanations.get("shop", "order", raw["entity_id"])
    now = datetime.now(UTC)
    for number in range(25):
        content = copy.deepcopy(dict(kept.content))
        moment = now - timedelta(hours=(number * 7) % 25)
        content["snapshot"]["order"]["created_at"] = moment.strftime("%Y-%m-%d %H:%M:%S")
        shop.ledger.explanations.put("shop", "order", f"9{number:03}", content)
        shop.ledger.bindings.bind(
            "shop", "order", magento_id=f"9{number:03}", odoo_model="sale.order", odoo_id=9000 + number
        )
    shop.ledger.bindings.drop("shop", "order", raw["entity_id"])
    monkeypatch.setattr(mapping_impact, "_PAGE", 4)
    found = ask(shop, "currency", raw["order_currency_code"], 77, limit=3)
    assert (found.changed, found.looked_at) == (25, 25)
    ages = [round((now - one.placed_at).total_seconds() / 3600) for one in found.newest]
    assert ages == [0, 1, 2]
