"""A hold after the confirmation: a warning on each open delivery, taken away by the release (RULES 1.13)."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.engine import Runtime
from bridge.sandbox.odoo import access
from tests.flows.conftest import OpenShop
from tests.support.orders import bound, calls, changed, comments, new_order, pickings, warnings
from tests.support.shop import Shop


def confirmed(open_shop: OpenShop, version: int = 18, **more: Any) -> tuple[Shop, dict[str, Any], int]:
    """Return a shop and an order that is confirmed in Odoo, with the id of its sales order."""
    shop = open_shop(version, order_action="confirm", **more)
    raw = new_order(shop)
    event(shop, raw)
    return shop, raw, bound(shop, raw)["id"]


def event(shop: Shop, raw: dict[str, Any], **values: Any) -> dict[str, Any]:
    """Change the order in Magento, let the event be worked on, and return the job's result."""
    job = shop.import_order(changed(shop, raw, **values) if values else raw)
    assert (job.state, job.error) == ("done", None)
    assert job.result is not None
    return dict(job.result)


def hold(shop: Shop, raw: dict[str, Any], *, status: str = "holded") -> dict[str, Any]:
    return event(shop, raw, state=status, status=status)


def release(shop: Shop, raw: dict[str, Any]) -> dict[str, Any]:
    return event(shop, raw, state="processing", status="processing")


@pytest.mark.parametrize("version", [16, 18, 19])
def test_a_hold_warns_on_the_open_delivery_and_the_release_takes_it_away(
    open_shop: OpenShop, version: int
) -> None:
    shop, raw, order_id = confirmed(open_shop, version)
    (picking,) = pickings(shop, order_id)
    assert hold(shop, raw)["changes"][0] == "on hold"
    (warning,) = warnings(shop, order_id)
    assert warning["res_id"] == picking["id"]
    assert warning["summary"] == f"Do not ship: order {raw['increment_id']} is on hold in Magento"
    assert warning["activity_type_id"] == shop.box.odoo.external_id("mail.mail_activity_data_warning")[1]
    assert warning["user_id"] == 2
    assert "open deliveries with a warning: 1" in comments(shop, order_id)[-1]
    # The same event again, and another change while it is held.
    hold(shop, raw)
    event(shop, raw, customer_note="Where is it?")
    assert warnings(shop, order_id) == [warning]
    assert release(shop, raw)["changes"][0] == "released"
    assert warnings(shop, order_id) == []
    assert "the warnings on its deliveries are removed" in comments(shop, order_id)[-1]
    shop.box.calls.reset()
    release(shop, raw)
    assert not [name for name in calls(shop) if "mail.activity" in name]
    # A second hold is another one.
    hold(shop, raw, status="payment_review")
    (second,) = warnings(shop, order_id)
    assert second["id"] != warning["id"]
    assert "under payment review" in second["summary"]


@pytest.mark.parametrize("version", [16, 18, 19])
def test_a_user_of_sales_may_do_it(open_shop: OpenShop, version: int) -> None:
    shop, raw, order_id = confirmed(open_shop, version, own_box=True)
    shop.box.odoo.set_rights("sales")
    hold(shop, raw)
    assert len(warnings(shop, order_id)) == 1
    release(shop, raw)
    assert warnings(shop, order_id) == []


def test_activities_of_people_stay_and_what_a_person_has_done_is_not_made_again(open_shop: OpenShop) -> None:
    shop, raw, order_id = confirmed(open_shop)
    (picking,) = pickings(shop, order_id)
    model_id = shop.box.odoo.external_id("stock.model_stock_picking")[1]
    own = {"res_model_id": model_id, "res_id": picking["id"], "summary": "Call the carrier"}
    shop.box.odoo.create("mail.activity", own)
    hold(shop, raw)
    ours = next(row for row in warnings(shop, order_id) if row["summary"] != "Call the carrier")
    shop.box.odoo.delete("mail.activity", ours["id"])
    event(shop, raw, customer_note="Where is it?")
    release(shop, raw)
    assert [row["summary"] for row in warnings(shop, order_id)] == ["Call the carrier"]


def test_a_delivery_that_comes_later_is_warned_on_and_one_that_is_done_is_not(open_shop: OpenShop) -> None:
    shop, raw, order_id = confirmed(open_shop)
    (first,) = pickings(shop, order_id)
    shop.box.odoo.write("stock.picking", first["id"], {"state": "done"})
    hold(shop, raw)
    assert warnings(shop, order_id) == []
    assert "no delivery is open" in comments(shop, order_id)[-1]
    backorder = shop.box.odoo.create("stock.picking", {"sale_id": order_id, "user_id": 1})
    event(shop, raw, customer_note="Where is it?")
    (warning,) = warnings(shop, order_id)
    # Whoever is responsible for the delivery has it on the list.
    assert (warning["res_id"], warning["user_id"]) == (backorder, 1)


def test_a_held_quotation_has_no_delivery_to_warn_on(open_shop: OpenShop) -> None:
    shop = open_shop()
    raw = new_order(shop)
    event(shop, raw)
    shop.box.calls.reset()
    hold(shop, raw)
    assert not [name for name in calls(shop) if "stock.picking" in name or "mail.activity" in name]


def test_without_a_right_to_inventory_the_note_says_so(
    open_shop: OpenShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop, raw, order_id = confirmed(open_shop, own_box=True)
    monkeypatch.setattr(access, "_HIDDEN_FROM_SALES", frozenset({"ir.model.data", "stock.picking"}))
    shop.box.odoo.set_rights("sales")
    # Another process, which has not asked Odoo yet what the user may do.
    shop.runtime.close()
    shop.runtime = Runtime(ledger=shop.ledger)
    hold(shop, raw)
    assert "the bridge may not use Inventory" in comments(shop, order_id)[-1]
    release(shop, raw)
    assert warnings(shop, order_id) == []
