"""The simulated Magento writes products as the real one did: each recorded write goes on from those before it."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from bridge.sandbox.calls import Calls
from bridge.sandbox.magento_box import MagentoBox

RECORDINGS = Path(__file__).parents[2] / "recordings" / "magento" / "catalog-writes"
FILES = sorted(RECORDINGS.glob("*.json"))


@pytest.fixture(scope="module")
def box():
    box = MagentoBox(calls=Calls())
    # As it was before the first of them.
    for sku in ("SKU WITH/SLASH & space", "TSHIRT"):
        box.catalog.remove(sku)
    for value in ("7",):
        box.attributes.remove_option("color", value)
    yield box
    box.stop()


@pytest.fixture(scope="module")
def answers(box):
    """Every recorded write, sent again in its order, with what came back."""
    found = {}
    with httpx.Client(headers={"Authorization": f"Bearer {box.admin_token}"}) as client:
        for path in FILES:
            recorded = json.loads(path.read_text(encoding="utf-8"))
            request = recorded["request"]
            url = httpx.URL(box.url + request["path"])
            answer = client.request(request["method"], url, json=request["json"])
            found[path.stem] = answer, recorded["response"]
            if path.stem.startswith("005"):
                # The colours of the recorded products.
                box.attributes.change_option("color", answer.json(), "Red")
                box.attributes._rows["color"]["options"][-1]["value"] = "7"
    return found


def shape(value):
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [json.loads(text) for text in sorted({json.dumps(shape(inner)) for inner in value})]
    if isinstance(value, bool) or value is None:
        return type(value).__name__
    return "number" if isinstance(value, int | float) else "text"


@pytest.mark.parametrize("name", [path.stem for path in FILES])
def test_a_recorded_write_gets_the_recorded_answer(answers, name):
    answer, recorded = answers[name]
    assert answer.status_code == recorded["status"], answer.text
    if "json" not in recorded or recorded["json"] is None:
        assert answer.json()["message"].strip() == recorded["text"].strip()
        return
    wanted, got = recorded["json"], answer.json()
    if answer.status_code >= 400:
        assert got == wanted
        return
    if not isinstance(wanted, dict):
        assert shape(got) == shape(wanted)
        return
    # A time where a product went out of stock, and a quantity that nobody set.
    for one in (got, wanted):
        one["extension_attributes"]["stock_item"] |= {"low_stock_date": None, "qty": None}
    assert shape(got) == shape(wanted)
    own = ("sku", "name", "price", "status", "visibility", "type_id", "weight")
    assert {key: got.get(key) for key in own} == {key: wanted.get(key) for key in own}
    assert got["extension_attributes"]["website_ids"] == wanted["extension_attributes"]["website_ids"]
    assert custom(got) == custom(wanted)


def custom(raw):
    return {row["attribute_code"]: row["value"] for row in raw["custom_attributes"]}


def test_a_write_without_a_store_code_leaves_the_global_value_alone(box, answers):
    names = {code: box.catalog.by_sku("SIM-16", code)["name"] for code in ("all", "de", "default")}
    assert names == {
        "all": "Renamed globally",
        "de": "Einfaches Produkt 16",
        "default": "Put without a store code",
    }


def test_a_second_upload_of_the_same_file_is_another_entry_under_another_name(box, answers):
    rows = box.catalog.by_sku("SIM-12")["media_gallery_entries"]
    assert [row["file"] for row in rows] == ["/f/r/front.png", "/f/r/front_1.png"]


def test_a_child_is_linked_and_brings_its_value_along(box, answers):
    parent = box.catalog.by_sku("TSHIRT")["extension_attributes"]
    child = box.catalog.by_sku("TSHIRT-Red-S")
    assert parent["configurable_product_links"] == [child["id"]]
    assert {"value_index": 7} in parent["configurable_product_options"][0]["values"]
