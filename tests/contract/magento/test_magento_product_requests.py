"""Our writes of products against Magento's published structure and the recordings' answers."""

from __future__ import annotations

import json
import re
from decimal import Decimal

import pytest

from bridge.errors import InvalidRecord, ServiceRejected
from bridge.magento import product_writes

from .conftest import TESTS

VERSIONS = ("2.4.6", "2.4.8")
PRODUCT = {
    "sku": "A/1",
    "name": "A",
    "attribute_set_id": 4,
    "price": Decimal("9.99"),
    "status": 1,
    "visibility": 4,
    "type_id": "simple",
    "weight": Decimal("0.5"),
    "extension_attributes": {"website_ids": [1], "category_links": [{"position": 0, "category_id": "5"}]},
    "custom_attributes": [{"attribute_code": "url_key", "value": "a-1"}],
}
#: Each write, the recording that answers it, and the path that it goes to.
WRITES = {
    "create": (
        lambda client: product_writes.create_product(client, PRODUCT),
        "063-product-post-new",
        "/rest/all/V1/products",
    ),
    "change": (
        lambda client: product_writes.change_product(
            client, "SKU WITH/SLASH & space", {"name": "New"}, store_code="de"
        ),
        "084-store-scope-put-de",
        "/rest/de/V1/products/SKU%20WITH%2FSLASH%20%26%20space",
    ),
    "option": (
        lambda client: product_writes.add_attribute_option(client, "color", "Red"),
        "005-attribute-option-add",
        "/rest/all/V1/products/attributes/color/options",
    ),
    "configurable": (
        lambda client: product_writes.add_configurable_option(
            client, "TSHIRT", attribute_id=93, label="Color", position=0, values=["8", "7"]
        ),
        "014-configurable-option-add-color",
        "/rest/all/V1/configurable-products/TSHIRT/options",
    ),
    "image": (
        lambda client: product_writes.add_image(
            client,
            "SIM-12",
            {
                "media_type": "image",
                "label": "Front",
                "position": 0,
                "disabled": False,
                "types": ["image"],
                "content": {"base64_encoded_data": "AAAA", "type": "image/png", "name": "a.png"},
            },
        ),
        "110-media-post",
        "/rest/all/V1/products/SIM-12/media",
    ),
    "image roles": (
        lambda client: product_writes.change_image(
            client,
            "SIM-12",
            {
                "id": 1,
                "media_type": "image",
                "label": "Front 2",
                "position": 2,
                "disabled": False,
                "types": ["image"],
            },
        ),
        "115-media-put",
        "/rest/all/V1/products/SIM-12/media/1",
    ),
    "child": (
        lambda client: product_writes.add_child(client, "TSHIRT", "TSHIRT/Red"),
        "016-configurable-child-add",
        "/rest/all/V1/configurable-products/TSHIRT/child",
    ),
}
TYPES = {
    "integer": int,
    "string": str,
    "number": (int, float),
    "boolean": bool,
    "array": list,
    "object": dict,
}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", WRITES)
def test_a_write_has_the_path_and_the_structure_of_the_contract(shop, magento, name, version):
    write, recorded, path = WRITES[name]
    shop.answers(f"catalog-writes/{recorded}")
    write(magento)
    (request,) = shop.requests
    assert request.url.raw_path.decode() == path
    structure = json.loads((TESTS / "contracts" / "magento" / f"products-{version}.json").read_text())
    below = re.sub("^/rest/[a-z]+", "", path)
    templates = [one for one in structure["paths"] if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", one), below)]
    methods = structure["paths"][templates[0]]
    (body,) = [one for one in methods[request.method.lower()]["parameters"] if one["in"] == "body"]
    insist_on(structure, body["schema"], json.loads(request.content))


def insist_on(structure, schema, value):
    """Every member is known and of its type."""
    if "$ref" in schema:
        schema = structure["definitions"][schema["$ref"].rpartition("/")[2]]
    # A custom attribute's value is said to be a text; it may be a list, too.
    assert isinstance(value, TYPES[schema.get("type", "string")]), (schema, value)
    if isinstance(value, dict):
        for name, member in value.items():
            insist_on(structure, schema["properties"][name], member)
    if isinstance(value, list):
        for member in value:
            insist_on(structure, schema["items"], member)


def test_what_magento_answers_is_read(shop, magento):
    shop.answers("catalog-writes/063-product-post-new")
    assert product_writes.create_product(magento, PRODUCT) == 44
    shop.answers("catalog-writes/005-attribute-option-add")
    assert product_writes.add_attribute_option(magento, "color", "Red") == "7"
    shop.sends(200, b'"id_12"')
    assert product_writes.add_attribute_option(magento, "color", "Red") == "12"
    shop.sends(200, b'"Red"')
    with pytest.raises(InvalidRecord):
        product_writes.add_attribute_option(magento, "color", "Red")


@pytest.mark.parametrize(
    ("recorded", "said"),
    [
        ("072-product-post-duplicate-url-key", "URL key for specified store already exists"),
        ("081-product-post-unknown-field", "Foo"),
        ("017-configurable-child-add-again", "already attached"),
    ],
)
def test_a_refusal_is_one_in_magentos_words(shop, magento, recorded, said):
    shop.answers(f"catalog-writes/{recorded}")
    with pytest.raises(ServiceRejected, match=said):
        product_writes.create_product(magento, PRODUCT)
