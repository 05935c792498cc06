"""Orders of the past and of another moment: the cut-over, what happened since, and reads that lag (RULES 1.8)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from bridge.flows.freshness import STALE_WAITS_SECONDS
from bridge.flows.wants import want
from tests.flows.conftest import OpenShop
from tests.support.imports import counts, lines_of, product_of
from tests.support.orders import Raw, calls, cents, changed, comments, new_order, put, stored, with_lines
from tests.support.shop import Shop

VERSIONS = (16, 18, 19)
#: 23:30 UTC on 31 October is 1 November in Berlin and 31 October in New York.
LATE_EVENING = "2026-10-31 23:30:00"


def placed(shop: Shop, created_at: str, **changes: Any) -> Raw:
    return put(shop, {**new_order(shop), "created_at": created_at, **changes})


@pytest.mark.parametrize(
    ("zone", "day", "is_imported"),
    [
        ("UTC", "2026-10-31", True),
        ("UTC", "2026-11-01", False),
        ("Europe/Berlin", "2026-11-01", True),
        ("America/New_York", "2026-11-01", False),
        ("America/New_York", "2026-10-31", True),
    ],
)
def test_import_from_date_is_a_day_of_the_store(
    open_shop: OpenShop, zone: str, day: str, is_imported: bool
) -> None:
    shop = open_shop(store_timezone=zone, import_from_date=day)
    raw = placed(shop, LATE_EVENING)
    before = counts(shop)
    job = shop.import_order(raw)
    assert (job.state, job.error) == ("done", None)
    if is_imported:
        assert stored(shop, job)["date_order"] == LATE_EVENING
        return
    assert "before import date" in (job.result or {})["skipped"]
    assert counts(shop) == before
    assert not [name for name in calls(shop) if name.startswith("odoo")]
    assert shop.ledger.explanations.get("shop", "history", raw["entity_id"]) is None


@pytest.mark.parametrize(
    ("settings", "knows_stores", "is_imported"),
    [
        # The store view is in Berlin, where it was the first of November already.
        ({}, True, True),
        # Nobody has read the stores: UTC.
        ({}, False, False),
        # What a person set stands over it.
        ({"store_timezone": "UTC"}, True, False),
    ],
)
def test_the_day_is_that_of_the_store_view_where_nothing_is_set(
    open_shop: OpenShop, settings: dict[str, str], knows_stores: bool, is_imported: bool
) -> None:
    shop = open_shop(import_from_date="2026-11-01", **settings)
    if knows_stores:
        shop.ledger.jobs.want([want("import-stores", instance="shop", entity="all")])
        shop.work()
    job = shop.import_order(placed(shop, LATE_EVENING))
    assert (job.state, "skipped" not in (job.result or {})) == ("done", is_imported)


def test_older_orders_may_be_recorded_in_the_ledger_and_nowhere_else(open_shop: OpenShop) -> None:
    shop = open_shop(import_from_date="2026-11-01", history_orders="record")
    raw = placed(shop, LATE_EVENING, state="complete", status="complete")
    job = shop.import_order(raw)
    assert job.state == "done"
    kept = shop.ledger.explanations.get("shop", "history", raw["entity_id"])
    assert kept is not None
    assert dict(kept.content) == {
        "increment_id": raw["increment_id"],
        "placed_on": "2026-10-31",
        "state": "complete",
        "currency": "EUR",
        "grand_total": str(Decimal(str(raw["grand_total"]))),
    }
    assert shop.sale_orders(raw) == []
    # A later event of an old order does not bring it in either.
    job = shop.import_order(changed(shop, raw, status="closed", state="closed"))
    assert "before import date" in (job.result or {})["skipped"]
    # Who moves the date takes it in.
    shop.set(import_from_date="2026-10-01")
    assert stored(shop, shop.import_order(raw))["client_order_ref"] == raw["increment_id"]


def test_an_order_that_was_imported_before_the_date_was_set_is_still_kept_up_to_date(
    open_shop: OpenShop,
) -> None:
    shop = open_shop()
    raw = placed(shop, LATE_EVENING)
    order = stored(shop, shop.import_order(raw))
    shop.set(import_from_date="2026-11-01")
    job = shop.import_order(changed(shop, raw, status="packed"))
    assert (job.result or {})["changes"] == ["status is now packed (new)"]
    assert "packed" in comments(shop, order["id"])[-1]


@pytest.mark.parametrize("state", ["canceled", "closed"])
@pytest.mark.parametrize("version", VERSIONS)
def test_an_order_that_is_over_is_imported_as_placed_and_stays_a_quotation(
    open_shop: OpenShop, version: int, state: str
) -> None:
    shop = open_shop(version, order_action="confirm")
    raw = new_order(shop)
    amounts = {"state": state, "status": state}
    if state == "canceled":
        amounts |= {"items": with_lines(raw, qty_canceled=raw["items"][0]["qty_ordered"])}
    job = shop.import_order(put(shop, {**raw, **amounts}))
    assert (job.state, job.error) == ("done", None)
    order = stored(shop, job)
    assert order["state"] == "draft"
    assert state in (job.result or {})["flags"]
    # Compared with the grand total was the order as it was placed; only then was it cancelled.
    assert cents((job.result or {})["total"]) == cents(raw["grand_total"])
    goods = product_of(shop, raw["items"][0]["sku"])
    left = sum(cents(line["product_uom_qty"]) for line in lines_of(shop, order, goods))
    assert left == (0 if state == "canceled" else raw["items"][0]["qty_ordered"])


@pytest.mark.parametrize("version", VERSIONS)
def test_a_partly_cancelled_order_is_compared_as_placed_and_then_lowered(
    open_shop: OpenShop, version: int
) -> None:
    shop = open_shop(version, order_action="confirm")
    raw = new_order(shop, "several lines")
    first, *others = raw["items"]
    first["qty_canceled"] = first["qty_ordered"]
    job = shop.import_order(put(shop, raw))
    assert (job.state, job.error) == ("done", None)
    assert cents((job.result or {})["total"]) == cents(raw["grand_total"])
    order = stored(shop, job)
    assert order["state"] == "sale"
    for item, left in [(first, 0), *((item, item["qty_ordered"]) for item in others)]:
        lines = lines_of(shop, order, product_of(shop, item["sku"]))
        assert sum(cents(line["product_uom_qty"]) for line in lines) == left
    gone = lines_of(shop, order, product_of(shop, first["sku"]))
    assert all(line["price_unit"] > 0 for line in gone)


def test_an_order_that_is_older_than_its_event_is_read_again(
    open_shop: OpenShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.flows.freshness.STALE_WAITS_SECONDS", (0.01, 0.02, 0.03))
    shop = open_shop()
    raw = new_order(shop)
    later = changed(shop, raw, customer_note="The newer version")
    shop.box.magento.faults.once("stale_reads", "/orders/", times=2)
    job = shop.import_order(later)
    assert (job.state, job.error) == ("done", None)
    attempts = shop.ledger.jobs.attempts(job.id)
    assert [attempt.error_code for attempt in attempts] == ["stale_read", "stale_read", None]
    # Waiting for a replica is no failure: it uses no attempt.
    assert job.retry_count == 0
    assert "The newer version" in comments(shop, stored(shop, job)["id"])[0]


def test_an_order_that_stays_older_than_its_event_is_taken_as_it_is_in_the_end(
    open_shop: OpenShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.flows.freshness.STALE_WAITS_SECONDS", (0.01, 0.02, 0.03))
    shop = open_shop()
    raw = new_order(shop)
    event = want(
        "import-order", instance="shop", entity=str(raw["entity_id"]), version="2036-01-01T00:00:00Z"
    )
    job_id = shop.ledger.jobs.want([event])[0].job_id
    shop.work()
    job = shop.job(job_id)
    assert (job.state, job.error) == ("done", None)
    codes = [attempt.error_code for attempt in shop.ledger.jobs.attempts(job.id)]
    assert codes == [*["stale_read"] * len(STALE_WAITS_SECONDS), None]
    assert len(shop.sale_orders(raw)) == 1


def test_an_event_that_is_older_than_what_is_read_changes_nothing(open_shop: OpenShop) -> None:
    shop = open_shop()
    raw = new_order(shop)
    later = changed(shop, raw, status="packed")
    order = stored(shop, shop.import_order(later))
    shop.box.calls.reset()
    # The first event comes last: the order is read as it is now.
    job = shop.import_order(raw)
    assert (job.state, (job.result or {})["changes"]) == ("done", [])
    assert calls(shop) == {"magento: GET /V1/orders/{id}": 1}
    assert len(comments(shop, order["id"])) == 1
