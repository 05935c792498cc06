"""Every order's values are counted, mapped or not, once an order (the issue: values are discovered with counts)."""

from __future__ import annotations

from typing import Any

from tests.flows.conftest import OpenShop
from tests.support.orders import changed, new_order, put, same_buyer
from tests.support.shop import Shop

Value = tuple[str, str]


def seen(shop: Shop) -> dict[Value, tuple[str, int, str | None]]:
    return {
        (one.kind, one.value): (one.state, one.seen_count, one.example)
        for one in shop.ledger.mappings.list("shop")
    }


def of_kind(shop: Shop, kind: str) -> dict[str, tuple[str, int, str | None]]:
    return {value: told for (found, value), told in seen(shop).items() if found == kind}


def done(shop: Shop, raw: dict[str, Any]) -> None:
    job = shop.import_order(raw)
    assert (job.state, job.error) == ("done", None)


def test_every_kind_is_noted_with_its_count_and_the_last_order_that_had_it(open_shop: OpenShop) -> None:
    shop = open_shop()
    first = new_order(shop, "coupon, percent")
    second = new_order(shop, "bundle, fixed price")
    for raw in (first, second):
        done(shop, raw)
    last = f"order {second['increment_id']}"
    found = seen(shop)
    assert {kind for kind, _ in found} == {
        "currency", "customer_group", "order_status", "payment_method", "service", "shipping_method", "store", "tax",
    }  # fmt: skip
    assert found["currency", first["order_currency_code"]] == ("unmapped", 2, last)
    assert found["payment_method", first["payment"]["method"]][1:] == (2, last)
    assert found["service", "shipping"] == ("unmapped", 2, last)
    assert found["service", "discount"] == ("unmapped", 1, f"order {first['increment_id']}")
    assert found["service", "bundle"] == ("unmapped", 1, last)
    assert sum(count for _, count, _ in of_kind(shop, "store").values()) == 2
    assert sum(count for _, count, _ in of_kind(shop, "customer_group").values()) == 2
    assert found["order_status", first["status"]] == ("unmapped", 2, last)
    assert {state for state, _, _ in of_kind(shop, "tax").values()} == {"mapped"}
    assert max(count for _, count, _ in of_kind(shop, "tax").values()) == 2
    labels = {one.kind: one.label for one in shop.ledger.mappings.list("shop")}
    assert labels["payment_method"] == first["payment"]["additional_information"][0]


def test_an_untaxed_line_is_noted_too(open_shop: OpenShop) -> None:
    shop = open_shop()
    raw = new_order(shop, is_mapped=False)
    item = raw["items"][0]
    for name in ("tax_amount", "tax_percent"):
        item[name] = 0
    item["extension_attributes"] = {**item.get("extension_attributes", {}), "itemized_taxes": []}
    item |= {"row_total_incl_tax": item["row_total"], "price_incl_tax": item["price"]}
    raw["extension_attributes"] |= {"applied_taxes": [], "item_applied_taxes": []}
    raw |= {"tax_amount": 0, "shipping_tax_amount": 0, "shipping_incl_tax": raw["shipping_amount"]}
    raw["grand_total"] = raw["subtotal"] + raw["shipping_amount"]
    put(shop, raw, is_mapped=False)
    assert shop.import_order(raw).state == "blocked"
    assert {told[:2] for told in of_kind(shop, "zero_tax").values()} == {("unmapped", 1)}


def test_a_blocked_order_counts_once_however_often_it_is_tried(open_shop: OpenShop) -> None:
    shop = open_shop(auto_create_products=True)
    raw = new_order(shop, is_mapped=False)
    job = shop.import_order(raw)
    assert (job.state, job.error_code) == ("blocked", "mapping_missing")
    before = seen(shop)
    assert {count for _, count, _ in before.values()} == {1}
    assert shop.ledger.jobs.retry(job.id).changed
    shop.work()
    assert shop.import_order(changed(shop, raw, status="processing")).state == "blocked"
    shop.ledger.jobs.cancel(job.id)
    # Another job for the same order.
    assert shop.import_order(raw).id != job.id
    assert seen(shop) == before
    shop.map_all([raw])
    shop.work()
    done(shop, raw)
    assert {count for _, count, _ in seen(shop).values()} == {1}
    # A later event looks addresses up anew, and is no other order.
    raw["billing_address"]["street"] = ["New Street 1"]
    done(shop, put(shop, {**raw, "updated_at": "2030-01-01 00:00:00"}))
    assert {count for _, count, _ in seen(shop).values()} == {1}
    assert set(of_kind(shop, "order_status")) == {raw["status"]}
    done(shop, same_buyer(shop, raw))
    assert of_kind(shop, "currency")[raw["order_currency_code"]][1] == 2


def test_a_status_that_an_order_comes_to_later_is_known_and_not_counted(open_shop: OpenShop) -> None:
    shop = open_shop()
    raw = new_order(shop)
    done(shop, raw)
    done(shop, changed(shop, raw, state="processing", status="being_packed"))
    rows = {one.value: one for one in shop.ledger.mappings.list("shop", kind="order_status")}
    assert {value: (one.seen_count, one.label) for value, one in rows.items()} == {
        raw["status"]: (1, raw["state"]),
        "being_packed": (0, "processing"),
    }
