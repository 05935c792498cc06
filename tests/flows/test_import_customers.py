"""Magento accounts become partners and stay in step, without doubling the partners of their orders (RULES 1.11)."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Mapping
from typing import Any

import pytest

from bridge.engine import run_job
from bridge.flows.wants import want
from bridge.ledger import Job
from bridge.odoo import OdooClient
from tests.flows.conftest import OpenShop
from tests.support.imports import map_to
from tests.support.orders import Raw, calls, merge, new_order, partner, partners_of, put
from tests.support.shop import ROOM, Shop

VERSIONS = (16, 18, 19)
#: Where Odoo keeps the pricelist that was chosen for a contact.
CHOSEN = {
    16: "property_product_pricelist",
    18: "specific_property_product_pricelist",
    19: "specific_property_product_pricelist",
}
#: Beyond the ids of the accounts that the sandbox begins with.
_NUMBERS = itertools.count(100_001)


def new_account(shop: Shop, **changes: Any) -> Raw:
    """Put an account with one address, that nobody has seen, into the shop."""
    customers = shop.box.magento.state.customers
    # Never one that was there and is deleted: the shop's Odoo still has the partner of its email.
    number = next(_NUMBERS)
    address = {
        "id": number,
        "customer_id": number,
        "region": {"region_code": "BER", "region": "Berlin", "region_id": 82},
        "country_id": "DE",
        "street": [f"Unter den Linden {number}"],
        "telephone": "+49 30 77",
        "postcode": "10117",
        "city": "Berlin",
        "firstname": "Nora",
        "lastname": "Krause",
        "default_shipping": True,
        "default_billing": True,
    }
    raw = {
        "id": number,
        "group_id": 1,
        "created_at": "2026-11-23 15:46:27",
        "updated_at": "2026-11-23 15:46:27",
        "email": f"account.{number}@example.com",
        "firstname": "Nora",
        "lastname": "Krause",
        "store_id": 1,
        "website_id": 1,
        "addresses": [address],
        "extension_attributes": {"is_subscribed": True},
        **changes,
    }
    customers[number] = raw
    return raw


def change(shop: Shop, raw: Raw, *, at: str = "2026-11-24 10:00:00", **values: Any) -> Raw:
    """Change an account in Magento."""
    changed = copy.deepcopy({**raw, **values, "updated_at": at})
    shop.box.magento.state.customers[raw["id"]] = changed
    return changed


def with_address(raw: Mapping[str, Any], **values: Any) -> list[Raw]:
    return [{**copy.deepcopy(one), **values} for one in raw["addresses"]]


def run(shop: Shop, raw: Mapping[str, Any]) -> Job:
    wanted = want("import-customer", instance="shop", entity=str(raw["id"]), version=str(raw["updated_at"]))
    job_id = shop.ledger.jobs.want([wanted])[0].job_id
    shop.work()
    return shop.job(job_id)


def imported(shop: Shop, raw: Mapping[str, Any]) -> Raw:
    """Import an account and return its partner, of which there is one."""
    job = run(shop, raw)
    assert (job.state, job.error) == ("done", None)
    assert job.result is not None
    found = partners_of(shop, raw["email"])
    assert [row["id"] for row in found] == [job.result["partner_id"]]
    return found[0]


def contacts(shop: Shop, parent_id: int) -> list[Raw]:
    return [row for row in shop.box.odoo.records("res.partner") if row.get("parent_id") == parent_id]


def order_of(shop: Shop, raw: Mapping[str, Any], **changes: Any) -> Raw:
    """Put an order of the account into the shop."""
    order = new_order(shop, is_mapped=False)
    order |= {
        "customer_id": raw["id"],
        "customer_is_guest": 0,
        "customer_email": raw["email"],
        "customer_firstname": raw["firstname"],
        "customer_lastname": raw["lastname"],
        **changes,
    }
    return put(shop, order)


@pytest.mark.parametrize("version", VERSIONS)
def test_an_account_becomes_one_partner_and_its_orders_have_it(open_shop: OpenShop, version: int) -> None:
    shop = open_shop(version)
    raw = new_account(shop)
    made = imported(shop, raw)
    assert (made["name"], made["city"], made["zip"], made["phone"]) == (
        "Nora Krause",
        "Berlin",
        "10117",
        "+49 30 77",
    )
    assert not contacts(shop, made["id"])
    job = shop.import_order(order_of(shop, raw))
    assert job.state == "done"
    orders = shop.sale_orders({"increment_id": job.label})
    assert [order["partner_id"] for order in orders] == [made["id"]]
    assert len(partners_of(shop, raw["email"])) == 1


def test_the_partner_that_an_order_made_before_is_taken_and_nothing_of_it_is_written(
    open_shop: OpenShop,
) -> None:
    shop = open_shop()
    raw = new_account(shop)
    assert shop.import_order(order_of(shop, raw)).state == "done"
    (before,) = partners_of(shop, raw["email"])
    shop.box.odoo.write("res.partner", before["id"], {"phone": "0800 1"})
    after = imported(shop, raw)
    assert after["id"] == before["id"]
    assert after["phone"] == "0800 1"
    # The order had another address than the account's own: that one is a contact now.
    assert [row["city"] for row in contacts(shop, after["id"])] == ["Berlin"]


@pytest.mark.parametrize("version", VERSIONS)
def test_what_changed_in_magento_is_written_and_what_a_person_changed_in_odoo_stays(
    open_shop: OpenShop, version: int
) -> None:
    shop = open_shop(version)
    raw = new_account(shop)
    made = imported(shop, raw)
    shop.box.odoo.write("res.partner", made["id"], {"phone": "0800 1", "comment": "rings twice"})
    raw = change(
        shop,
        raw,
        email=f"new.{raw['email']}",
        addresses=with_address(raw, telephone="+49 30 88", postcode="10119"),
    )
    job = run(shop, raw)
    assert (job.state, job.error) == ("done", None)
    assert job.result is not None
    assert (job.result["changed"], job.result["kept_as_in_odoo"]) == (["email", "zip"], ["phone"])
    now = partner(shop, made["id"])
    assert (now["email"], now["zip"], now["phone"]) == (raw["email"], "10119", "0800 1")
    assert "rings twice" in now["comment"]


def test_a_field_emptied_in_magento_is_emptied_in_odoo(open_shop: OpenShop) -> None:
    shop = open_shop()
    raw = new_account(shop)
    made = imported(shop, raw)
    raw = change(shop, raw, addresses=with_address(raw, telephone=None))
    imported(shop, raw)
    assert not partner(shop, made["id"])["phone"]


def test_an_unchanged_account_is_read_and_nothing_is_written(open_shop: OpenShop) -> None:
    shop = open_shop()
    raw = new_account(shop)
    imported(shop, raw)
    shop.box.calls.reset()
    imported(shop, raw)
    assert calls(shop) == {
        "magento: GET /V1/customers/{id}": 1,
        "odoo: res.partner.search_read": 1,
    }


def test_addresses_are_added_and_never_taken_away(open_shop: OpenShop) -> None:
    shop = open_shop()
    raw = new_account(shop)
    made = imported(shop, raw)
    second = {
        **with_address(raw)[0],
        "id": 5001,
        "street": ["Hafenweg 2"],
        "city": "Hamburg",
        "default_billing": False,
        "default_shipping": False,
        "region": {},
    }
    raw = change(shop, raw, addresses=[*raw["addresses"], second])
    imported(shop, raw)
    imported(shop, raw)
    assert [row["city"] for row in contacts(shop, made["id"])] == ["Hamburg"]
    raw = change(shop, raw, at="2026-11-24 11:00:00", addresses=raw["addresses"][:1])
    imported(shop, raw)
    assert [row["city"] for row in contacts(shop, made["id"])] == ["Hamburg"]


def test_a_company_has_the_vat_id_and_its_buyer_is_a_contact(open_shop: OpenShop) -> None:
    shop = open_shop()
    raw = new_account(shop)
    raw = change(shop, raw, addresses=with_address(raw, company="Muster GmbH", vat_id="DE 123456789"))
    made = imported(shop, raw)
    assert (made["name"], made["is_company"], made["vat"]) == ("Muster GmbH", True, "DE123456789")
    assert [row["name"] for row in contacts(shop, made["id"])] == ["Nora Krause"]
    # Bought for another company from now on: another commercial partner, the first one stays.
    raw = change(
        shop,
        raw,
        at="2026-11-24 11:00:00",
        addresses=with_address(raw, company="Andere AG", vat_id="DE987654321"),
    )
    job = run(shop, raw)
    assert job.state == "done"
    assert sorted(row["name"] for row in partners_of(shop, raw["email"])) == ["Andere AG", "Muster GmbH"]


def test_a_group_gives_the_tag_that_it_is_mapped_to_and_takes_its_own_one_away(open_shop: OpenShop) -> None:
    shop = open_shop()
    retail, trade, own = (
        shop.box.odoo.create("res.partner.category", {"name": name}) for name in ("Retail", "Trade", "VIP")
    )
    map_to(shop, "customer_group", "2", retail)
    map_to(shop, "customer_group", "3", trade)
    raw = new_account(shop, group_id=2)
    made = imported(shop, raw)
    assert made["category_id"] == [retail]
    shop.box.odoo.write("res.partner", made["id"], {"category_id": [retail, own]})
    raw = change(shop, raw, group_id=3)
    imported(shop, raw)
    assert sorted(partner(shop, made["id"])["category_id"]) == sorted([own, trade])
    # A group that nobody mapped gives none, and is counted for the mapping center.
    raw = change(shop, raw, at="2026-11-24 11:00:00", group_id=7)
    imported(shop, raw)
    assert partner(shop, made["id"])["category_id"] == [own]
    values = {row.value: row for row in shop.ledger.mappings.list("shop", kind="customer_group")}
    assert values["7"].state == "unmapped"


def holding(shop: Shop, partner_id: int) -> int | None:
    """Return the pricelist that a partner buys by: the one that was chosen, or the default."""
    odoo = shop.box.odoo
    client = OdooClient.connect(url=odoo.url, db=odoo.database, user=odoo.user, key=odoo.key)
    (row,) = client.read("res.partner", [partner_id], ["property_product_pricelist"])
    client.close()
    return row["property_product_pricelist"][0] if row["property_product_pricelist"] else None


@pytest.mark.parametrize("version", VERSIONS)
def test_a_group_gives_the_pricelist_that_it_is_mapped_to_and_what_a_person_chose_stays(
    open_shop: OpenShop, version: int
) -> None:
    shop = open_shop(version)
    retail, trade, own = (
        shop.box.odoo.create("product.pricelist", {"name": name}) for name in ("Retail", "Trade", "VIP")
    )
    map_to(shop, "customer_group_pricelist", "2", retail)
    map_to(shop, "customer_group_pricelist", "3", trade)

    def chosen(made: Raw) -> int | None:
        return partner(shop, made["id"]).get(CHOSEN[version])

    raw = new_account(shop, group_id=2)
    made = imported(shop, raw)
    assert chosen(made) == retail
    raw = change(shop, raw, group_id=3)
    imported(shop, raw)
    assert chosen(made) == trade
    shop.box.odoo.write("res.partner", made["id"], {"property_product_pricelist": own})
    raw = change(shop, raw, at="2026-11-24 11:00:00", group_id=2)
    imported(shop, raw)
    assert chosen(made) == own
    # A group without a pricelist takes away what another one gave, and no more.
    other = new_account(shop, group_id=2)
    made = imported(shop, other)
    assert chosen(made) == retail
    other = change(shop, other, group_id=7)
    imported(shop, other)
    nobody = shop.box.odoo.create("res.partner", {"name": "Nobody"})
    assert holding(shop, made["id"]) == holding(shop, nobody)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_partner_that_was_there_before_keeps_the_pricelist_that_it_has(
    open_shop: OpenShop, version: int
) -> None:
    shop = open_shop(version)
    trade, own = (shop.box.odoo.create("product.pricelist", {"name": name}) for name in ("Trade", "VIP"))
    map_to(shop, "customer_group_pricelist", "3", trade)
    for before, after in ((own, own), (None, trade)):
        raw = new_account(shop, group_id=3)
        values = {"name": "Nora Krause", "email": raw["email"]}
        had = {"property_product_pricelist": before} if before else {}
        partner_id = shop.box.odoo.create("res.partner", values | had)
        made = imported(shop, raw)
        assert (made["id"], made.get(CHOSEN[version])) == (partner_id, after)


@pytest.mark.parametrize("fault", [None, "cut_before", "cut_after"])
@pytest.mark.parametrize("city", ["Potsdam", "Berlin"])
def test_a_group_and_a_field_that_change_together_are_one_write(
    open_shop: OpenShop, city: str, fault: Any
) -> None:
    shop = open_shop()
    retail, trade = (shop.box.odoo.create("res.partner.category", {"name": name}) for name in ("R", "T"))
    map_to(shop, "customer_group", "2", retail)
    map_to(shop, "customer_group", "3", trade)
    raw = new_account(shop, group_id=2)
    made = imported(shop, raw)
    raw = change(shop, raw, group_id=3, addresses=with_address(raw, city=city, region={}))
    shop.box.calls.reset()
    if fault is not None:
        shop.box.odoo.faults.once(fault, only=lambda call: call.operation.endswith("res.partner.write"))
    imported(shop, raw)
    found = partner(shop, made["id"])
    assert (found["city"], found["category_id"]) == (city, [trade])
    if fault is None:
        writes = [
            count for key, count in shop.box.calls.counts("odoo").items() if key[2] == "res.partner.write"
        ]
        assert writes == [1]
    assert not shop.ledger.effects.open_for_target("shop", "res.partner")


@pytest.mark.parametrize("email", ["same", "another"])
def test_an_account_whose_partner_was_merged_goes_on_with_what_it_became(
    open_shop: OpenShop, email: str
) -> None:
    shop = open_shop()
    raw = new_account(shop)
    old = imported(shop, raw)
    known = raw["email"] if email == "same" else f"merged.{raw['id']}@example.com"
    into = shop.box.odoo.create("res.partner", {"name": old["name"], "zip": old["zip"], "email": known})
    merge(shop, old["id"], into)
    job = run(shop, change(shop, raw, addresses=with_address(raw, postcode="10119")))
    assert (job.state, job.error) == ("done", None)
    assert (job.result["partner_id"], job.result["made"]) == (into, False)
    # An email that a person chose in Odoo stays.
    now = partner(shop, into)
    assert (now["zip"], now["email"]) == ("10119", known)
    job = run(shop, change(shop, raw, at="2026-11-25 10:00:00"))
    assert (job.result["partner_id"], partner(shop, into)["zip"]) == (into, "10117")


def test_whether_somebody_has_the_newsletter_is_left_alone_on_both_sides(open_shop: OpenShop) -> None:
    shop = open_shop()
    raw = new_account(shop)
    made = imported(shop, raw)
    shop.box.calls.reset()
    changed = change(
        shop,
        raw,
        email=f"new.{raw['email']}",
        extension_attributes={"is_subscribed": False},
    )
    assert imported(shop, changed)["id"] == made["id"]
    # Nothing is written into Magento, and in Odoo nothing but the email: no list of subscribers is touched.
    counts = shop.box.calls.counts()
    assert {method for system, method, _ in counts if system == "magento"} == {"GET"}
    assert [name for system, _, name in counts if system == "odoo" and ".write" in name] == [
        "res.partner.write"
    ]
    now = partner(shop, made["id"])
    assert {name for name in now if now[name] != made.get(name)} <= {
        "email",
        "email_normalized",
        "write_date",
    }


def test_an_account_that_is_gone_from_magento_leaves_its_partner(open_shop: OpenShop) -> None:
    shop = open_shop()
    raw = new_account(shop)
    made = imported(shop, raw)
    del shop.box.magento.state.customers[raw["id"]]
    job = run(shop, raw)
    assert (job.state, job.result) == ("done", {"outcome": "gone from Magento"})
    assert partner(shop, made["id"])["active"]


@pytest.mark.parametrize("version", VERSIONS)
def test_the_account_of_a_merged_partner_goes_on_with_what_it_became(
    open_shop: OpenShop, version: int
) -> None:
    shop = open_shop(version)
    raw = new_account(shop)
    made = imported(shop, raw)
    into = shop.box.odoo.create("res.partner", {"name": "Nora K.", "email": f"other.{raw['email']}"})
    shop.box.odoo.merge_partners(made["id"], into)
    job = run(shop, change(shop, raw, addresses=with_address(raw, city="Potsdam", region={})))
    assert (job.state, job.error) == ("done", None)
    assert job.result is not None
    assert (job.result["partner_id"], job.result["made"]) == (into, False)
    binding = shop.ledger.bindings.get("shop", "customer", raw["id"])
    assert binding is not None
    assert binding.odoo_id == into
    assert [row["id"] for row in shop.box.odoo.records("res.partner") if row["id"] == made["id"]] == []


def test_a_partner_that_was_deleted_in_odoo_blocks_and_is_not_made_again(open_shop: OpenShop) -> None:
    shop = open_shop()
    raw = new_account(shop)
    made = imported(shop, raw)
    shop.box.odoo.delete("res.partner", made["id"])
    job = run(shop, change(shop, raw, firstname="Eleonora"))
    assert (job.state, job.error_code) == ("blocked", "bound_record_gone")
    assert partners_of(shop, raw["email"]) == []


@pytest.mark.parametrize("fault", ["cut_before", "cut_after", "error_after"])
@pytest.mark.parametrize("operation", ["res.partner.load", "res.partner.write"])
def test_a_lost_answer_makes_and_changes_a_partner_once(
    open_shop: OpenShop, operation: str, fault: Any
) -> None:
    shop = open_shop()
    raw = new_account(shop)
    if operation.endswith("write"):
        imported(shop, raw)
        raw = change(shop, raw, addresses=with_address(raw, city="Potsdam", region={}))
    shop.box.odoo.faults.once(fault, only=lambda call: call.operation.endswith(operation))
    made = imported(shop, raw)
    assert made["city"] == ("Potsdam" if operation.endswith("write") else "Berlin")
    assert not contacts(shop, made["id"])


def test_a_change_that_comes_while_an_older_write_is_in_doubt_is_the_last_word(open_shop: OpenShop) -> None:
    shop = open_shop()
    raw = new_account(shop)
    made = imported(shop, raw)
    raw = change(shop, raw, addresses=with_address(raw, city="Potsdam", region={}))
    shop.box.odoo.faults.once("cut_after", only=lambda call: call.operation.endswith("res.partner.write"))
    wanted = want("import-customer", instance="shop", entity=str(raw["id"]), version=str(raw["updated_at"]))
    (job,) = shop.ledger.jobs.want([wanted])

    for job_id, _queue in shop.ledger.jobs.dispatch(ROOM, limit=10):
        run_job(shop.runtime, job_id)
    assert shop.job(job.job_id).state == "retry_waiting"
    raw = change(shop, raw, at="2026-11-24 12:00:00", addresses=with_address(raw, city="Cottbus"))
    imported(shop, raw)
    assert partner(shop, made["id"])["city"] == "Cottbus"
    assert not shop.ledger.effects.open_for_target("shop", "res.partner")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"email": ""}, "The customer's field email is missing"),
        ({"addresses": [{"country_id": "XX", "street": ["A 1"], "city": "B"}]}, "country 'XX'"),
        ({"addresses": ["Berlin"]}, "The customer's field addresses[0] is not an object"),
        ({"group_id": "many"}, "The customer's field group_id is not a number"),
    ],
)
def test_an_account_that_cannot_be_read_blocks_by_the_name_of_its_field(
    open_shop: OpenShop, values: Mapping[str, Any], said: str
) -> None:
    shop = open_shop()
    before = len(shop.box.odoo.records("res.partner"))
    job = run(shop, new_account(shop, **values))
    assert job.state == "blocked"
    assert said in (job.error or "")
    assert job.help
    assert len(shop.box.odoo.records("res.partner")) == before


def test_odd_texts_are_cleaned_and_kept(open_shop: OpenShop) -> None:
    shop = open_shop()
    raw = new_account(shop, firstname="No\0ra \N{GRINNING FACE}", lastname="\N{HEBREW LETTER ALEF}")
    raw = change(shop, raw, addresses=with_address(raw, firstname="", lastname=""))
    assert imported(shop, raw)["name"] == "Nora \N{GRINNING FACE} \N{HEBREW LETTER ALEF}"


def test_an_account_without_an_address_is_a_partner_with_a_name_and_an_email(open_shop: OpenShop) -> None:
    shop = open_shop()
    made = imported(shop, new_account(shop, addresses=[]))
    assert made["name"] == "Nora Krause"
    assert not made.get("street")


def test_a_scan_imports_every_account_and_the_next_one_only_what_changed(open_shop: OpenShop) -> None:
    shop = open_shop(own_box=True)
    raws = [new_account(shop) for _ in range(3)]
    accounts = len(shop.box.magento.state.customers)
    shop.ledger.runs.start("shop", "import-customers", {}, queue="catalog")
    shop.work()
    kinds = [job.kind for job in shop.ledger.jobs.list(limit=500)]
    assert kinds.count("import-customer") == accounts
    assert all(len(partners_of(shop, raw["email"])) == 1 for raw in raws)
    change(
        shop, raws[0], at="2026-11-25 08:00:00", addresses=with_address(raws[0], city="Potsdam", region={})
    )
    shop.ledger.runs.start("shop", "import-customers", {}, queue="catalog")
    shop.work()
    new = [job.entity for job in shop.ledger.jobs.list(kind="import-customer", limit=500)][
        : -accounts or None
    ]
    assert str(raws[0]["id"]) in new
    assert len(new) < accounts
    assert partners_of(shop, raws[0]["email"])[0]["city"] == "Potsdam"
