"""What an import of products meets in the sandbox's Odoo beyond the recordings: updates by id, languages, archives.

``load`` with the column ``.id`` updates by database id and finds archived records with ``active_test: false`` only
(source of 16, 18 and 19: ``_load_records``, ``_convert_records``); texts are kept by language (``translate=True``).
"""

from __future__ import annotations

import pytest

from bridge.odoo import LoadRequest, OdooClient
from bridge.sandbox import Sandbox


@pytest.fixture(params=[16, 18, 19], scope="module")
def box(request):
    with Sandbox.start(odoo_version=request.param) as box:
        yield box


@pytest.fixture
def odoo(box):
    state = box.odoo
    client = OdooClient.connect(url=state.url, db=state.database, user=state.user, key=state.key)
    yield client
    client.close()


def update(odoo, rows, *fields, lang=None):
    request = LoadRequest(
        model="product.product",
        fields=(".id", *fields),
        rows=tuple(tuple(row) for row in rows),
        create_only=False,
        lang=lang,
    )
    return odoo.send_load(request).ids


def make(box, **values):
    return box.odoo.create("product.product", {"name": "Mug", **values})


def test_one_load_updates_many_by_their_ids_and_only_the_fields_that_are_named(box, odoo):
    one, two = make(box, default_code="ONE"), make(box, default_code="TWO")
    assert update(odoo, [(str(one), "Cup", "1.5"), (str(two), "Bowl", "0.25")], "name", "weight") == (
        one,
        two,
    )
    rows = odoo.read("product.product", [one, two], ["name", "weight", "default_code"])
    assert [(row["name"], float(row["weight"]), row["default_code"]) for row in rows] == [
        ("Cup", 1.5, "ONE"),
        ("Bowl", 0.25, "TWO"),
    ]


def test_a_text_is_kept_by_language_and_falls_back_to_the_source(box, odoo):
    one = make(box)
    update(odoo, [(str(one), "Tasse")], "name", lang="de_DE")
    names = {
        lang: odoo.read("product.product", [one], ["name"], context={"lang": lang})[0]["name"]
        for lang in ("en_US", "de_DE", "fr_FR")
    }
    assert names == {"en_US": "Mug", "de_DE": "Tasse", "fr_FR": "Mug"}
    update(odoo, [(str(one), "Cup")], "name")
    assert box.odoo.text("product.product", one, "name", "de_DE") == "Tasse"
    assert box.odoo.text("product.product", one, "name", "fr_FR") == "Cup"


def test_an_archived_product_is_updated_too(box, odoo):
    one = make(box, active=False)
    assert update(odoo, [(str(one), "Old mug")], "name") == (one,)
    assert odoo.search("product.product", [["id", "=", one]]) == []


def test_an_id_that_is_gone_refuses_the_whole_load(box, odoo):
    one = make(box)
    with pytest.raises(Exception, match="Unknown database identifier '999999'") as caught:
        update(odoo, [(str(one), "Cup"), ("999999", "Cup")], "name")
    assert caught.value.details["reason"] == "load"
    assert odoo.read("product.product", [one], ["name"])[0]["name"] == "Mug"


def test_the_combinations_of_dynamic_attributes_are_those_that_are_loaded(box, odoo):
    attribute = box.odoo.create("product.attribute", {"name": "Size", "create_variant": "dynamic"})
    values = [
        box.odoo.create("product.attribute.value", {"name": name, "attribute_id": attribute})
        for name in "SML"
    ]
    key = f"bridge.t{attribute}"
    line = [
        "attribute_line_ids/id",
        "attribute_line_ids/attribute_id/.id",
        "attribute_line_ids/value_ids/.id",
    ]
    template = odoo.load_one(
        "product.template",
        ["id", "name", *line],
        [[key, "Shirt", f"{key}_l", str(attribute), f"{values[0]}"]],
    )
    lines = odoo.search("product.template.attribute.line", [["product_tmpl_id", "=", template]])
    odoo.write("product.template.attribute.line", lines, {"value_ids": [[4, values[1]]]})
    own = odoo.search_read(
        "product.template.attribute.value",
        [["product_tmpl_id", "=", template]],
        ["product_attribute_value_id", "ptav_active"],
        order="id",
    )
    assert [row["product_attribute_value_id"][0] for row in own] == values[:2]
    assert odoo.search("product.product", [["product_tmpl_id", "=", template]]) == []
    fields = ["id", "product_tmpl_id/.id", "product_template_attribute_value_ids/.id", "default_code"]
    rows = [[f"{key}_{row['id']}", str(template), str(row["id"]), f"S-{row['id']}"] for row in own]
    made = odoo.load("product.product", fields, rows).ids
    assert odoo.search("product.product", [["product_tmpl_id", "=", template]], order="id") == list(made)
