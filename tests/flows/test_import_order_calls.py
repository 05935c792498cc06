"""Calls per order in steady state, each by its name (RULES 1.14)."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.flows.conftest import OpenShop
from tests.support.orders import calls, new_order
from tests.support.shop import Shop

DRAFT = {
    "magento: GET /V1/orders/{id}": 1,
    "odoo: res.partner.search_read": 1,
    "odoo: sale.order.load": 1,
    "odoo: sale.order.read": 1,
    "odoo: mail.message.load": 1,
}
PREVIEW = {"odoo: sale.order.onchange": 1}
CONFIRMED = {"odoo: sale.order.action_confirm": 1, "odoo: sale.order.write": 1}
VERSIONS = (16, 18, 19)


def warm_shop(open_shop: OpenShop, version: int, **settings: Any) -> tuple[Shop, dict[str, Any]]:
    """Return a shop that knows its services, products and reference data, and an order of a customer it knows."""
    shop = open_shop(version, **settings)
    raw = new_order(shop)
    assert shop.import_order(raw).state == "done"
    return shop, raw


def count(shop: Shop, raw: dict[str, Any]) -> dict[str, int]:
    shop.box.calls.reset()
    job = shop.import_order(raw)
    assert (job.state, job.error) == ("done", None)
    return calls(shop)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_draft_of_a_returning_customer_takes_five_calls_and_the_preview(
    open_shop: OpenShop, version: int
) -> None:
    shop, known = warm_shop(open_shop, version)
    assert count(shop, again(shop, known)) == DRAFT | PREVIEW


@pytest.mark.parametrize("version", VERSIONS)
def test_a_confirmed_order_of_a_returning_customer_takes_seven_calls_and_the_preview(
    open_shop: OpenShop, version: int
) -> None:
    shop, known = warm_shop(open_shop, version, order_action="confirm")
    assert count(shop, again(shop, known)) == DRAFT | PREVIEW | CONFIRMED


def test_without_the_preview_a_draft_takes_exactly_five_calls(open_shop: OpenShop) -> None:
    shop, known = warm_shop(open_shop, 18, order_preview="never")
    found = count(shop, again(shop, known))
    assert found == DRAFT
    assert sum(found.values()) == 5


@pytest.mark.parametrize("version", VERSIONS)
def test_a_new_customer_takes_two_calls_more(open_shop: OpenShop, version: int) -> None:
    shop, known = warm_shop(open_shop, version)
    raw = again(shop, known, email="New.Person@example.com")
    # The search by email, the creation, and what was made with its addresses.
    assert count(shop, raw) == DRAFT | PREVIEW | {
        "odoo: res.partner.search_read": 2,
        "odoo: res.partner.load": 1,
    }


def test_the_order_name_written_to_magento_takes_one_call_more(open_shop: OpenShop) -> None:
    shop, known = warm_shop(open_shop, 18, write_ext_order_id=True)
    found = count(shop, again(shop, known))
    assert found == DRAFT | PREVIEW | {"magento: POST /V1/orders": 1}


def test_the_echo_of_our_own_write_to_magento_is_read_and_nothing_else(open_shop: OpenShop) -> None:
    shop, known = warm_shop(open_shop, 18, write_ext_order_id=True)
    echoed = shop.box.magento.orders.get(known["entity_id"])
    assert echoed is not None
    assert echoed["updated_at"] > known["updated_at"]
    assert count(shop, echoed) == {"magento: GET /V1/orders/{id}": 1}


def test_an_unmapped_tax_or_unknown_product_is_found_before_anything_is_written(open_shop: OpenShop) -> None:
    shop, known = warm_shop(open_shop, 18)
    raw = again(shop, known)
    raw["items"] = [{**raw["items"][0], "product_id": 999_999, "sku": "NOBODY-HAS-IT"}]
    shop.box.magento.orders.add(raw)
    shop.box.calls.reset()
    assert shop.import_order(raw).state == "blocked"
    assert not [name for name in calls(shop) if name.endswith((".load", ".write", ".onchange"))]


def again(shop: Shop, known: dict[str, Any], *, email: str | None = None) -> dict[str, Any]:
    """Return another order just like ``known``, of the same buyer unless an email is given."""
    numbers = new_order(shop, is_mapped=False)
    own = {name: numbers[name] for name in ("entity_id", "increment_id", "quote_id")}
    raw = {**copy.deepcopy(known), **own}
    if email is not None:
        raw["customer_email"] = email
    shop.box.magento.orders.add(raw)
    return raw
