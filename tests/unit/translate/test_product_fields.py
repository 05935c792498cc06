"""Fields of both sides: whose they are, and which of them somebody edited."""

from __future__ import annotations

import pytest

from bridge.translate.product_fields import (
    GROUPS,
    compare,
    loose,
    master_of,
    memory_after_reading,
    read_in_odoo,
    sent_marks,
    title_of,
    under_way,
)
from bridge.translate.product_plan import FOLLOWING, mark_of, marks_of

MAGENTO = dict.fromkeys(("identity", "text", "price", "images", "status"), "magento")
ODOO = dict.fromkeys(MAGENTO, "odoo")


def one(name: str, magento: str, odoo: str, known: dict[str, str], masters: dict = MAGENTO):
    (field,) = compare({name: magento}, {name: odoo}, known, masters)
    return field


def known_as(name: str, cell: str) -> dict[str, str]:
    return marks_of({name: cell}) | read_in_odoo({name: cell})


def test_every_field_that_follows_has_a_group():
    assert set(GROUPS) == FOLLOWING


def test_a_field_has_the_master_of_its_group_and_a_sku_is_always_magentos():
    assert master_of("name@de_DE", {**MAGENTO, "text": "odoo"}) == "odoo"
    assert [master_of(name, ODOO) for name in ("default_code", "categ_id/.id", "weight")] == [
        "magento",
        "magento",
        "odoo",
    ]
    assert (title_of("description_sale@de_DE"), title_of("weight")) == ("short description (de_DE)", "weight")


@pytest.mark.parametrize(
    ("magento", "odoo", "masters", "is_edited"),
    [
        ("Mug", "Mug", MAGENTO, False),
        ("Mug", "Edited", MAGENTO, True),
        ("Mug", "Edited", ODOO, False),  # the master's own change
        ("Edited", "Mug", ODOO, True),
        ("Edited", "Mug", MAGENTO, False),
        ("Same", "Same", MAGENTO, False),  # both alike
        ("A", "B", MAGENTO, True),
        ("A", "B", ODOO, True),
    ],
)
def test_an_edit_is_a_change_on_the_side_that_is_not_the_master(magento, odoo, masters, is_edited):
    assert one("name", magento, odoo, known_as("name", "Mug"), masters).is_edited is is_edited


def test_what_nothing_is_known_of_was_not_edited():
    field = one("name", "Mug", "Cup", {})
    assert (field.magento_changed, field.odoo_changed, field.is_edited) == (False, False, False)


@pytest.mark.parametrize(
    ("name", "sent", "stored"),
    [
        ("description", "plain &amp; <b>bold</b>", "<p>plain &amp; <b>bold</b></p>"),
        ("weight", "0.226796", "0.23"),
        ("taxes_id/.id", "9,8", "8,9"),
        ("description_sale", "a\r\n\nb ", "a\nb"),
    ],
)
def test_what_odoo_makes_of_a_value_is_no_edit(name, sent, stored):
    known = marks_of({name: sent}) | sent_marks({name: sent})
    field = one(name, sent, stored, known)
    assert (field.odoo_changed, field.is_same) == (False, True)
    # Once it was read it is known exactly.
    settled = memory_after_reading(known, [field])
    assert settled[f"odoo:{name}"] == mark_of(stored)


def test_a_formatting_is_an_edit_once_odoo_was_read():
    known = marks_of({"description": "text"}) | read_in_odoo({"description": "<p>text</p>"})
    assert one("description", "text", "<p><b>text</b></p>", known).odoo_changed


def test_while_a_write_is_under_way_the_old_and_the_new_are_both_known():
    known = known_as("name", "Old")
    marks = known | under_way(known, {"name": "New"})
    assert [one("name", "Old", cell, marks).odoo_changed for cell in ("Old", "New", "Other")] == [
        False,
        False,
        True,
    ]
    # However often it is tried.
    assert under_way(marks, {"name": "New"}) == {"odoo:name": marks["odoo:name"]}


def test_an_edit_is_not_forgotten_by_reading_it():
    known = known_as("name", "Mug")
    field = one("name", "Mug", "Edited", known)
    assert memory_after_reading(known, [field]) == known


def test_a_language_without_a_text_of_its_own_showed_the_common_one():
    known = known_as("name", "Mug")
    assert not one("name@de_DE", "Becher", "Mug", known).odoo_changed
    assert one("name@de_DE", "Becher", "Tasse", known).odoo_changed


def test_numbers_that_are_none_are_compared_as_texts():
    assert loose("weight", "heavy") == "heavy"
