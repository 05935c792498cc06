"""What Magento's configuration names is noted for the mapping center, page by page, whatever cannot be read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from bridge.flows import discover_mappings
from bridge.ledger import Job
from bridge.magento import lists
from tests.flows.conftest import OpenShop
from tests.support.orders import new_order
from tests.support.shop import Shop


@pytest.fixture
def shop(open_shop: OpenShop) -> Shop:
    return open_shop(own_box=True)


def discover(shop: Shop) -> Job:
    run = shop.ledger.runs.start("shop", "discover-mappings", {})
    shop.work()
    assert run.planner_job_id is not None
    return shop.job(run.planner_job_id)


def found(shop: Shop, kind: str) -> dict[str, str | None]:
    return {one.value: one.label for one in shop.ledger.mappings.list("shop", kind=kind)}


def test_every_table_is_read_and_nothing_is_mapped(shop: Shop) -> None:
    job = discover(shop)
    assert job.state == "done"
    assert job.result is not None
    assert (job.result["is_complete"], job.result["not_read"]) == (True, [])
    assert found(shop, "tax") == {
        "DE-19|19": "tax rate of DE",
        "DE-7|7": "tax rate of DE",
        "FR-20|20": "tax rate of FR",
        "US-CA-*-Rate 1|8.25": "tax rate of US, CA",
        "US-NY-*-Rate 1|8.375": "tax rate of US, NY",
        "US-NY-8.375|8.375": "tax rate of US, NY",
    }
    assert found(shop, "customer_group") == {
        "0": "NOT LOGGED IN",
        "1": "General",
        "2": "Wholesale",
        "3": "Retailer",
    }
    assert found(shop, "store") == {
        "1": "Default Store View",
        "2": "German View",
        "3": "US Dollar View",
        "4": "Outlet English",
    }
    assert found(shop, "source") == {"default": "Default Source"}
    # Made by a person, with choices: neither the price "cost" nor what Magento brings.
    assert found(shop, "attribute") == {"manufacturer": "Manufacturer", "color": "Color", "size": "Size"}
    assert found(shop, "unit") == {"lbs": "weight of products"}
    # Those of customers decide no tax of a product.
    assert found(shop, "tax_class") == {"2": "Taxable Goods", "4": "Reduced Goods"}
    assert set(found(shop, "currency")) == {"EUR", "USD"}
    # The stores that it read are known as after import-stores.
    assert shop.ledger.stores.known("shop").by_code("view", "us").name == "US Dollar View"
    rows = shop.ledger.mappings.list("shop")
    assert {(one.state, one.seen_count, one.example, one.version) for one in rows} == {
        ("unmapped", 0, None, 0)
    }
    assert job.result["new"] == len(rows) == sum(job.result["found"].values())


def test_pages_of_any_size_come_to_the_same(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.box.magento.state.stores["sources"] = [
        {
            **shop.box.magento.state.stores["sources"][0],
            "source_code": f"depot-{number:03}",
            "name": f"Depot {number}",
            "carrier_links": [{"carrier_code": f"carrier{number % 3}", "position": 1}],
        }
        for number in range(120)
    ]
    # The shop takes 50 rows at most, and says so.
    shop.box.magento.switches.input_limits = True
    result = discover(shop).result
    assert result is not None
    assert (result["found"]["source"], len(found(shop, "source"))) == (120, 120)
    assert set(found(shop, "carrier")) == {"carrier0", "carrier1", "carrier2"}
    monkeypatch.setattr(lists.read_list, "__kwdefaults__", {**lists.read_list.__kwdefaults__, "page_size": 2})
    again = discover(shop).result
    assert again is not None
    assert (again["found"]["tax"], again["found"]["source"], again["new"]) == (6, 120, 0)


def test_a_table_that_may_not_be_read_is_said_and_the_others_go_on(shop: Shop) -> None:
    shop.box.magento.guard.allowed = frozenset(
        {"Magento_Backend::store", "Magento_Customer::group", "Magento_InventoryApi::source"}
    )
    job = discover(shop)
    assert job.state == "done"
    assert job.result is not None
    assert [(one["table"], one["resource"]) for one in job.result["not_read"]] == [
        ("tax rates", "Magento_Tax::manage_tax"),
        ("tax classes of products", "Magento_Tax::manage_tax"),
        ("product attributes", "Magento_Catalog::attributes_attributes"),
    ]
    assert not found(shop, "tax")
    assert set(found(shop, "source")) == {"default"}
    # Given the rest, only that is new.
    shop.box.magento.guard.allowed = None
    result = discover(shop).result
    assert result is not None
    assert (result["new"], result["not_read"]) == (11, [])


def test_an_integration_that_may_read_nothing_blocks_with_help(shop: Shop) -> None:
    shop.box.magento.guard.allowed = frozenset({"none"})
    job = discover(shop)
    assert (job.state, job.error_code) == ("blocked", "credentials_refused")


def test_what_orders_have_shown_keeps_its_count_its_example_and_its_label(shop: Shop) -> None:
    raw = new_order(shop)
    assert shop.import_order(raw).state == "done"
    before = {(one.kind, one.value): one for one in shop.ledger.mappings.list("shop")}
    assert before["customer_group", str(raw["customer_group_id"])].label is None
    assert before["order_status", raw["status"]].seen_count == 1
    discover(shop)
    after = {(one.kind, one.value): one for one in shop.ledger.mappings.list("shop")}
    for key, row in before.items():
        kept = after[key]
        assert (kept.seen_count, kept.example, kept.state, kept.version, kept.last_seen_at) == (
            row.seen_count,
            row.example,
            row.state,
            row.version,
            row.last_seen_at,
        )
        if row.label is not None:
            assert kept.label == row.label
    group = after["customer_group", str(raw["customer_group_id"])]
    assert group.label == shop.box.magento.state.stores["customerGroups"][int(group.value)]["code"]


def test_a_renamed_value_that_no_order_showed_gets_its_new_name(shop: Shop) -> None:
    discover(shop)
    shop.box.magento.state.stores["customerGroups"][2]["code"] = "Partners"
    discover(shop)
    assert found(shop, "customer_group")["2"] == "Partners"


def test_rows_without_a_value_are_left_out() -> None:
    def read(row: dict[str, Any]) -> Iterator[Any]:
        return (one for table in discover_mappings.TABLES for one in table.read(row) if one[1])

    assert set(read({})) == set()
    assert set(read({"code": None, "rate": "x", "source_code": [], "carrier_links": ["x", None]})) == set()
