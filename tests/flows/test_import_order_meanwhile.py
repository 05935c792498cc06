"""An order that changes in Magento while its import is under way: what was written stands, the change follows it."""

from __future__ import annotations

import copy

import pytest

from bridge.engine import run_job
from bridge.ledger import Job
from tests.flows.conftest import OpenShop
from tests.support.orders import Raw, addresses, bound, changed, comments, new_order, partner, with_lines
from tests.support.shop import ROOM, Shop

#: Writes of an import after which something is left to do, and how each is broken.
BREAKS = [
    ("cut_after", "sale.order.load"),
    ("error_5xx", "sale.order.load"),
    ("cut_after", "sale.order.action_confirm"),
    ("error_5xx", "mail.message.load"),
]


def interrupted(shop: Shop, raw: Raw, kind: str, operation: str) -> Job:
    """Begin an import that breaks off at a write; return its job, which waits to go on."""
    job_id = shop.want_order(raw)
    shot = shop.box.odoo.faults.once(kind, operation)
    assert [one for one, _ in shop.ledger.jobs.dispatch(ROOM, limit=1)] == [job_id]
    run_job(shop.runtime, job_id)
    assert shot.fired.is_set()
    job = shop.job(job_id)
    assert job.state == "retry_waiting"
    return job


def elsewhere(raw: Raw) -> Raw:
    later = copy.deepcopy(raw)
    list(addresses(later))[1]["street"] = ["Elsewhere 9"]
    return {"extension_attributes": later["extension_attributes"]}


@pytest.mark.parametrize(("kind", "operation"), BREAKS)
def test_a_new_address_follows_the_order(open_shop: OpenShop, kind: str, operation: str) -> None:
    shop = open_shop(order_action="confirm")
    raw = new_order(shop)
    job = interrupted(shop, raw, kind, operation)
    later = changed(shop, raw, **elsewhere(raw))
    # It folds into the open job: there is no second one that could bring it.
    assert shop.want_order(later) == job.id
    shop.work()
    assert (shop.job(job.id).state, shop.job(job.id).error) == ("done", None)
    order = bound(shop, raw)
    assert partner(shop, order["partner_shipping_id"])["street"] == "Elsewhere 9"
    assert (order["state"], order["date_order"]) == ("sale", raw["created_at"])
    # All is known now: the next event finds nothing to do.
    shop.box.calls.reset()
    assert (shop.import_order(later).result or {})["changes"] == []
    assert shop.box.calls.total("odoo") == 0


@pytest.mark.parametrize(("kind", "operation"), BREAKS)
def test_a_comment_and_cancelled_units_follow_the_order(
    open_shop: OpenShop, kind: str, operation: str
) -> None:
    shop = open_shop(order_action="confirm")
    raw = new_order(shop)
    job = interrupted(shop, raw, kind, operation)
    said = [{"comment": "Please hurry"}]
    items = with_lines(raw, qty_canceled=raw["items"][0]["qty_ordered"])
    later = changed(shop, raw, status_histories=said, items=items)
    assert shop.want_order(later) == job.id
    shop.work()
    assert (shop.job(job.id).state, shop.job(job.id).error) == ("done", None)
    order = bound(shop, raw)
    assert "Please hurry" in "".join(comments(shop, order["id"]))
    goods = shop.box.odoo.find("product.product", default_code=raw["items"][0]["sku"])
    left = [line["product_uom_qty"] for line in shop.lines(order["id"]) if line["product_id"] == goods]
    assert set(left) == {0}


@pytest.mark.parametrize(("kind", "operation"), BREAKS[2:])
def test_a_changed_price_blocks_with_the_diff(open_shop: OpenShop, kind: str, operation: str) -> None:
    shop = open_shop(order_action="confirm")
    raw = new_order(shop)
    job = interrupted(shop, raw, kind, operation)
    assert shop.want_order(changed(shop, raw, items=with_lines(raw, price=1.23))) == job.id
    shop.work()
    ended = shop.job(job.id)
    assert (ended.state, ended.error_code) == ("blocked", "order_changed")
    assert "price: " in (ended.error or "")
    assert len(shop.sale_orders(raw)) == 1


@pytest.mark.parametrize("state", ["holded", "canceled"])
def test_an_order_that_was_stopped_meanwhile_stays_a_quotation(open_shop: OpenShop, state: str) -> None:
    shop = open_shop(order_action="confirm")
    raw = new_order(shop)
    job = interrupted(shop, raw, "error_5xx", "sale.order.action_confirm")
    assert shop.want_order(changed(shop, raw, state=state, status=state)) == job.id
    # The confirmation was not carried out: it is looked for, and then not wanted any more.
    shop.work()
    assert (shop.job(job.id).state, shop.job(job.id).error) == ("done", None)
    assert bound(shop, raw)["state"] == "draft"


def test_an_import_that_has_begun_is_completed_though_the_cut_over_was_set_meanwhile(
    open_shop: OpenShop,
) -> None:
    shop = open_shop(order_action="confirm")
    raw = new_order(shop)
    job = interrupted(shop, raw, "error_5xx", "mail.message.load")
    shop.set(import_from_date="2036-01-01")
    shop.work()
    assert (shop.job(job.id).state, shop.job(job.id).error) == ("done", None)
    assert len(comments(shop, bound(shop, raw)["id"])) == 1
