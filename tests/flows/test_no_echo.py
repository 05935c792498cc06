"""What the bridge wrote does not come back as a change; a true edit right after it does."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from bridge.flows.wants import want
from tests.flows.conftest import OpenShop
from tests.support.orders import new_order
from tests.support.outward_shop import OutwardShop
from tests.support.shop import Shop

VERSIONS = (16, 18, 19)


def outward(open_shop: OpenShop, version: int = 18, **settings: Any) -> OutwardShop:
    given = {"export_products": True, "auto_create_products": True, **settings}
    return OutwardShop(open_shop(version, **given))


def both_ways(shop: OutwardShop, sku: str, product_id: int) -> None:
    """Let the bridge look at both sides, as the echoes of its writes make it."""
    shop.import_(sku)
    shop.export(product_id)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("master", ["magento", "odoo"])
def test_a_product_made_by_the_export_does_not_come_back(
    open_shop: OpenShop, version: int, master: str
) -> None:
    shop = outward(open_shop, version, sync_direction=master)
    sku = shop.new_sku("ECHO/{}")
    product_id = shop.make(
        sku, weight=0.33, description="<p>a &amp; <i>b</i></p>", description_sale="x < y\nz"
    )
    assert shop.export(product_id).result == {"made": 1}
    shop.forget_calls()
    for _ in range(2):
        both_ways(shop, sku, product_id)
    assert (shop.writes(), shop.writes("odoo"), shop.conflicts()) == ([], [], [])


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("master", ["magento", "odoo"])
def test_a_product_made_by_the_import_does_not_come_back(
    open_shop: OpenShop, version: int, master: str
) -> None:
    shop = outward(open_shop, version, sync_direction=master)
    (raw,) = shop.magento.add_products(1, configurable_share=0)
    sku = str(raw["sku"])
    shop.magento.catalog.change(
        sku, {"description": "plain & <script>x()</script> text", "short_description": "<p>s</p><p>t</p>"}
    )
    assert shop.import_(sku).result == {"made": 1}
    binding = shop.ledger.bindings.get("shop", "product", raw["id"])
    assert binding is not None
    shop.forget_calls()
    for _ in range(2):
        both_ways(shop, sku, binding.odoo_id)
    assert (shop.writes(), shop.writes("odoo"), shop.conflicts()) == ([], [], [])


@pytest.mark.parametrize("version", VERSIONS)
def test_changes_of_either_side_cross_once_and_edits_right_after_them_too(
    open_shop: OpenShop, version: int
) -> None:
    shop = outward(open_shop, version, sync_direction="text=odoo,status=odoo")
    sku = shop.new_sku("ECHO-{}")
    product_id = shop.make(sku, weight=1.0)
    shop.export(product_id)
    for number in range(3):
        shop.edit(product_id, name=f"Odoo {number}")
        shop.magento.catalog.change(sku, {"weight": 10 + number})
        shop.export(product_id)
        # Our write has just moved updated_at, and somebody edits within the same second.
        shop.magento.catalog.change(sku, {"weight": 20 + number})
        shop.import_(sku)
        shop.edit(product_id, name=f"Again {number}")
        shop.export(product_id)
        assert shop.raw(sku)["name"] == f"Again {number}"
        assert round(shop.row(product_id)["weight"], 2) == round((20 + number) * 0.45359237, 2)
    shop.forget_calls()
    both_ways(shop, sku, product_id)
    assert (shop.writes(), shop.writes("odoo"), shop.conflicts()) == ([], [], [])


@pytest.mark.parametrize("version", VERSIONS)
def test_scans_of_both_sides_come_to_rest(open_shop: OpenShop, version: int) -> None:
    shop = OutwardShop(
        open_shop(
            version, own_box=True, export_products=True, auto_create_products=True, sync_direction="text=odoo"
        )
    )
    shop.magento.add_products(20)
    for number in range(5):
        shop.make(f"REST-{number}", description=f"<p>{number}</p>")
    for kind in ("import-products", "export-products", "import-products"):
        progress = shop.run(kind)
        assert (progress.run.state, set(progress.jobs)) == ("done", {"done"}), kind
    assert all(shop.raw(f"REST-{number}")["status"] == 1 for number in range(5))
    shop.forget_calls()
    for kind in ("export-products", "import-products"):
        shop.run(kind, updated_from="2015-01-01T00:00:00+00:00")
    assert (shop.writes(), shop.writes("odoo"), shop.conflicts()) == ([], [], [])


def test_our_own_order_number_is_no_change_of_the_order(open_shop: OpenShop) -> None:
    shop = open_shop(write_ext_order_id=True)
    (raw,) = shop.box.magento.generate_orders(1, kinds=("simple",))
    shop.map_all([raw])
    shop.box.odoo.seed_products([item["sku"] for item in raw["items"]])
    assert shop.import_order(raw).state == "done"
    changed = shop.box.magento.orders.get(raw["entity_id"])
    assert changed is not None
    assert changed["updated_at"] > raw["updated_at"]
    shop.box.calls.reset()
    job = shop.import_order(changed)
    assert job.state == "done"
    writes = [key for key in shop.box.calls.counts("magento") if key[1] != "GET"]
    odoo = [
        key[2] for key in shop.box.calls.counts("odoo") if key[2].endswith((".load", ".write", ".create"))
    ]
    assert (writes, odoo) == ([], [])


def odoo_writes(shop: Shop) -> list[str]:
    counts = shop.box.calls.counts("odoo")
    return [key[2] for key in counts if key[2].endswith((".load", ".write", ".create"))]


def test_a_change_of_the_order_right_after_our_own_write_is_carried_over(open_shop: OpenShop) -> None:
    shop = open_shop(write_ext_order_id=True)
    raw = new_order(shop)
    assert shop.import_order(raw).state == "done"
    echo = shop.box.magento.orders.get(raw["entity_id"])
    assert echo is not None
    changed = copy.deepcopy(echo)
    changed["billing_address"]["street"] = ["Neue Gasse 7"]
    # Within the second of our own write.
    shop.box.magento.orders.add(changed)
    shop.box.calls.reset()
    assert shop.import_order(changed).state == "done"
    assert "res.partner.load" in odoo_writes(shop)
    partners = shop.box.odoo.records("res.partner")
    assert any(one.get("street") == "Neue Gasse 7" for one in partners)


@pytest.mark.parametrize("version", VERSIONS)
def test_an_account_that_was_written_is_no_change_and_an_edit_of_it_is(
    open_shop: OpenShop, version: int
) -> None:
    shop = open_shop(version, write_ext_order_id=True)
    raw = new_order(shop)
    customers = shop.box.magento.state.customers
    number = 300_000 + raw["entity_id"]
    address = next(iter(customers.values()))["addresses"][0]
    customer = {
        **next(iter(customers.values())),
        "id": number,
        "email": f"echo.{number}@example.com",
        "firstname": "Ada",
        "lastname": "Echo",
        "addresses": [{**address, "id": number, "customer_id": number}],
    }
    customers[number] = customer
    raw |= {"customer_id": number, "customer_email": customer["email"], "customer_is_guest": 0}
    raw |= {"customer_firstname": "Ada", "customer_lastname": "Echo"}
    shop.box.magento.orders.add(raw)

    def import_account() -> None:
        wanted = want("import-customer", instance="shop", entity=str(customer["id"]))
        job_id = shop.ledger.jobs.want([wanted])[0].job_id
        shop.work()
        assert shop.job(job_id).state == "done", shop.job(job_id).error

    import_account()
    assert shop.import_order(raw).state == "done"
    shop.box.calls.reset()
    import_account()
    assert odoo_writes(shop) == []
    assert [key for key in shop.box.calls.counts("magento") if key[1] != "GET"] == []
    customers[number] = {**customer, "email": f"edited.{number}@example.com"}
    import_account()
    emails = [one.get("email") for one in shop.box.odoo.records("res.partner") if not one.get("parent_id")]
    assert (customers[number]["email"] in emails, customer["email"] in emails) == (True, False)
