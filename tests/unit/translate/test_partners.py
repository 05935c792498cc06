"""Customers and addresses (RULES 1.11)."""

from __future__ import annotations

import pytest

from bridge.errors import OrderUnclear
from bridge.translate.magento_order import parse_order
from bridge.translate.partners import partners_plan
from tests.unit.translate.books import book, order, raw_order, recorded

BILLING = raw_order()["billing_address"]


def with_billing(**changes):
    return order(billing_address=BILLING | changes)


def with_delivery(**changes):
    shipping = {"shipping": {"address": BILLING | changes, "method": "flatrate_flatrate"}}
    extension = raw_order()["extension_attributes"] | {"shipping_assignments": [shipping]}
    return order(extension_attributes=extension)


def plan_of(one, **changes):
    return partners_plan(one, book(one, **changes))


def customer_key(one):
    return plan_of(one).customer.key


def test_a_guest_has_the_name_of_the_billing_address():
    customer = plan_of(order()).customer
    assert customer.magento_customer_id is None
    assert customer.values["name"] == "Max Mustermann"
    assert customer.values["street"] == "Hauptstrasse 1"
    assert customer.values["street2"] == "2. OG"
    assert not customer.is_company


def test_a_guest_who_ships_to_the_billing_address_needs_one_partner():
    plan = plan_of(with_delivery())
    assert plan.delivery == plan.invoice
    assert plan.customer.address_key == plan.invoice.key
    assert plan.invoice.type == "other"


def test_another_delivery_address_is_a_child_of_its_own():
    plan = plan_of(with_delivery(street=["Nebenstrasse 2"]))
    assert plan.delivery is not None
    assert (plan.invoice.type, plan.delivery.type) == ("invoice", "delivery")
    assert plan.delivery.key != plan.invoice.key


def test_a_virtual_order_has_no_delivery_address():
    virtual = parse_order(recorded(6))
    assert plan_of(virtual).delivery is None


@pytest.mark.parametrize(
    "changes",
    [
        {"firstname": "MAX"},
        {"street": ["hauptstrasse  1", " 2. og "]},
        {"city": "\uff22erlin"},
        {"postcode": " 10115 "},
    ],
)
def test_equal_addresses_have_one_key_however_they_are_written(changes):
    assert plan_of(with_billing(**changes)).invoice.key == plan_of(order()).invoice.key


@pytest.mark.parametrize(
    "changes",
    [
        {"street": ["Hauptstrasse 2"]},
        {"postcode": "10116"},
        {"lastname": "Meier"},
        {"telephone": "1"},
        {"country_id": "AT"},
    ],
)
def test_different_addresses_have_different_keys(changes):
    assert plan_of(with_billing(**changes)).invoice.key != plan_of(order()).invoice.key


def test_the_key_gives_no_personal_data_away():
    assert len(plan_of(order()).invoice.key) == 32
    assert set(plan_of(order()).invoice.key) <= set("0123456789abcdef")


def test_the_email_tells_customers_without_regard_to_case():
    assert customer_key(order(customer_email="Guest@Example.COM ")) == customer_key(order())
    assert plan_of(order(customer_email="Guest@Example.COM")).customer.email == "guest@example.com"
    assert customer_key(order(customer_email="other@example.com")) != customer_key(order())


def test_the_same_email_with_another_vat_id_or_company_is_another_commercial_partner():
    keys = {
        customer_key(order()),
        customer_key(with_billing(vat_id="DE123456789")),
        customer_key(with_billing(vat_id="DE987654321")),
        customer_key(with_billing(company="Muster GmbH")),
    }
    assert len(keys) == 4
    assert customer_key(with_billing(vat_id="de 123.456-789")) == customer_key(
        with_billing(vat_id="DE123456789")
    )


def test_the_vat_id_stands_on_the_commercial_partner_only():
    # rules/vat-on-parent-and-child: a child gets its parent's, and on 19 a later write rewrites the parent.
    plan = plan_of(with_billing(company="Muster GmbH", vat_id="DE123456789"))
    assert plan.customer.values["vat"] == "DE123456789"
    assert "vat" not in plan.invoice.values


def test_a_company_is_the_commercial_partner_and_the_buyer_a_child():
    plan = plan_of(with_billing(company="Muster GmbH"))
    assert plan.customer.is_company
    assert plan.customer.values["name"] == "Muster GmbH"
    assert plan.customer.address_key is None
    assert plan.invoice.values["name"] == "Max Mustermann"


def test_a_company_in_the_delivery_address_stays_visible():
    plan = plan_of(with_delivery(company="Lager AG", street=["Hof 1"]))
    assert plan.delivery is not None
    assert plan.delivery.values["name"] == "Lager AG, Max Mustermann"


def test_the_taxvat_of_the_customer_serves_where_the_address_has_none():
    assert plan_of(order(customer_taxvat="DE123456789")).customer.vat == "DE123456789"


@pytest.mark.parametrize("empty", ["-", "n/a", "None", " . "])
def test_place_holders_are_no_company_and_no_vat_id(empty):
    customer = plan_of(with_billing(company=empty, vat_id=empty)).customer
    assert not customer.is_company
    assert customer.vat == ""


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"customer_firstname": "Eva", "customer_lastname": "Braun"}, "Eva Braun"),
        ({}, "guest@example.com"),
        ({"customer_email": ""}, "Customer of order 000000007"),
    ],
)
def test_a_partner_without_a_name_gets_one_that_says_who_it_is(changes, name):
    nameless = BILLING | {"firstname": None, "lastname": "", "email": ""}
    assert plan_of(order(billing_address=nameless, **changes)).customer.values["name"] == name


def test_guests_without_an_email_are_told_by_their_address():
    nobody = {"customer_email": None, "billing_address": BILLING | {"email": None}}
    one, same = order(**nobody), order(**nobody)
    other = order(customer_email=None, billing_address=BILLING | {"email": None, "postcode": "1"})
    assert customer_key(one) == customer_key(same)
    assert customer_key(one) != customer_key(other)


def test_countries_and_states_are_ids_of_odoo():
    known = {"countries": {"DE": 57}, "states": {("DE", "BER"): 1234}}
    values = plan_of(order(), **known).customer.values
    assert (values["country_id"], values["state_id"]) == (57, 1234)


def test_a_region_that_odoo_does_not_know_is_named():
    assert plan_of(order()).invoice.unknown_region == "Berlin"


def test_an_unknown_country_blocks_and_names_the_field():
    with pytest.raises(OrderUnclear, match="'DE' in billing_address") as caught:
        plan_of(order(), countries={})
    assert caught.value.details["country"] == "DE"


def test_the_language_goes_to_the_customer():
    assert plan_of(order(), lang="de_DE").customer.values["lang"] == "de_DE"
    assert "lang" not in plan_of(order()).customer.values


def test_customers_without_an_email_are_told_by_magentos_id():
    nobody = {"customer_email": None, "customer_is_guest": 0, "billing_address": BILLING | {"email": None}}
    assert customer_key(order(customer_id=4, **nobody)) == customer_key(order(customer_id=4, **nobody))
    assert customer_key(order(customer_id=4, **nobody)) != customer_key(order(customer_id=5, **nobody))
