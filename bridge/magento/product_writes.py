"""Writes of Magento's products, each with its scope said: ``all`` for global values, else one store view's own.

Without a store code Magento writes to the default view, and later global changes do not reach it (``catalog/089`` to
``091``). Nothing is repeated here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from bridge.errors import InvalidRecord
from bridge.magento.catalog import ALL
from bridge.magento.client import MagentoClient
from bridge.magento.rows import read_record, row_id


def create_product(magento: MagentoClient, product: Mapping[str, Any]) -> int:
    """Make a product and return its id; one that is there is changed instead (``catalog/064``)."""
    return row_id(read_record(magento.in_store(ALL).post("/products", {"product": product}), "product"), "id")


def change_product(magento: MagentoClient, sku: str, product: Mapping[str, Any], *, store_code: str) -> None:
    """Write the given fields of a product, and no others (``catalog/066``). ``updated_at`` moves in any case."""
    client = magento.in_store(store_code)
    client.put(f"/products/{_part(sku)}", {"product": product})


def add_attribute_option(magento: MagentoClient, code: str, label: str) -> str:
    """Add an option to an attribute and return its id; a label that is there is refused (``catalog/006``)."""
    option = {"label": label, "sort_order": 0, "is_default": False}
    answer = magento.in_store(ALL).post(f"/products/attributes/{_part(code)}/options", {"option": option})
    # Some versions say ``id_7``.
    value = str(answer).removeprefix("id_")
    if not value.isdigit():
        raise InvalidRecord("Magento's new option has no id.", system="magento", field="option")
    return value


def add_configurable_option(
    magento: MagentoClient, sku: str, *, attribute_id: int, label: str, position: int, values: Sequence[str]
) -> None:
    """Let the children of a configurable differ by an attribute (``catalog/014``)."""
    option = {
        "attribute_id": str(attribute_id),
        "label": label,
        "position": position,
        "is_use_default": True,
        "values": [{"value_index": int(value)} for value in values],
    }
    magento.in_store(ALL).post(f"/configurable-products/{_part(sku)}/options", {"option": option})


def add_child(magento: MagentoClient, sku: str, child_sku: str) -> None:
    """Make a product a child of a configurable; one that is a child is refused (``catalog/017``)."""
    magento.in_store(ALL).post(f"/configurable-products/{_part(sku)}/child", {"childSku": child_sku})


def add_image(magento: MagentoClient, sku: str, entry: Mapping[str, Any]) -> None:
    """Add an image to a product. Sent again it is there twice: whoever calls looks first (``catalog/111``)."""
    magento.in_store(ALL).post(f"/products/{_part(sku)}/media", {"entry": entry})


def change_image(magento: MagentoClient, sku: str, entry: Mapping[str, Any]) -> None:
    """Change an image that a product has: its label, position and roles (``catalog/115``). Absolute."""
    magento.in_store(ALL).put(f"/products/{_part(sku)}/media/{entry['id']}", {"entry": entry})


def _part(text: str) -> str:
    """Return ``text`` as one part of a path: a slash as ``%2F`` (``catalog/044``)."""
    return quote(text, safe="")
