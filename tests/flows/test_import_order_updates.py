"""A second event of an order: what is carried over, and what blocks with a diff (RULES 1.9)."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from tests.flows.conftest import OpenShop
from tests.support.imports import counts, done, lines_of, product_of, retried
from tests.support.orders import (
    Raw,
    addresses,
    calls,
    cents,
    changed,
    comments,
    new_order,
    order_row,
    partner,
    with_lines,
)
from tests.support.shop import Shop

VERSIONS = (16, 18, 19)
ACTIONS = ("draft", "confirm")
STATES = {"draft": "draft", "confirm": "sale"}


def updated(shop: Shop, raw: Raw) -> dict[str, Any]:
    """Let the bridge hear of a change; return the result of the job, which ended well."""
    job = shop.import_order(raw)
    assert (job.state, job.error) == ("done", None)
    return dict(job.result or {})


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("version", VERSIONS)
def test_a_new_address_is_a_new_contact_of_the_customer(
    open_shop: OpenShop, version: int, action: str
) -> None:
    shop = open_shop(version, order_action=action)
    raw = new_order(shop)
    order = done(shop, raw)
    old = partner(shop, order["partner_shipping_id"])
    pickings = [picking(shop, order["id"], state, old["id"]) for state in ("assigned", "done", "cancel")]
    later = changed(shop, raw, **moved(raw, "Neue Straße 7"))
    before = counts(shop)
    assert updated(shop, later)["changes"] == ["addresses"]
    order = order_row(shop, order["id"])
    contact = partner(shop, order["partner_shipping_id"])
    assert (contact["parent_id"], contact["street"]) == (order["partner_id"], "Neue Straße 7")
    assert order["partner_id"] == old["id"]
    # What was written to the old address stays as it is.
    assert partner(shop, old["id"])["street"] == old["street"]
    after = counts(shop)
    assert {name: after[name] - before[name] for name in before} == {
        "res.partner": 1, "sale.order": 0, "sale.order.line": 0, "mail.message": 1,
    }  # fmt: skip
    rows = {row["id"]: row.get("partner_id") for row in shop.box.odoo.records("stock.picking")}
    wanted = contact["id"] if action == "confirm" else old["id"]
    assert [rows[one] for one in pickings] == [wanted, old["id"], old["id"]]
    assert order["state"] == STATES[action]


def picking(shop: Shop, order_id: int, state: str, partner_id: int) -> int:
    values = {"sale_id": order_id, "state": state, "partner_id": partner_id, "name": f"WH/{order_id}/{state}"}
    return shop.box.odoo.create("stock.picking", values)


def moved(raw: Raw, street: str) -> Raw:
    """Return the fields of an order that is sent to another street; billed it is as before."""
    later = copy.deepcopy(raw)
    list(addresses(later))[1]["street"] = [street]
    return {"extension_attributes": later["extension_attributes"]}


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("version", VERSIONS)
def test_status_and_comments_are_noted_once_and_change_nothing_else(
    open_shop: OpenShop, version: int, action: str
) -> None:
    shop = open_shop(version, order_action=action)
    raw = new_order(shop)
    order = done(shop, raw)
    said = [{"comment": "Called the <customer>"}, {"comment": None}]
    later = changed(shop, raw, state="processing", status="in_packing", status_histories=said)
    assert updated(shop, later)["changes"] == ["status is now in_packing (processing)", "comment"]
    note = comments(shop, order["id"])[-1]
    assert "status is now in_packing (processing)" in note
    assert "Called the &lt;customer&gt;" in note
    assert order_row(shop, order["id"]) == {**order, "write_date": order_row(shop, order["id"])["write_date"]}
    # The same event again, and another comment: only what is new is said.
    assert updated(shop, later)["changes"] == []
    said = [*said, {"comment": "Sent"}]
    assert updated(shop, changed(shop, later, status_histories=said))["changes"] == ["comment"]
    bodies = comments(shop, order["id"])
    assert len(bodies) == 3
    assert "Called" not in bodies[-1]
    assert "comment: Sent" in bodies[-1]


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("version", VERSIONS)
def test_cancelled_units_lower_the_line_and_keep_its_price_odoo_facts_6(
    open_shop: OpenShop, version: int, action: str
) -> None:
    shop = open_shop(version, order_action=action)
    raw = some_of_one(shop)
    order = done(shop, raw)
    goods = product_of(shop, raw["items"][0]["sku"])
    prices = {line["id"]: line["price_unit"] for line in lines_of(shop, order, goods)}
    shop.box.odoo.write("product.product", goods, {"list_price": 777.0})
    # The state says nothing: compared are the quantities of the lines.
    later = changed(shop, raw, items=with_lines(raw, qty_canceled=1))
    assert updated(shop, later)["changes"] == ["units of 1 lines cancelled; 1 lines here lowered"]
    lines = lines_of(shop, order, goods)
    assert sum(cents(line["product_uom_qty"]) for line in lines) == raw["items"][0]["qty_ordered"] - 1
    assert {line["id"]: line["price_unit"] for line in lines} == prices
    assert order_row(shop, order["id"])["state"] == STATES[action]
    # 18 and 19 keep the price when a person changes only the quantity; 16 has no such field.
    last = max(lines, key=lambda line: line["product_uom_qty"])
    shop.box.odoo.write("sale.order.line", last["id"], {"product_uom_qty": 5.0})
    (now,) = (line for line in shop.lines(order["id"]) if line["id"] == last["id"])
    assert now["price_unit"] == (777.0 if version < 18 else prices[last["id"]])


def some_of_one(shop: Shop) -> Raw:
    """Return an order of several units of one article."""
    while True:
        raw = new_order(shop)
        if raw["items"][0]["qty_ordered"] > 1:
            return raw


def test_a_person_who_lowered_more_is_not_overruled(open_shop: OpenShop) -> None:
    shop = open_shop()
    raw = some_of_one(shop)
    order = done(shop, raw)
    goods = product_of(shop, raw["items"][0]["sku"])
    for line in lines_of(shop, order, goods):
        shop.box.odoo.write("sale.order.line", line["id"], {"product_uom_qty": 0.0, "price_unit": 1.0})
    updated(shop, changed(shop, raw, items=with_lines(raw, qty_canceled=1)))
    assert {line["product_uom_qty"] for line in lines_of(shop, order, goods)} == {0}


def price(raw: Raw) -> Raw:
    return {"items": with_lines(raw, price=1.23)}


def tax(raw: Raw) -> Raw:
    extension = copy.deepcopy(raw["extension_attributes"])
    extension["applied_taxes"][0]["percent"] = 16
    return {"extension_attributes": extension}


def added(raw: Raw) -> Raw:
    item = raw["items"][0]
    free = dict.fromkeys(("price", "row_total", "row_total_incl_tax", "tax_amount", "price_incl_tax"), 0)
    return {"items": [*raw["items"], {**item, **free, "item_id": 999_999, "sku": "ADDED"}]}


def quantity(raw: Raw) -> Raw:
    return {"items": with_lines(raw, qty_ordered=99)}


def shipping(raw: Raw) -> Raw:
    return {"shipping_amount": raw["shipping_amount"] + 1, "grand_total": raw["grand_total"] + 1}


def buyer(raw: Raw) -> Raw:
    return {"customer_email": "another@example.com"}


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize(
    ("change", "words"),
    [
        (price, ".price: "),
        (tax, "taxes: "),
        (added, "items[999999]: not there -> ADDED"),
        (quantity, ".qty_ordered: "),
        (shipping, "grand_total: "),
        (buyer, "another customer"),
    ],
    ids=lambda one: getattr(one, "__name__", None),
)
def test_money_lines_and_buyers_block_with_a_diff_and_change_nothing(
    open_shop: OpenShop, action: str, change: Callable[[Raw], Raw], words: str
) -> None:
    shop = open_shop(order_action=action)
    raw = new_order(shop)
    order = done(shop, raw)
    lines = shop.lines(order["id"])
    before = counts(shop)
    shop.box.calls.reset()
    job = shop.import_order(changed(shop, raw, status="odd", **change(raw)))
    assert (job.state, job.error_code) == ("blocked", "order_changed")
    assert words in (job.error or "")
    assert raw["customer_email"] not in (job.error or "")
    assert "never carried over" in (job.help or "")
    assert "odoo" not in {name.partition(":")[0] for name in calls(shop)}
    assert (order_row(shop, order["id"]), shop.lines(order["id"]), counts(shop)) == (order, lines, before)
    # Taken back in Magento, the order goes on: the status is carried over.
    changed(shop, raw, **{name: raw[name] for name in change(raw)}, status="odd")
    assert retried(shop, job).state == "done"
    assert "status is now odd" in comments(shop, order["id"])[-1]


def test_an_order_that_is_locked_in_odoo_still_takes_addresses_and_notes(open_shop: OpenShop) -> None:
    shop = open_shop(order_action="confirm")
    raw = new_order(shop)
    order = done(shop, raw)
    shop.box.odoo.write("sale.order", order["id"], {"locked": True})
    later = changed(shop, raw, status="packed", **moved(raw, "Elsewhere 8"))
    assert updated(shop, later)["changes"] == ["addresses", "status is now packed (new)"]
    contact = partner(shop, order_row(shop, order["id"])["partner_shipping_id"])
    assert contact["street"] == "Elsewhere 8"
