"""What comes after the import, and what stands beside the amounts, in a real Odoo."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.live.conftest import OpenShop
from tests.support.orders import (
    addresses,
    bound,
    cents,
    changed,
    comments,
    new_order,
    partner,
    put,
    same_buyer,
    stored,
    with_lines,
)

PATIENCE = 120.0


def done(shop, raw):
    job = shop.import_order(raw, seconds=PATIENCE)
    assert (job.state, job.error) == ("done", None)
    return stored(shop, job)


@pytest.mark.parametrize("action", ["draft", "confirm"])
def test_cancelled_units_lower_the_line_and_keep_its_price(open_shop: OpenShop, action: str) -> None:
    shop = open_shop(order_action=action)
    raw = new_order(shop, "several lines")
    order = done(shop, raw)
    before = {line["id"]: line for line in shop.lines(order["id"])}
    lines = [dict(item) for item in raw["items"]]
    chosen = max(lines, key=lambda item: item["qty_ordered"])
    chosen["qty_canceled"] = 1
    changed(shop, raw, items=lines)
    done(shop, raw)
    after = {line["id"]: line for line in shop.lines(order["id"])}
    lowered = [one for one in after if after[one]["product_uom_qty"] != before[one]["product_uom_qty"]]
    assert len(lowered) == 1
    (line_id,) = lowered
    assert before[line_id]["product_uom_qty"] - after[line_id]["product_uom_qty"] == 1
    assert {one: row["price_unit"] for one, row in after.items()} == {
        one: row["price_unit"] for one, row in before.items()
    }


@pytest.mark.parametrize("kind", ["tax included", "coupon, percent", "mixed", "fraction of a unit"])
def test_everything_cancelled_leaves_no_units_and_the_prices(open_shop: OpenShop, kind: str) -> None:
    shop = open_shop(order_action="draft", digits=2)
    raw = new_order(shop, kind)
    order = done(shop, raw)
    prices = {line["id"]: line["price_unit"] for line in shop.lines(order["id"])}
    items = [{**item, "qty_canceled": item["qty_ordered"]} for item in with_lines(raw)]
    changed(shop, raw, items=items, state="canceled", status="canceled")
    done(shop, raw)
    goods = [line for line in shop.lines(order["id"]) if line["product_uom_qty"]]
    named = {row["id"]: row["name"] for row in shop.box.odoo.records("product.product")}
    # Shipping and discounts are no units that are cancelled.
    assert [named[line["product_id"]] for line in goods if "(Magento)" not in named[line["product_id"]]] == []
    assert {line["id"]: line["price_unit"] for line in shop.lines(order["id"])} == prices


def test_a_confirmed_order_is_dated_as_placed_with_one_internal_note(open_shop: OpenShop) -> None:
    shop = open_shop(order_action="confirm")
    raw = new_order(shop)
    order = done(shop, raw)
    assert (order["state"], order["date_order"]) == ("sale", raw["created_at"])
    assert order["client_order_ref"] == raw["increment_id"]
    assert cents(order["amount_total"]) == cents(raw["grand_total"])
    (note,) = [one for one in shop.notes(order["id"]) if one["message_type"] == "comment"]
    assert note["is_internal"] is True
    assert raw["increment_id"] in note["body"]
    (picking,) = [row for row in shop.box.odoo.records("stock.picking") if row["sale_id"] == order["id"]]
    assert picking["partner_id"] == order["partner_shipping_id"]


def test_an_order_that_a_person_deleted_blocks_and_is_not_made_again(open_shop: OpenShop) -> None:
    shop = open_shop()
    raw = new_order(shop)
    order = done(shop, raw)
    shop.box.odoo.delete("sale.order", order["id"])
    changed(shop, raw, status="fraud")
    job = shop.import_order(raw, seconds=PATIENCE)
    assert (job.state, job.error_code) == ("blocked", "bound_record_gone")
    assert shop.sale_orders(raw) == []


def test_a_new_address_after_confirmation_goes_to_the_open_delivery(open_shop: OpenShop) -> None:
    shop = open_shop(order_action="confirm")
    raw = new_order(shop)
    order = done(shop, raw)
    for address in list(addresses(raw))[1:]:
        address["street"] = ["Moved Street 5"]
    raw["updated_at"] = "2099-01-01 00:00:00"
    done(shop, put(shop, raw))
    order = bound(shop, raw)
    contact = partner(shop, order["partner_shipping_id"])
    assert (contact["street"], contact["parent_id"]) == ("Moved Street 5", order["partner_id"])
    (picking,) = [row for row in shop.box.odoo.records("stock.picking") if row["sale_id"] == order["id"]]
    assert picking["partner_id"] == contact["id"]
    assert len(comments(shop, order["id"])) == 2


def test_a_held_order_stays_a_quotation_until_it_is_released(open_shop: OpenShop) -> None:
    shop = open_shop(order_action="confirm")
    raw = new_order(shop, state="holded", status="holded")
    assert done(shop, raw)["state"] == "draft"
    changed(shop, raw, state="new", status="pending")
    done(shop, raw)
    order = bound(shop, raw)
    assert (order["state"], order["date_order"]) == ("sale", raw["created_at"])


def test_a_hold_warns_on_the_open_delivery_and_the_release_takes_the_warning_away(
    open_shop: OpenShop,
) -> None:
    shop = open_shop(order_action="confirm")
    raw = new_order(shop)
    order = done(shop, raw)
    (picking,) = [row for row in shop.box.odoo.records("stock.picking") if row["sale_id"] == order["id"]]

    def warnings() -> list[str]:
        rows = shop.box.odoo.records("mail.activity")
        place = ("stock.picking", picking["id"])
        return [row["summary"] for row in rows if (row["res_model"], row["res_id"]) == place]

    changed(shop, raw, state="holded", status="holded")
    done(shop, raw)
    (summary,) = warnings()
    assert raw["increment_id"] in summary
    changed(shop, raw, state="processing", status="processing")
    done(shop, raw)
    assert warnings() == []


def test_a_vat_id_stands_on_the_company_and_its_buyers_are_contacts(open_shop: OpenShop) -> None:
    shop = open_shop()
    raw = new_order(shop)
    billing, delivery = list(addresses(raw))
    billing |= {"company": "Example Ltd", "vat_id": "DE123456789"}
    delivery |= {"vat_id": "FR12345678901", "street": ["Elsewhere 1"]}
    order = done(shop, put(shop, raw))
    company = partner(shop, order["partner_id"])
    assert (company["name"], company["is_company"], company["vat"]) == ("Example Ltd", True, "DE123456789")
    assert partner(shop, order["partner_shipping_id"])["parent_id"] == company["id"]
    again = done(shop, same_buyer(shop, raw))
    assert again["partner_id"] == company["id"]
    assert again["partner_shipping_id"] == order["partner_shipping_id"]


def test_an_equal_address_is_reused_and_the_language_is_that_of_the_store(open_shop: OpenShop) -> None:
    shop = open_shop()
    first = new_order(shop)
    order = done(shop, first)
    made = partner(shop, order["partner_id"])
    assert made["email"] == first["customer_email"]
    assert made["lang"] in {"en_US", "de_DE"}
    assert order["partner_invoice_id"] == order["partner_shipping_id"] == made["id"]
    again = same_buyer(shop, first)
    list(addresses(again))[1]["street"] = ["New Street 7"]
    order = done(shop, put(shop, again))
    contact = partner(shop, order["partner_shipping_id"])
    assert (contact["street"], contact["parent_id"], contact["type"]) == (
        "New Street 7",
        made["id"],
        "delivery",
    )
    assert done(shop, same_buyer(shop, again))["partner_shipping_id"] == contact["id"]


def test_prices_are_those_of_magento_whatever_the_catalog_says(open_shop: OpenShop) -> None:
    shop = open_shop()
    raw = new_order(shop)
    order = done(shop, raw)
    (goods, *_) = shop.lines(order["id"])
    product = goods["product_id"]
    shop.box.odoo.write("product.product", product, {"list_price": 4321.0})
    again = same_buyer(shop, raw)
    order = done(shop, again)
    assert cents(order["amount_total"]) == cents(again["grand_total"])
    assert all(Decimal(str(line["price_unit"])) != 4321 for line in shop.lines(order["id"]))
