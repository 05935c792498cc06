"""The head, the note, the flags and the rows of a plan (RULES 1.9, 1.10, 1.13; appendix)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from bridge.errors import BridgeError
from bridge.translate.magento_order import parse_order
from bridge.translate.order_book import OrderRules
from bridge.translate.order_plan import needs, translate_order
from bridge.translate.order_rows import order_items_json, order_rows, preview_lines
from tests.unit.translate.books import RECORDED, book, load, order, raw_item, recorded


def rows_of(plan, **changes):
    known = {
        "external_id": "m.o",
        "line_external_id": lambda key: f"m.o_{key}",
        "partner_id": 7,
        "invoice_id": 8,
        "delivery_id": 9,
        "tax_field": "tax_id",
        "protect_prices": True,
    }
    return order_rows(plan, **(known | changes))


def test_the_head_says_who_and_when_and_asks_for_no_signature_or_payment_rules_1_10():
    one = order()
    rules = OrderRules(
        order_name_prefix="M-", warehouse_id=2, team_id=3, user_id=4, payment_term_id=5, company_id=6
    )
    plan = translate_order(one, book(one, rules=rules, pricelist_id=1))
    assert plan.head == {
        "client_order_ref": "000000007",
        "date_order": "2026-11-23 15:47:44",
        "require_signature": "0",
        "require_payment": "0",
        "name": "M-000000007",
        "pricelist_id/.id": "1",
        "company_id/.id": "6",
        "warehouse_id/.id": "2",
        "team_id/.id": "3",
        "user_id/.id": "4",
        "payment_term_id/.id": "5",
    }
    assert plan.date_order == "2026-11-23 15:47:44"


def test_without_settings_odoo_names_the_order_and_chooses_the_rest():
    one = order()
    head = translate_order(one, book(one)).head
    assert "name" not in head
    assert not any(column.endswith("/.id") for column in head)


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_every_cell_of_every_row_is_text_and_every_line_has_an_id(path):
    # rules/load-cell-types: a boolean or a number in some columns is a fault, not a message.
    one = parse_order(load(path)["response"]["json"])
    plan = translate_order(one, book(one))
    columns, rows = rows_of(plan)
    assert len(rows) == len(plan.lines)
    assert all(len(row) == len(columns) for row in rows)
    assert all(isinstance(cell, str) for row in rows for cell in row)
    ids = [row[columns.index("order_line/id")] for row in rows]
    assert len(set(ids)) == len(ids)
    assert "" not in ids
    heads = [row[: columns.index("order_line/id")] for row in rows]
    assert heads[0][0] == "m.o"
    assert all(cell == "" for head in heads[1:] for cell in head)


def test_prices_are_written_without_exponent_and_taxes_in_one_cell():
    thirteen = parse_order(recorded(13))
    plan = translate_order(thirteen, book(thirteen))
    columns, rows = rows_of(plan, tax_field="tax_ids")
    price = columns.index("order_line/price_unit")
    cheap = next(index for index, line in enumerate(plan.lines) if 29 in line.item_ids)
    assert rows[cheap][price] == "0.045"
    assert all("e" not in row[price].lower() for row in rows)
    assert rows[0][columns.index("order_line/tax_ids/.id")] == str(plan.lines[0].tax_ids[0])
    assert rows[0][columns.index("order_line/technical_price_unit")] == "0"


def test_16_has_no_technical_price():
    one = order()
    columns, _ = rows_of(translate_order(one, book(one)), protect_prices=False)
    assert "order_line/technical_price_unit" not in columns


def test_the_preview_says_product_quantity_price_taxes_and_discount_of_each_line():
    twenty = parse_order(recorded(20))
    plan = translate_order(twenty, book(twenty))
    lines = preview_lines(plan, tax_field="tax_ids")
    assert len(lines) == len(plan.lines)
    for line in lines:
        assert {"product_id", "product_uom_qty", "price_unit", "tax_ids", "discount"} <= set(line)
    assert [[6, 0, []]] in [line["tax_ids"] for line in lines]


def test_order_items_name_for_each_magento_line_its_lines_and_quantities():
    two = parse_order(recorded(2))
    items = order_items_json(translate_order(two, book(two)))
    assert set(items) == {"2", "3"}
    assert sum(Decimal(part["quantity"]) for part in items["3"]) == 7


def test_the_note_reconciles_and_escapes_what_the_shop_and_the_customer_wrote():
    one = order(
        raw_item(), customer_note="<script>alert(1)</script>\nBitte & danke", coupon_code="TEN<b>",
        status_histories=[{"comment": "<img src=x onerror=y>"}, {"comment": None}, None],
    )  # fmt: skip
    note = translate_order(one, book(one)).note
    assert "<script" not in note
    assert "<img" not in note
    assert "&lt;script&gt;alert(1)&lt;/script&gt;<br>Bitte &amp; danke" in note
    assert "TEN&lt;b&gt;" in note
    assert "Grand total in Magento</td><td>11.90 EUR" in note
    assert "Tax DE-19 19 %</td><td>1.90 EUR" in note


def test_gift_messages_and_comments_stand_in_the_note():
    one = order(extension_attributes=recorded(1)["extension_attributes"] | {
        "applied_taxes": [{"code": "DE-19", "percent": 19, "amount": Decimal("1.90")}],
        "item_applied_taxes": [], "gift_message": {"message": "Alles Gute"},
    })  # fmt: skip
    assert "Alles Gute" in translate_order(one, book(one)).note


@pytest.mark.parametrize(
    ("state", "status", "flag"),
    [
        ("holded", "holded", "held"),
        ("payment_review", "payment_review", "payment_review"),
        ("processing", "fraud", "payment_review"),
    ],
)
def test_held_and_reviewed_orders_are_flagged_rules_1_13(state, status, flag):
    one = order(state=state, status=status)
    assert flag in translate_order(one, book(one)).flags


def test_an_ordinary_order_has_no_flags():
    one = order()
    assert translate_order(one, book(one, states={("DE", "BER"): 1})).flags == ()


def test_needs_name_all_that_must_be_looked_up():
    mixed = parse_order(recorded(20))
    wanted = needs(mixed)
    assert wanted.currency == "EUR"
    assert wanted.store_id == 1
    assert set(wanted.services) == {"shipping", "discount"}
    assert "FR" in wanted.countries
    assert {need.item_id for need in wanted.products} == {42, 45, 46, 47, 48, 49, 50}
    assert all(wanted.labels[key] for key in wanted.taxes)


def test_a_damaged_order_is_translated_or_plainly_refused_field_by_field():
    raw = recorded(14)
    for field in (name for name in raw if not name.startswith("base_")):
        for value in (None, "", -1, [], {}, "\x00"):
            try:
                one = parse_order(raw | {field: value})
                translate_order(one, book(one))
            except BridgeError as error:
                assert error.message


def test_a_damaged_line_is_translated_or_plainly_refused_field_by_field():
    for number in (5, 14):
        raw = recorded(number)
        for index, item in enumerate(raw["items"][:2]):
            for field in (name for name in item if not name.startswith("base_")):
                for value in (None, -1, "x"):
                    items = [*raw["items"][:index], item | {field: value}, *raw["items"][index + 1 :]]
                    try:
                        one = parse_order(raw | {"items": items})
                        translate_order(one, book(one))
                    except BridgeError as error:
                        assert error.message
