"""Sources, stocks and their links over REST (recordings ``inventory/001`` to ``014``, ``071`` to ``074``)."""

from __future__ import annotations

from typing import Any

from bridge.sandbox.magento.ask import Ask, Endpoint
from bridge.sandbox.magento.orders_api import found, limited
from bridge.sandbox.magento.rest import Raw, RestError, validation_failed
from bridge.sandbox.magento.search import Column, parse_criteria

_SOURCE_FIELDS = ("name", "postcode", "country_id")


def list_sources(ask: Ask) -> Raw:
    """Answer a page of sources."""
    rows = ask.state.inventory.sources
    names = {name for row in rows for name in row}
    columns: dict[str, Column] = {name: lambda row, name=name: row.get(name) for name in names}  # type: ignore[misc]
    return found(rows, limited(ask, parse_criteria(ask.query)), columns, dates=())


def get_source(ask: Ask) -> Raw:
    """Answer a source, or 404 (``inventory/010``)."""
    row = ask.state.inventory.source(ask.path["code"])
    if row is None:
        raise RestError(404, 'Source with code "%value" does not exist.', {"value": ask.path["code"]})
    return row


def save_source(ask: Ask) -> list[Any]:
    """Add a source, or overwrite one: name, postcode and country are needed even to switch it off (``inventory/071``)."""
    row = dict(ask.document("source"))
    row.setdefault("source_code", ask.path.get("code", ""))
    missing = [name for name in _SOURCE_FIELDS if not row.get(name)]
    if missing:
        raise validation_failed("Validation Failed", '"%field" can not be empty.', missing)
    blank = {"enabled": True, "use_default_carrier_config": True, "carrier_links": []}
    old = ask.state.inventory.source(row["source_code"])
    name = {"is_pickup_location_active": False, "frontend_name": row["name"]}
    ask.state.inventory.save_source({**({} if old else blank), **row, "extension_attributes": name})
    return []


def list_stocks(ask: Ask) -> Raw:
    """Answer a page of stocks with the websites that they sell for."""
    inventory = ask.state.inventory
    rows = [inventory.stock_row(one) for one in sorted(inventory.stocks)]
    columns: dict[str, Column] = {"stock_id": lambda row: row["stock_id"], "name": lambda row: row["name"]}
    return found(rows, limited(ask, parse_criteria(ask.query)), columns, dates=())


def get_stock(ask: Ask) -> Raw:
    """Answer a stock, or 404."""
    stock_id = ask.integer("id")
    if stock_id not in ask.state.inventory.stocks:
        raise RestError(404, 'Stock with id "%value" does not exist.', {"value": stock_id})
    return ask.state.inventory.stock_row(stock_id)


def create_stock(ask: Ask) -> int:
    """Add a stock; a website sells from one stock only, so it leaves the one that it had (``inventory/011``, ``014``)."""
    row = ask.document("stock")
    channels = row.get("extension_attributes", {}).get("sales_channels", [])
    websites = [channel["code"] for channel in channels]
    return ask.state.inventory.add_stock(row["name"], websites=websites, sources=())


def delete_stock(ask: Ask) -> bool:
    """Delete a stock that sells for no website (``inventory/074``)."""
    if get_stock(ask)["extension_attributes"]["sales_channels"]:
        raise RestError(400, "Stock has at least one sale channel and could not be deleted.")
    ask.state.inventory.remove_stock(ask.integer("id"))
    return True


def list_links(ask: Ask) -> Raw:
    """Answer which sources belong to which stocks (``inventory/013``)."""
    links = ask.state.inventory.links.items()
    rows = [
        {"stock_id": stock_id, "source_code": code, "priority": priority}
        for (stock_id, code), priority in sorted(links)
    ]
    columns: dict[str, Column] = {
        name: lambda row, name=name: row[name]  # type: ignore[misc]
        for name in ("stock_id", "source_code", "priority")
    }
    return found(rows, limited(ask, parse_criteria(ask.query)), columns, dates=())


def save_links(ask: Ask) -> list[Any]:
    """Link sources to stocks (``inventory/012``)."""
    for row in ask.content().get("links", []):
        ask.state.inventory.link(int(row["stock_id"]), row["source_code"], int(row["priority"]))
    return []


def resolve_stock(ask: Ask) -> Raw:
    """Answer the stock that sells for a website (``inventory/003``, ``014``)."""
    stock_id = ask.state.inventory.stock_of(ask.path["code"]) if ask.path["type"] == "website" else None
    if stock_id is None:
        raise RestError(404, "No linked stock found")
    return ask.state.inventory.stock_row(stock_id)


_SOURCE = "Magento_InventoryApi::source"
_STOCK = "Magento_InventoryApi::stock"

ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("GET", "inventory/sources", _SOURCE, list_sources),
    Endpoint("POST", "inventory/sources", _SOURCE, save_source),
    Endpoint("GET", "inventory/sources/:code", _SOURCE, get_source),
    Endpoint("PUT", "inventory/sources/:code", _SOURCE, save_source),
    Endpoint("GET", "inventory/stocks", _STOCK, list_stocks),
    Endpoint("POST", "inventory/stocks", _STOCK, create_stock),
    Endpoint("GET", "inventory/stocks/:id", _STOCK, get_stock),
    Endpoint("DELETE", "inventory/stocks/:id", _STOCK, delete_stock),
    Endpoint("GET", "inventory/stock-source-links", _STOCK, list_links),
    Endpoint("POST", "inventory/stock-source-links", _STOCK, save_links),
    Endpoint("GET", "inventory/stock-resolver/:type/:code", _STOCK, resolve_stock),
)
