"""Product attributes over REST: a list to search, as recorded (``catalog/052-attributes-list``)."""

from __future__ import annotations

from bridge.sandbox.magento.ask import Ask, Endpoint
from bridge.sandbox.magento.orders_api import found, limited
from bridge.sandbox.magento.rest import Raw
from bridge.sandbox.magento.search import Column, parse_criteria


def list_attributes(ask: Ask) -> Raw:
    """Answer a page of product attributes with their choices."""
    rows = ask.state.attributes
    names = {name for row in rows for name in row}
    columns: dict[str, Column] = {name: lambda row, name=name: row.get(name) for name in names}  # type: ignore[misc]
    return found(rows, limited(ask, parse_criteria(ask.query)), columns, dates=())


#: Before ``products/:sku``, which would take the path for a SKU.
ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("GET", "products/attributes", "Magento_Catalog::attributes_attributes", list_attributes),
)
