"""Pictures of the simulated shop: galleries and files as ``catalog/110`` to ``112`` and ``stores/012`` have them."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import httpx
import pytest

from bridge.sandbox.calls import Calls
from bridge.sandbox.magento_box import MagentoBox
from bridge.translate.magento_product import parse_product
from bridge.translate.product_images import base_picture

RECORDINGS = Path(__file__).parents[2] / "recordings" / "magento"


def recorded(name):
    return json.loads((RECORDINGS / f"{name}.json").read_text(encoding="utf-8"))["response"]["json"]


@pytest.fixture
def box():
    box = MagentoBox(calls=Calls())
    yield box
    box.stop()


def test_a_gallery_has_the_recorded_fields_and_a_name_that_is_taken_gets_a_number(box):
    base, plain = recorded("catalog/112-media-list")
    content = base64.b64decode(plain["content"]["base64_encoded_data"])
    assert box.media.add("front.png", content) == plain["file"]
    # Recorded as ``front_3`` after other tries: the same file again is another one.
    assert box.media.add("front.png", content) == "/f/r/front_1.png"
    entry = box.media.attach(box.catalog, "SIM-12", plain["file"])
    assert entry.keys() == base.keys() - {"content"}
    assert entry["types"] == base["types"]
    assert {name: type(value) for name, value in entry.items()} == {name: type(base[name]) for name in entry}


def test_the_file_is_below_the_address_that_each_store_view_names(box):
    (first, *_) = recorded("stores/012-storeconfigs")
    assert first["base_media_url"].endswith("/media/")
    content = base64.b64decode(recorded("catalog/112-media-list")[0]["content"]["base64_encoded_data"])
    box.add_picture("SIM-12", content)
    picture = base_picture(parse_product(box.catalog.by_sku("SIM-12")))
    assert picture is not None
    for config in box.state.stores["storeConfigs"]:
        assert config.keys() == first.keys()
        url = f"{config['secure_base_media_url']}catalog/product{picture.file}"
        answer = httpx.get(url)
        assert (answer.status_code, answer.content) == (200, content)
        assert answer.headers["content-type"] == "image/png"
        assert httpx.get(f"{url}.gone").status_code == 404
