"""A lost ledger: the bindings come back from the external ids in Odoo, as they were (DESIGN 7, RULES 2.2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from bridge.flows import rebuild_bindings
from bridge.flows.wants import PLACES
from bridge.ledger import Binding, Job
from tests.flows.conftest import OpenShop
from tests.support.orders import bound, calls, changed, new_order, put, same_buyer, warnings
from tests.support.shop import Shop

#: Kinds whose lines differ most: options, parts, cuts, discounts, services.
KINDS = (
    "simple",
    "configurable",
    "bundle, dynamic price",
    "bundle, fixed price",
    "many lines",
    "tax included, percent",
    "virtual",
)
ORDERED = {"product_id": 990_001, "sku": "MADE-BY-THE-BRIDGE"}

Key = tuple[str, str]


def done(shop: Shop, raw: Mapping[str, Any]) -> Mapping[str, Any]:
    job = shop.import_order(raw)
    assert (job.state, job.error) == ("done", None)
    return job.result or {}


def bindings(shop: Shop) -> dict[Key, Binding]:
    return {(one.kind, one.magento_id): one for one in shop.ledger.bindings.list("shop", limit=1000)}


def told(binding: Binding) -> tuple[Any, ...]:
    return (
        binding.odoo_model,
        binding.odoo_id,
        binding.magento_label,
        binding.odoo_label,
        binding.fingerprint,
        binding.order_items_json,
    )


def rebuild(shop: Shop) -> Job:
    place = PLACES["rebuild-bindings"]
    run = shop.ledger.runs.start("shop", "rebuild-bindings", {}, queue=place.queue, systems=place.systems)
    assert run.planner_job_id is not None
    shop.work()
    return shop.job(run.planner_job_id)


def rebuilt(shop: Shop) -> Mapping[str, int]:
    job = rebuild(shop)
    assert (job.state, job.error) == ("done", None)
    assert job.result is not None
    assert job.result["is_complete"]
    found: Mapping[str, int] = job.result["rebuilt"]
    return found


@pytest.mark.parametrize("version", [16, 18, 19])
def test_the_bindings_are_as_they_were_and_a_second_event_is_an_update(
    open_shop: OpenShop, version: int
) -> None:
    shop = open_shop(version, own_box=True, digits=2, auto_create_products=True)
    orders = [new_order(shop, kind) for kind in KINDS]
    orders[0]["items"] = [{**orders[0]["items"][0], **ORDERED}]
    put(shop, orders[0], is_mapped=False)
    orders[1] |= {"customer_id": 910_001, "customer_is_guest": 0}
    put(shop, orders[1])
    orders.append(same_buyer(shop, orders[1]))
    for raw in orders:
        done(shop, raw)
    known = bindings(shop)
    if version < 19:
        # 19 rounds over the order, so nothing is cut in pieces there.
        assert any(
            len(parts) > 1 for one in known.values() for parts in (one.order_items_json or {}).values()
        )
    shop.box.odoo.create("sale.order", {"partner_id": 1, "client_order_ref": "by hand"})
    again = open_shop(box=shop.box)
    # Whoever may sell and make contacts may do it: ir.model.data itself is closed to them.
    again.box.odoo.set_rights("contacts")
    found = rebuilt(again)
    made = {key: told(one) for key, one in known.items() if key[0] != "product" or key[1] == "990001"}
    assert {key: told(one) for key, one in bindings(again).items()} == made
    services = sum(kind == "service" for kind, _ in known)
    assert (found["orders"], found["products"], found["services"]) == (len(orders), 1, services)
    assert found["orders_of_others"] == 1
    again.box.calls.reset()
    for raw in orders:
        assert done(again, raw) == {
            "sale_order": bound(shop, raw)["name"],
            "sale_order_id": bound(shop, raw)["id"],
            "changes": [],
        }
    assert not [name for name in calls(again) if name.endswith((".load", ".write"))]


def test_units_cancelled_before_and_after_the_loss_come_to_what_magento_leaves(open_shop: OpenShop) -> None:
    shop = open_shop(own_box=True)
    raw = new_order(shop, "many lines")
    item = max(raw["items"], key=lambda one: one["qty_ordered"])
    ordered = int(item["qty_ordered"])
    assert ordered >= 3
    done(shop, raw)
    before = bindings(shop)["order", str(raw["entity_id"])].order_items_json
    assert before is not None
    lines = {part["line_id"] for part in before[str(item["item_id"])]}
    order_id = bound(shop, raw)["id"]

    def left() -> float:
        return sum(float(row["product_uom_qty"]) for row in shop.lines(order_id) if row["id"] in lines)

    def cancelled(units: int) -> Mapping[str, Any]:
        items = [
            {**one, "qty_canceled": units} if one["item_id"] == item["item_id"] else one
            for one in raw["items"]
        ]
        return changed(shop, raw, items=items)

    done(shop, cancelled(1))
    assert left() == ordered - 1
    again = open_shop(box=shop.box)
    rebuilt(again)
    assert bindings(again)["order", str(raw["entity_id"])].order_items_json == before
    # Cancelled while there was no ledger: the first event carries it over.
    assert done(again, cancelled(2))["changes"] == ["units cancelled; 1 lines here lowered"]
    assert left() == ordered - 2
    done(again, cancelled(3))
    assert left() == ordered - 3
    assert len(again.sale_orders(raw)) == 1


def test_what_cannot_be_told_is_left_alone_and_counted(
    open_shop: OpenShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Pages of two: the job goes on where it was.
    monkeypatch.setattr(rebuild_bindings, "ORDERS_AT_ONCE", 2)
    monkeypatch.setattr(rebuild_bindings, "PRODUCTS_AT_ONCE", 3)
    shop = open_shop(own_box=True, order_action="confirm")
    whole, unfinished, gone, unreadable, last = (new_order(shop) for _ in range(5))
    for raw in (whole, unfinished, gone, unreadable, last):
        done(shop, raw)
    (note,) = [one for one in shop.notes(bound(shop, unfinished)["id"]) if one["message_type"] == "comment"]
    shop.box.odoo.delete("mail.message", note["id"])
    shop.box.magento.orders.remove(gone["entity_id"])
    changed(shop, unreadable, items=[{"item_id": 1}])
    again = open_shop(box=shop.box, order_action="confirm")
    job = rebuild(again)
    assert job.state == "done"
    assert job.attempt > 5
    assert job.result is not None
    counts = {name: number for name, number in job.result["rebuilt"].items() if name.startswith("orders")}
    assert counts == {
        "orders": 2,
        "orders_not_finished": 1,
        "orders_gone_in_magento": 1,
        "orders_not_readable": 1,
        "orders_of_others": 0,
    }
    run = again.ledger.runs.list(instance="shop")[0]
    assert run.seen == job.result["rebuilt"]["looked_at"]
    assert {key[1] for key in bindings(again) if key[0] == "order"} == {
        str(raw["entity_id"]) for raw in (whole, last)
    }
    # What was not finished is finished by its next event, and not made again.
    again.map_all([unfinished])
    done(again, unfinished)
    assert len(again.sale_orders(unfinished)) == 1


def test_a_store_that_odoo_does_not_know_has_nothing_to_rebuild_and_is_not_made_known(
    open_shop: OpenShop,
) -> None:
    shop = open_shop(own_box=True)
    job = rebuild(shop)
    assert (job.state, job.error_code) == ("failed", "store_unknown")
    assert "Odoo does not know this store" in str(job.error)
    assert shop.box.odoo.records("res.partner.category") == []


def test_a_hold_is_followed_and_a_twin_is_known_after_a_rebuild(open_shop: OpenShop) -> None:
    shop = open_shop(own_box=True, order_action="confirm")
    held, released = new_order(shop), new_order(shop)
    for raw in (held, released):
        done(shop, raw)
        done(shop, changed(shop, raw, state="holded", status="holded"))
    first = new_order(shop)
    done(shop, first)
    twin = put(shop, same_buyer(shop, first, quote_id=first["quote_id"], state="holded", status="holded"))
    assert shop.import_order(twin).error_code == "twin_order"
    again = open_shop(box=shop.box, order_action="confirm")
    again.map_all([held, released, first, twin])
    rebuilt(again)
    done(again, held)
    done(again, changed(again, released, state="processing", status="processing"))
    assert len(warnings(again, bound(again, held)["id"])) == 1
    assert warnings(again, bound(again, released)["id"]) == []
    done(again, twin)
    done(again, changed(again, twin, state="processing", status="processing"))
    assert bound(again, twin)["state"] == "draft"
