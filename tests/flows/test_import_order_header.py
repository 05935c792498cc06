"""The head of a sales order: what is set, what is mapped, whose currency it has (RULES 1.10, 1.12)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.flows.conftest import OpenShop
from tests.support.imports import blocked, done, lines_of, map_to, retried
from tests.support.orders import Raw, comments, new_order, put, stored
from tests.support.shop import Shop

VERSIONS = (16, 18, 19)


def currency_of(shop: Shop, order: Raw) -> str:
    names = {row["id"]: row["name"] for row in shop.box.odoo.records("res.currency")}
    return str(names[order["currency_id"]])


def others(shop: Shop) -> dict[str, int]:
    """Make a user, a team, a warehouse and a payment term, none of which Odoo would choose by itself."""
    term = shop.box.odoo.find("account.payment.term", name="30 Days")
    assert term is not None
    return {
        "user_id": shop.box.odoo.create(
            "res.users", {"name": "Seller", "login": f"seller-{len(shop.box.odoo.records('res.users'))}"}
        ),
        "team_id": shop.box.odoo.create("crm.team", {"name": "Web"}),
        "warehouse_id": shop.box.odoo.create(
            "stock.warehouse",
            {
                "name": "Second",
                "code": f"W{len(shop.box.odoo.records('stock.warehouse'))}",
                "company_id": 1,
            },
        ),
        "payment_term_id": term,
    }


@pytest.mark.parametrize("version", VERSIONS)
def test_the_head_carries_number_name_date_and_what_the_settings_say(
    open_shop: OpenShop, version: int
) -> None:
    shop = open_shop(version)
    chosen = others(shop)
    shop.set(order_name_prefix="WEB-", **chosen)
    raw = new_order(shop)
    order = done(shop, raw)
    assert order["client_order_ref"] == raw["increment_id"]
    assert order["name"] == f"WEB-{raw['increment_id']}"
    assert order["date_order"] == raw["created_at"]
    assert {name: order[name] for name in chosen} == chosen
    # A customer has paid and agreed in the shop already.
    assert (order["require_signature"], order["require_payment"]) == (False, False)
    assert order["state"] == "draft"


@pytest.mark.parametrize("version", VERSIONS)
def test_without_settings_odoo_chooses_and_names_the_order_itself(open_shop: OpenShop, version: int) -> None:
    order = done(shop := open_shop(version), new_order(shop))
    assert order["name"].startswith("S0")
    assert (order["team_id"], order["warehouse_id"], order["user_id"]) == (1, 1, 2)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_confirmation_does_not_keep_the_date_and_it_is_written_back_odoo_facts_6(
    open_shop: OpenShop, version: int
) -> None:
    shop = open_shop(version, order_action="confirm")
    raw = new_order(shop)
    order = done(shop, raw)
    assert (order["state"], order["date_order"]) == ("sale", raw["created_at"])
    writes = [key[2] for key in shop.box.calls.counts("odoo") if key[2].startswith("sale.order.")]
    assert "sale.order.write" in writes


@pytest.mark.parametrize("version", VERSIONS)
def test_an_order_of_the_same_reference_and_name_is_not_taken_for_ours_odoo_facts_6(
    open_shop: OpenShop, version: int
) -> None:
    shop = open_shop(version, order_name_prefix="WEB-")
    raw = new_order(shop)
    values = {"client_order_ref": raw["increment_id"], "name": f"WEB-{raw['increment_id']}", "partner_id": 1}
    by_hand = shop.box.odoo.create("sale.order", values)
    order = done(shop, raw)
    assert order["id"] != by_hand
    assert (order["client_order_ref"], order["name"]) == (values["client_order_ref"], values["name"])
    assert shop.lines(by_hand) == []


def test_mapped_payment_method_store_and_shipping_stand_over_the_settings(open_shop: OpenShop) -> None:
    shop = open_shop()
    made = others(shop)
    shop.set(team_id=1)
    raw = new_order(shop)
    shipping = raw["extension_attributes"]["shipping_assignments"][0]["shipping"]["method"]
    carrier = shop.box.odoo.seed_products(["DHL"])["DHL"]
    map_to(shop, "payment_method", raw["payment"]["method"], made["payment_term_id"])
    map_to(shop, "store", str(raw["store_id"]), made["team_id"])
    map_to(shop, "shipping_method", shipping, carrier)
    order = done(shop, raw)
    assert (order["payment_term_id"], order["team_id"]) == (made["payment_term_id"], made["team_id"])
    assert lines_of(shop, order, carrier)
    assert shop.ledger.bindings.get("shop", "service", "shipping") is None


@pytest.mark.parametrize("version", VERSIONS)
def test_coupon_gift_message_and_comments_stand_in_the_note_escaped(
    open_shop: OpenShop, version: int
) -> None:
    shop = open_shop(version)
    raw = new_order(shop, "coupon, percent", customer_note="Ring <twice> & wait")
    raw["extension_attributes"]["gift_message"] = {"message": "Happy <b>birthday</b>"}
    raw["status_histories"] = [{"comment": "Paid by <script>"}, {"comment": None}]
    order = done(shop, put(shop, raw))
    (note,) = comments(shop, order["id"])
    for text in (
        "Coupon: TEN",
        "Customer's note: Ring &lt;twice&gt; &amp; wait",
        "Gift message: Happy &lt;b&gt;birthday&lt;/b&gt;",
        "Comment: Paid by &lt;script&gt;",
        f"Magento order: {raw['increment_id']}",
        f"<td>Total in Odoo</td><td>{raw['grand_total']:.2f} EUR</td>",
    ):
        assert text.replace("'", "&#x27;") in note, text


@pytest.mark.parametrize("version", VERSIONS)
def test_the_currency_is_that_of_a_pricelist_odoo_facts_6(open_shop: OpenShop, version: int) -> None:
    shop = open_shop(version)
    dollars = done(shop, new_order(shop, "US dollars"))
    assert currency_of(shop, dollars) == "USD"
    assert currency_of(shop, done(shop, new_order(shop))) == "EUR"
    # Set is one in euros, newer than what the bridge has read: it serves the orders in euros, and no others.
    ours = pricelist(shop, "EUR", "Ours")
    shop.set(pricelist_id=ours)
    assert done(shop, new_order(shop))["pricelist_id"] == ours
    assert currency_of(shop, done(shop, new_order(shop, "US dollars"))) == "USD"
    # A mapping is more than a setting.
    mapped = pricelist(shop, "USD", "Mapped")
    map_to(shop, "currency", "USD", mapped)
    assert done(shop, new_order(shop, "US dollars"))["pricelist_id"] == mapped


@pytest.mark.parametrize("version", VERSIONS)
def test_both_exchange_rates_are_shown_and_neither_is_forced_rules_1_12(
    open_shop: OpenShop, version: int
) -> None:
    shop = open_shop(version)
    dollars = shop.box.odoo.find("res.currency", name="USD")
    for day, rate in (("2026-01-01", 1.0912), ("2025-01-01", 1.5)):
        shop.box.odoo.create("res.currency.rate", {"currency_id": dollars, "name": day, "rate": rate})
    raw = new_order(shop, "US dollars")
    done(shop, raw)
    kept = shop.ledger.explanations.get("shop", "order", raw["entity_id"])
    assert kept is not None
    assert (kept.content["base_to_order_rate"], kept.content["odoo_rate"]) == ("1.0837", "1.0912")
    assert any("1.0912 USD for 1 of the company's currency" in reason for reason in kept.content["reasons"])


def pricelist(shop: Shop, currency: str, name: str, **values: Any) -> int:
    currency_id = shop.box.odoo.find("res.currency", name=currency)
    return shop.box.odoo.create("product.pricelist", {"name": name, "currency_id": currency_id, **values})


def in_pounds(shop: Shop) -> Raw:
    return put(shop, {**new_order(shop), "order_currency_code": "GBP"})


def test_a_currency_that_is_not_active_or_has_no_pricelist_blocks_until_it_has(open_shop: OpenShop) -> None:
    shop = open_shop(own_box=True)
    raw = in_pounds(shop)
    job = blocked(shop, raw, "settings_wrong")
    assert "The currency GBP is not active in Odoo" in (job.error or "")
    pounds = shop.box.odoo.find("res.currency", name="GBP")
    assert pounds is not None
    shop.box.odoo.write("res.currency", pounds, {"active": True})
    job = retried(shop, job)
    assert (job.state, job.error_code) == ("blocked", "settings_wrong")
    assert "Odoo has no pricelist in GBP" in (job.error or "")
    made = pricelist(shop, "GBP", "Pounds")
    job = retried(shop, job)
    assert job.state == "done"
    order = stored(shop, job)
    assert (order["pricelist_id"], currency_of(shop, order)) == (made, "GBP")


def test_a_pricelist_of_another_company_is_not_taken(open_shop: OpenShop) -> None:
    shop = open_shop(own_box=True)
    other = shop.box.odoo.create("res.company", {"name": "Other", "currency_id": 1})
    pounds = shop.box.odoo.find("res.currency", name="GBP")
    assert pounds is not None
    shop.box.odoo.write("res.currency", pounds, {"active": True})
    pricelist(shop, "GBP", "Theirs", company_id=other)
    job = blocked(shop, in_pounds(shop), "settings_wrong")
    ours = pricelist(shop, "GBP", "Ours", company_id=1)
    assert stored(shop, retried(shop, job))["pricelist_id"] == ours
