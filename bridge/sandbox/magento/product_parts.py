"""What belongs to a product, over REST: options of attributes, options and children of configurables, images.

As recorded under ``catalog/005`` to ``017`` and ``110`` to ``115``.
"""

from __future__ import annotations

import base64
import binascii
import copy
from pathlib import PurePosixPath
from typing import Any

from bridge.sandbox.magento.ask import Ask, Endpoint
from bridge.sandbox.magento.catalog_state import attribute
from bridge.sandbox.magento.media import next_entry_id
from bridge.sandbox.magento.rest import Raw, RestError, field_required

_PRODUCTS = "Magento_Catalog::products"
_ATTRIBUTES = "Magento_Catalog::attributes_attributes"
_IMAGES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8")


def post_attribute_option(ask: Ask) -> str:
    """Add an option to an attribute and answer its id (``catalog/005``, ``006``)."""
    raw = ask.state.attributes.get(ask.path["code"])
    if raw is None:
        raise RestError(
            404,
            'The attribute with a "%1" attributeCode doesn\'t exist. Verify the attribute and try again.',
            [ask.path["code"]],
        )
    label = str(ask.document("option").get("label") or "")
    if any(option["label"] == label for option in raw["options"]):
        raise RestError(400, 'Admin store attribute option label "%1" is already exists.', [label])
    return ask.state.attributes.add_option(ask.path["code"], label)


def post_configurable_option(ask: Ask) -> str:
    """Let the children of a configurable differ by an attribute (``catalog/014``, ``015``)."""
    parent = _known(ask, ask.path["sku"])
    option = ask.document("option")
    extension = copy.deepcopy(parent["extension_attributes"])
    rows = extension.setdefault("configurable_product_options", [])
    if any(str(row["attribute_id"]) == str(option["attribute_id"]) for row in rows):
        raise RestError(400, "Something went wrong while saving option.")
    number = 1 + max((row["id"] for row in _all_options(ask)), default=0)
    rows.append(
        {
            "id": number,
            "attribute_id": str(option["attribute_id"]),
            "label": option.get("label"),
            "position": option.get("position", 0),
            "values": [{"value_index": int(one["value_index"])} for one in option["values"]],
            "product_id": parent["id"],
        }
    )
    ask.state.catalog.change(parent["sku"], {"extension_attributes": extension})
    return str(number)


def post_child(ask: Ask) -> bool:
    """Make a product a child of a configurable (``catalog/016``, ``017``)."""
    parent = _known(ask, ask.path["sku"])
    content = ask.content()
    if "childSku" not in content:
        raise field_required("childSku")
    child = _known(ask, str(content["childSku"]))
    extension = copy.deepcopy(parent["extension_attributes"])
    links = extension.setdefault("configurable_product_links", [])
    if child["id"] in links:
        raise RestError(400, "The product is already attached.")
    codes = {str(raw["attribute_id"]): raw["attribute_code"] for raw in ask.state.attributes.all()}
    for option in extension.get("configurable_product_options", ()):
        value = attribute(child, codes[option["attribute_id"]])
        if value is None:
            raise RestError(400, "The configurable product does not have this child product attribute value.")
        if all(str(one["value_index"]) != str(value) for one in option["values"]):
            option["values"].append({"value_index": int(value)})
    links.append(child["id"])
    ask.state.catalog.change(parent["sku"], {"extension_attributes": extension})
    return True


def post_media(ask: Ask) -> str:
    """Add an image: never the same one twice for one, but a new name for a taken one (``catalog/110``, ``111``)."""
    raw = _known(ask, ask.path["sku"])
    entry = ask.document("entry")
    content = entry.get("content") or {}
    if not _is_image(content.get("base64_encoded_data")):
        raise RestError(400, "The image content must be valid base64 encoded data.")
    rows = copy.deepcopy(raw["media_gallery_entries"])
    taken = {row["file"] for one in ask.state.catalog.all() for row in one["media_gallery_entries"]}
    number = next_entry_id(ask.state.catalog)
    file = _file_name(str(content.get("name") or "image"), taken)
    ask.state.media.files[file] = base64.b64decode(str(content["base64_encoded_data"]))
    types = list(entry.get("types") or ())
    for row in rows:
        row["types"] = [one for one in row["types"] if one not in types]
    rows.append(
        {
            "id": number,
            "media_type": entry.get("media_type", "image"),
            "label": entry.get("label"),
            "position": entry.get("position", 0),
            "disabled": bool(entry.get("disabled")),
            "types": types,
            "file": file,
        }
    )
    ask.state.catalog.change(raw["sku"], {"media_gallery_entries": rows})
    return str(number)


def put_media(ask: Ask) -> bool:
    """Change an image; a role that it gets is taken from the one that had it (``catalog/115``)."""
    raw = _known(ask, ask.path["sku"])
    entry = ask.document("entry")
    rows = copy.deepcopy(raw["media_gallery_entries"])
    row = next((one for one in rows if str(one["id"]) == ask.path["id"]), None)
    if row is None:
        raise RestError(404, "No image with the provided ID was found. Verify the ID and try again.")
    if "types" in entry:
        for one in rows:
            one["types"] = [role for role in one["types"] if role not in entry["types"]]
    row |= {name: entry[name] for name in ("label", "position", "disabled", "types") if name in entry}
    ask.state.catalog.change(raw["sku"], {"media_gallery_entries": rows})
    return True


def _known(ask: Ask, sku: str) -> Raw:
    raw = ask.state.catalog.by_sku(sku)
    if raw is None:
        raise RestError(
            404, "The product that was requested doesn't exist. Verify the product and try again."
        )
    return raw


def _all_options(ask: Ask) -> list[Raw]:
    return [
        row
        for raw in ask.state.catalog.all()
        for row in raw["extension_attributes"].get("configurable_product_options", ())
    ]


def _is_image(data: Any) -> bool:
    try:
        content = base64.b64decode(str(data or ""), validate=True)
    except binascii.Error:
        return False
    return content.startswith(_IMAGES)


def _file_name(name: str, taken: set[str]) -> str:
    path = PurePosixPath(name)
    folder = "/".join(path.stem[:2].lower())
    file, number = f"/{folder}/{name}", 0
    while file in taken:
        number += 1
        file = f"/{folder}/{path.stem}_{number}{path.suffix}"
    return file


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("POST", "products/attributes/:code/options", _ATTRIBUTES, post_attribute_option),
    Endpoint("POST", "products/:sku/media", _PRODUCTS, post_media),
    Endpoint("PUT", "products/:sku/media/:id", _PRODUCTS, put_media),
    Endpoint("POST", "configurable-products/:sku/options", _PRODUCTS, post_configurable_option),
    Endpoint("POST", "configurable-products/:sku/child", _PRODUCTS, post_child),
)
