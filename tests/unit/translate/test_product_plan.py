"""What Odoo should hold of a Magento product, cell by cell, and what of it is sent again."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from bridge.odoo.versions import OdooVersion, names_of
from bridge.translate.catalog_records import ProductText
from bridge.translate.product_plan import (
    ProductBook,
    ProductUnclear,
    change_of,
    fingerprint_of,
    plan_product,
    read_marks,
)
from bridge.translate.product_text import plain_text, safe_html
from tests.support.products import a_product

BOOK = ProductBook(
    storable={"type": "consu", "is_storable": True}, categories={5: 50, 9: 90}, taxes={"2": (7,), "0": ()}
)


def sent(product, book=BOOK, **more):
    plan = plan_product(product, book, **more)
    return {**plan.made_with, **plan.owned}


@pytest.mark.parametrize(
    ("major", "cells"),
    [
        (16, {"detailed_type": "product"}),
        (18, {"type": "consu", "is_storable": "1"}),
        (19, {"type": "consu", "is_storable": "1"}),
    ],
)
def test_goods_are_storable_as_each_version_names_it(major, cells):
    storable = names_of(OdooVersion(major=major, text=f"{major}.0")).storable
    found = sent(a_product(), replace(BOOK, storable=storable))
    assert {name: found[name] for name in cells} == cells


@pytest.mark.parametrize("type_id", ["virtual", "downloadable", "giftcard"])
def test_what_nobody_ships_is_a_service_invoiced_by_what_is_ordered(type_id):
    found = sent(a_product(type_id=type_id))
    assert (found["type"], found["invoice_policy"]) == ("service", "order")
    assert "is_storable" not in found


@pytest.mark.parametrize(
    ("price", "cell"),
    [(None, "0"), ("0", "0"), ("19.990000", "19.99"), ("3.333333", "3.333333"), ("1E+3", "1000")],
)
def test_a_price_is_sent_with_all_its_digits(price, cell):
    assert sent(a_product(price=None if price is None else Decimal(price)))["list_price"] == cell


@pytest.mark.parametrize("field", ["price", "cost", "weight"])
def test_an_amount_below_0_is_not_guessed_about(field):
    with pytest.raises(ProductUnclear, match=f"The {field} of the product MUG is -1"):
        plan_product(a_product(**{field: Decimal(-1)}), BOOK)


@pytest.mark.parametrize("sku", ["", "  ", "\x00", "x" * 65])
def test_a_product_without_a_sku_is_not_imported(sku):
    with pytest.raises(ProductUnclear, match="no SKU"):
        plan_product(a_product(sku=sku), BOOK)


@pytest.mark.parametrize("sku", ["A/B", "A B", "000123", "Grün-ß", "a_%", "MixedCase"])
def test_a_sku_is_kept_as_it_is_written(sku):
    assert sent(a_product(sku=sku))["default_code"] == sku


def test_a_product_without_a_name_is_called_by_its_sku():
    assert sent(a_product(name=" "))["name"] == "MUG"


def test_mapped_taxes_and_the_deepest_bound_category_are_sent_and_unmapped_ones_are_left_to_odoo():
    found = sent(a_product(category_ids=(5, 9, 11), tax_class_id="2"))
    assert (found["taxes_id/.id"], found["categ_id/.id"]) == ("7", "90")
    assert sent(a_product(tax_class_id="0"))["taxes_id/.id"] == ""
    assert {"taxes_id/.id", "categ_id/.id"} & sent(
        a_product(category_ids=(11,), tax_class_id="4")
    ).keys() == set()


@pytest.mark.parametrize(
    ("shop", "odoo", "cell"),
    [("kgs", "kgs", "0.5"), ("lbs", "lbs", "0.5"), ("lbs", "kgs", "0.226796"), ("kgs", "lbs", "1.102311")],
)
def test_a_weight_is_sent_in_odoos_unit(shop, odoo, cell):
    book = replace(BOOK, magento_weight=shop, odoo_weight=odoo)
    assert sent(a_product(weight=Decimal("0.5")), book)["weight"] == cell


def test_a_child_of_a_configurable_has_only_what_is_its_own():
    plan = plan_product(a_product(), BOOK, is_variant=True, texts={"de_DE": ProductText(name="Tasse")})
    assert plan.owned.keys() == {"default_code", "barcode", "weight"}
    assert plan.made_with.keys() == {"standard_price"}
    assert plan.texts == {}


def test_only_texts_that_differ_are_kept_by_language():
    texts = {
        "de_DE": ProductText(name="Tasse", description="<p>Big</p>"),
        "fr_FR": ProductText(name="Mug", description="<p>Big</p>"),
    }
    plan = plan_product(a_product(name="Mug", description="<p>Big</p>"), BOOK, texts=texts)
    assert plan.texts == {"de_DE": {"name": "Tasse"}}


def test_what_was_sent_is_not_sent_again_and_what_changed_is_alone():
    plan = plan_product(a_product(), BOOK, texts={"de_DE": ProductText(name="Tasse")})
    known = fingerprint_of(plan)
    assert not change_of(plan, known)
    assert change_of(plan, None).owned == plan.owned
    renamed = plan_product(
        a_product(name="Cup", is_enabled=False), BOOK, texts={"de_DE": ProductText(name="Tasse")}
    )
    change = change_of(renamed, known)
    assert (change.owned, change.texts, change.is_active) == ({"name": "Cup"}, {}, False)


def test_prices_and_types_are_odoos_once_the_product_is_made():
    known = fingerprint_of(plan_product(a_product(price=Decimal(1)), BOOK))
    assert not change_of(plan_product(a_product(price=Decimal(2), type_id="virtual"), BOOK), known)


def test_a_text_that_a_store_view_gave_up_becomes_the_common_one():
    known = fingerprint_of(plan_product(a_product(), BOOK, texts={"de_DE": ProductText(name="Tasse")}))
    assert change_of(plan_product(a_product(), BOOK), known).texts == {"de_DE": {"name": "Mug"}}


def test_a_fingerprint_of_something_else_is_none():
    assert read_marks("3b1f") == {}
    assert read_marks(None) == {}


@pytest.mark.parametrize(
    ("given", "html", "text"),
    [
        ("<p>A &amp; B</p><script>x()</script>", "<p>A &amp; B</p>", "A & B"),
        ('<p onclick="x()" style="a">Hi</p>', "<p>Hi</p>", "Hi"),
        ('<a href="java\nscript:x()">go</a>', "<a>go</a>", "go"),
        ('<a href="https://e.com/?a=1&amp;b=2">go</a>', '<a href="https://e.com/?a=1&amp;b=2">go</a>', "go"),
        ("a<br/>b<style>p{}</style>", "a<br>b", "a\nb"),
        ("<ul><li>1</li><li>2</li></ul>", "<ul><li>1</li><li>2</li></ul>", "1\n2"),
        ("1 < 2 & <b>3", "1 &lt; 2 &amp; <b>3", "1 < 2 & 3"),
        ("<script><p>never closed", "", ""),
        ("NUL\x00<p>x</p>", "NUL<p>x</p>", "NUL\nx"),
        ("<iframe src='https://e.com'></iframe>ok", "ok", "ok"),
    ],
)
def test_html_keeps_its_text_and_loses_what_runs(given, html, text):
    assert (safe_html(given), plain_text(given)) == (html, text)
