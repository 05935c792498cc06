"""Orders that a person should look at, or whose goods must not leave yet: they stay quotations (RULES 1.13)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.flows.conftest import OpenShop
from tests.support.imports import done, retried
from tests.support.orders import bound, changed, comments, new_order, order_row, put, stored

VERSIONS = (16, 18, 19)
HELD = [
    ({"state": "holded", "status": "holded"}, "held"),
    ({"state": "payment_review", "status": "payment_review"}, "payment_review"),
    ({"state": "processing", "status": "fraud"}, "payment_review"),
]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_second_order_of_one_cart_stays_a_quotation_and_is_raised(
    open_shop: OpenShop, version: int
) -> None:
    shop = open_shop(version, order_action="confirm")
    first = new_order(shop)
    assert done(shop, first)["state"] == "sale"
    second = put(shop, {**new_order(shop), "quote_id": first["quote_id"]})
    job = shop.import_order(second)
    assert (job.state, job.error_code) == ("blocked", "twin_order")
    order = bound(shop, second)
    assert order["state"] == "draft"
    for text in (first["increment_id"], second["increment_id"], order["name"], "confirm it in Odoo"):
        assert text in (job.error or "")
    (note,) = comments(shop, order["id"])
    assert f"the same cart became order {first['increment_id']} already" in note
    # Somebody has looked: the retry is done, makes nothing more and decides nothing.
    assert retried(shop, job).state == "done"
    assert bound(shop, second)["state"] == "draft"
    assert len(shop.sale_orders(second)) == 1
    assert len(comments(shop, order["id"])) == 1
    # The first one is no twin of its twin.
    assert shop.import_order(changed(shop, first, status="packed")).state == "done"


def test_orders_without_a_cart_are_no_twins(open_shop: OpenShop) -> None:
    shop = open_shop(order_action="confirm")
    for _ in range(2):
        raw = new_order(shop)
        raw.pop("quote_id")
        assert done(shop, put(shop, raw))["state"] == "sale"


@pytest.mark.parametrize(("state", "flag"), HELD)
@pytest.mark.parametrize("version", VERSIONS)
def test_a_held_order_stays_a_quotation_until_it_is_released(
    open_shop: OpenShop, version: int, state: dict[str, Any], flag: str
) -> None:
    shop = open_shop(version, order_action="confirm")
    raw = put(shop, {**new_order(shop), **state})
    job = shop.import_order(raw)
    assert (job.state, job.error) == ("done", None)
    assert flag in (job.result or {})["flags"]
    order = stored(shop, job)
    assert order["state"] == "draft"
    job = shop.import_order(changed(shop, raw, state="processing", status="processing"))
    assert (job.state, job.error) == ("done", None)
    assert "released and confirmed" in (job.result or {})["changes"]
    order = order_row(shop, order["id"])
    # Confirmed with the day on which it was placed.
    assert (order["state"], order["date_order"]) == ("sale", raw["created_at"])
    assert "released and confirmed" in comments(shop, order["id"])[-1]


def test_a_held_order_that_is_cancelled_is_not_confirmed(open_shop: OpenShop) -> None:
    shop = open_shop(order_action="confirm")
    raw = put(shop, {**new_order(shop), "state": "holded", "status": "holded"})
    order = stored(shop, shop.import_order(raw))
    job = shop.import_order(changed(shop, raw, state="canceled", status="canceled"))
    assert job.state == "done"
    assert order_row(shop, order["id"])["state"] == "draft"


def test_a_held_order_that_is_a_twin_is_not_confirmed_when_it_is_released(open_shop: OpenShop) -> None:
    shop = open_shop(order_action="confirm")
    first = new_order(shop)
    done(shop, first)
    held = {"state": "holded", "status": "holded", "quote_id": first["quote_id"]}
    raw = put(shop, {**new_order(shop), **held})
    assert shop.import_order(raw).error_code == "twin_order"
    shop.import_order(changed(shop, raw, state="processing", status="processing"))
    assert bound(shop, raw)["state"] == "draft"


def test_where_orders_are_left_as_quotations_a_release_confirms_nothing(open_shop: OpenShop) -> None:
    shop = open_shop(order_action="draft")
    raw = put(shop, {**new_order(shop), "state": "holded", "status": "holded"})
    order = stored(shop, shop.import_order(raw))
    job = shop.import_order(changed(shop, raw, state="processing", status="processing"))
    assert (job.result or {})["changes"] == ["status is now processing (processing)"]
    assert order_row(shop, order["id"])["state"] == "draft"
