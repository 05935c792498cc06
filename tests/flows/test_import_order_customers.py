"""Whose order it is: customers found by binding, else by email, else made; addresses as contacts (RULES 1.11)."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from bridge.engine import Runtime, run_job
from tests.flows.conftest import OpenShop
from tests.support.orders import (
    addresses,
    bound,
    calls,
    new_order,
    partner,
    partners_of,
    put,
    same_buyer,
    stored,
)
from tests.support.shop import HURRIED, ROOM, Shop


def done(shop: Shop, raw: dict[str, Any]) -> dict[str, Any]:
    """Import an order and return its sales order."""
    job = shop.import_order(raw)
    assert (job.state, job.error) == ("done", None)
    return stored(shop, job)


def registered(shop: Shop, customer_id: int, **changes: Any) -> dict[str, Any]:
    raw = new_order(shop, **changes)
    raw |= {"customer_id": customer_id, "customer_is_guest": 0}
    return put(shop, raw)


def contacts(shop: Shop, parent_id: int) -> list[dict[str, Any]]:
    return [row for row in shop.box.odoo.records("res.partner") if row.get("parent_id") == parent_id]


@pytest.mark.parametrize("version", [16, 18, 19])
def test_a_new_guest_becomes_one_partner_with_name_address_region_and_language(
    open_shop: OpenShop, version: int
) -> None:
    shop = open_shop(version)
    raw = new_order(shop)
    for address in addresses(raw):
        address |= {"region": "Berlin", "region_code": "BER", "country_id": "DE", "city": "Berlin"}
    order = done(shop, put(shop, raw))
    made = partner(shop, order["partner_id"])
    address = raw["billing_address"]
    assert made["name"] == f"{address['firstname']} {address['lastname']}"
    assert made["email"] == raw["customer_email"]
    assert (made["street"], made["zip"]) == (address["street"][0], address["postcode"])
    countries = {row["id"]: row["code"] for row in shop.box.odoo.records("res.country")}
    states = {row["id"]: row["name"] for row in shop.box.odoo.records("res.country.state")}
    assert countries[made["country_id"]] == "DE"
    # Magento's code of the region is its own: Odoo's is BE.
    assert states[made["state_id"]] == "Berlin"
    assert made["lang"] == "en_US"
    assert order["partner_invoice_id"] == order["partner_shipping_id"] == made["id"]


def test_a_customer_speaks_the_language_of_the_store_view(open_shop: OpenShop) -> None:
    shop = open_shop(own_box=True)
    for view in shop.box.magento.state.stores["storeConfigs"]:
        view["locale"] = "de_AT" if view["id"] == 1 else "xx_XX"
    assert partner(shop, done(shop, new_order(shop, store_id=1))["partner_id"])["lang"] == "de_DE"
    assert partner(shop, done(shop, new_order(shop, store_id=2))["partner_id"])["lang"] == "en_US"


def test_an_integration_that_may_not_read_stores_still_imports(open_shop: OpenShop) -> None:
    shop = open_shop(own_box=True)
    shop.box.magento.guard.allowed = {"Magento_Sales::actions_view", "Magento_Catalog::products"}
    raw = new_order(shop)
    job = shop.import_order(raw)
    assert (job.state, job.error) == ("done", None)


def test_configurations_that_cannot_be_read_cost_the_language_and_no_order(open_shop: OpenShop) -> None:
    shop = open_shop(own_box=True)
    shop.box.magento.stores.configure("default", locale="de_AT", id=None)
    assert partner(shop, done(shop, new_order(shop, store_id=1))["partner_id"])["lang"] == "en_US"


def test_a_registered_customer_is_found_by_the_binding_whatever_the_email_is_now(open_shop: OpenShop) -> None:
    shop = open_shop()
    first = registered(shop, 910_001)
    before = done(shop, first)
    second = put(shop, same_buyer(shop, first, customer_email="moved.to@example.com"))
    assert done(shop, second)["partner_id"] == before["partner_id"]
    assert partners_of(shop, "moved.to@example.com") == []


@pytest.mark.parametrize("version", [16, 18, 19])
def test_an_email_is_found_without_regard_to_case(open_shop: OpenShop, version: int) -> None:
    shop = open_shop(version)
    raw = new_order(shop)
    email = raw["customer_email"]
    name = f"{raw['billing_address']['firstname']} {raw['billing_address']['lastname']}"
    known = shop.box.odoo.create("res.partner", {"name": name, "email": email.title()})
    raw["customer_email"] = email.upper()
    assert done(shop, put(shop, raw))["partner_id"] == known
    assert len(partners_of(shop, email)) == 1


@pytest.mark.parametrize("sign", ["_", "%"])
def test_signs_in_an_email_are_no_wildcards(open_shop: OpenShop, sign: str) -> None:
    shop = open_shop()
    raw = new_order(shop)
    number = raw["entity_id"]
    other = shop.box.odoo.create("res.partner", {"name": "Other", "email": f"axb.{number}@example.com"})
    raw["customer_email"] = f"a{sign}b.{number}@example.com"
    order = done(shop, put(shop, raw))
    assert order["partner_id"] != other
    assert len(partners_of(shop, raw["customer_email"])) == 1


@pytest.mark.parametrize(
    ("vat", "company"),
    [("DE123456789", None), (None, "Example Ltd"), ("DE 987.654.321", "Example Ltd")],
    ids=["another VAT id", "a company", "both"],
)
def test_the_same_email_with_another_vat_id_or_company_is_another_partner(
    open_shop: OpenShop, vat: str | None, company: str | None
) -> None:
    shop = open_shop()
    first = new_order(shop)
    person = done(shop, first)["partner_id"]
    second = same_buyer(shop, first)
    for address in addresses(second):
        address |= {"vat_id": vat, "company": company}
    business = done(shop, put(shop, second))["partner_id"]
    assert business != person
    made = partner(shop, business)
    assert (made.get("vat") or None) == ("".join(sign for sign in vat if sign.isalnum()) if vat else None)
    assert bool(made["is_company"]) == (company is not None)
    assert len(partners_of(shop, first["customer_email"])) == 2
    # Each is found again.
    again = same_buyer(shop, second)
    assert done(shop, again)["partner_id"] == business
    assert done(shop, same_buyer(shop, first))["partner_id"] == person


def test_one_account_that_buys_for_a_company_too_has_two_partners_and_each_is_found_by_its_binding(
    open_shop: OpenShop,
) -> None:
    shop = open_shop()
    first = registered(shop, 910_002)
    person = done(shop, first)["partner_id"]
    second = same_buyer(shop, first)
    for address in addresses(second):
        address["company"] = "Example Ltd"
    business = done(shop, put(shop, second))["partner_id"]
    assert business != person
    shop.box.calls.reset()
    assert done(shop, same_buyer(shop, second))["partner_id"] == business
    assert done(shop, same_buyer(shop, first))["partner_id"] == person
    assert calls(shop)["odoo: res.partner.search_read"] == 2
    assert "odoo: res.partner.load" not in calls(shop)


def test_a_vat_id_that_a_person_writes_in_odoo_does_not_part_a_customer_from_the_partner(
    open_shop: OpenShop,
) -> None:
    shop = open_shop()
    first = registered(shop, 910_003)
    person = done(shop, first)["partner_id"]
    shop.box.odoo.write("res.partner", person, {"vat": "DE111111111"})
    assert done(shop, same_buyer(shop, first))["partner_id"] == person


@pytest.mark.parametrize("version", [16, 18, 19])
def test_a_vat_id_stands_on_the_commercial_partner_only(open_shop: OpenShop, version: int) -> None:
    shop = open_shop(version)
    raw = new_order(shop)
    billing, delivery = list(addresses(raw))
    billing |= {"company": "Example Ltd", "vat_id": "DE123456789"}
    delivery |= {"vat_id": "FR12345678901", "street": ["Elsewhere 1"]}
    order = done(shop, put(shop, raw))
    assert partner(shop, order["partner_id"])["vat"] == "DE123456789"
    assert {row["vat"] for row in contacts(shop, order["partner_id"])} == {"DE123456789"}


@pytest.mark.parametrize("round_", range(3))
def test_two_orders_of_a_new_guest_at_the_same_moment_make_one_partner(
    open_shop: OpenShop, round_: int
) -> None:
    shop = open_shop(write_ext_order_id=False)
    assert shop.import_order(new_order(shop)).state == "done"
    first = new_order(shop)
    second = same_buyer(shop, first)
    jobs = [shop.want_order(raw) for raw in (first, second)]
    other = Runtime(ledger=shop.ledger, backoff_unit_seconds=HURRIED.backoff_unit_seconds, worker="other")
    due = [job_id for job_id, _ in shop.ledger.jobs.dispatch(ROOM, limit=10)]
    assert sorted(due) == sorted(jobs)
    threads = [
        threading.Thread(target=run_job, args=(runtime, job_id))
        for runtime, job_id in zip((shop.runtime, other), due, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    shop.work()
    other.close()
    assert [shop.job(one).state for one in jobs] == ["done", "done"]
    assert bound(shop, first)["partner_id"] == bound(shop, second)["partner_id"]
    assert len(partners_of(shop, first["customer_email"])) == 1


def test_an_equal_address_is_reused_and_a_new_one_becomes_a_contact(open_shop: OpenShop) -> None:
    shop = open_shop()
    first = new_order(shop)
    order = done(shop, first)
    person = order["partner_id"]
    assert contacts(shop, person) == []
    second = same_buyer(shop, first)
    billing, delivery = list(addresses(second))
    # Written otherwise, and the same place.
    billing["street"] = [line.upper() for line in billing["street"]]
    delivery["street"] = ["New Street 7"]
    order = done(shop, put(shop, second))
    assert order["partner_id"] == order["partner_invoice_id"] == person
    (contact,) = contacts(shop, person)
    assert order["partner_shipping_id"] == contact["id"]
    assert (contact["street"], contact["type"]) == ("New Street 7", "delivery")
    order = done(shop, same_buyer(shop, second))
    assert order["partner_shipping_id"] == contact["id"]
    assert len(contacts(shop, person)) == 1


def test_an_address_that_a_person_corrected_in_odoo_is_used_as_it_is_now(open_shop: OpenShop) -> None:
    shop = open_shop()
    first = new_order(shop)
    list(addresses(first))[1]["street"] = ["Wrong Stret 7"]
    person = done(shop, put(shop, first))["partner_id"]
    later = same_buyer(shop, first)
    list(addresses(later))[1]["street"] = ["New Street 8"]
    corrected = done(shop, put(shop, later))["partner_shipping_id"]
    shop.box.odoo.write("res.partner", corrected, {"street": "Newer Street 8"})
    assert done(shop, same_buyer(shop, later))["partner_shipping_id"] == corrected
    assert len(contacts(shop, person)) == 2


def test_a_company_has_its_buyers_as_contacts(open_shop: OpenShop) -> None:
    shop = open_shop()
    raw = new_order(shop)
    for address in addresses(raw):
        address |= {"company": "Example Ltd"}
    order = done(shop, put(shop, raw))
    company = partner(shop, order["partner_id"])
    assert (company["name"], bool(company["is_company"])) == ("Example Ltd", True)
    buyer = partner(shop, order["partner_shipping_id"])
    assert buyer["parent_id"] == company["id"]
    assert buyer["name"] == f"{raw['billing_address']['firstname']} {raw['billing_address']['lastname']}"


@pytest.mark.parametrize("email", ["same", "another"])
def test_a_merged_partner_is_followed_to_what_it_became(open_shop: OpenShop, email: str) -> None:
    shop = open_shop()
    first = new_order(shop)
    person = done(shop, first)["partner_id"]
    known = first["customer_email"] if email == "same" else f"merged.{first['entity_id']}@example.com"
    into = shop.box.odoo.create("res.partner", {"name": partner(shop, person)["name"], "email": known})
    shop.box.odoo.merge_partners(person, into)
    assert done(shop, same_buyer(shop, first))["partner_id"] == into
    shop.box.calls.reset()
    assert done(shop, same_buyer(shop, first))["partner_id"] == into
    assert calls(shop)["odoo: res.partner.search_read"] == 1


def test_a_partner_that_was_deleted_blocks_and_is_never_made_again(open_shop: OpenShop) -> None:
    shop = open_shop()
    first = new_order(shop)
    order = done(shop, first)
    shop.box.odoo.delete("sale.order", order["id"])
    shop.box.odoo.delete("res.partner", order["partner_id"])
    second = same_buyer(shop, first)
    job = shop.import_order(second)
    assert (job.state, job.error_code) == ("blocked", "bound_record_gone")
    assert partners_of(shop, first["customer_email"]) == []
    # A person makes one anew: it is found by its email.
    name = f"{first['billing_address']['firstname']} {first['billing_address']['lastname']}"
    made = shop.box.odoo.create("res.partner", {"name": name, "email": first["customer_email"]})
    shop.ledger.jobs.retry(job.id)
    shop.work()
    assert bound(shop, second)["partner_id"] == made


def test_a_country_that_odoo_does_not_know_blocks_and_is_named(open_shop: OpenShop) -> None:
    shop = open_shop()
    raw = new_order(shop)
    for address in addresses(raw):
        address |= {"country_id": "XX", "region": None, "region_code": None}
    job = shop.import_order(put(shop, raw))
    assert (job.state, job.error_code) == ("blocked", "order_unclear")
    assert "XX" in (job.error or "")


def test_a_region_that_odoo_does_not_know_is_named_in_the_note(open_shop: OpenShop) -> None:
    shop = open_shop()
    raw = new_order(shop)
    for address in addresses(raw):
        address |= {"country_id": "DE", "region": "Atlantis <b>", "region_code": "ATL"}
    order = done(shop, put(shop, raw))
    bodies = [row["body"] for row in shop.notes(order["id"])]
    assert any("Atlantis &lt;b&gt;" in body for body in bodies)
