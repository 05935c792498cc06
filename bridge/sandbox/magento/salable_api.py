"""What is for sale, and the classic stock items, over REST (recordings ``inventory/045`` to ``069``)."""

from __future__ import annotations

from itertools import count
from typing import Any

from bridge.sandbox.magento.ask import Ask, Endpoint
from bridge.sandbox.magento.inventory_state import DEFAULT_SOURCE, WITHOUT_QUANTITY, scaled, shown
from bridge.sandbox.magento.orders_api import limited
from bridge.sandbox.magento.rest import UNCAUGHT, Raw, RestError, wrong_type
from bridge.sandbox.magento.search import Column, find, parse_criteria

_NO_QUANTITY = "Can't check requested quantity for products without Source Items support."
_NONE_IN_STOCK = (
    (
        "is_any_source_item_in_stock-no_source_items_in_stock",
        "There are no source items with the in stock status",
    ),
)
_NOT_ENOUGH = (
    ("back_order-disabled", "Backorders are disabled"),
    ("manage_stock-enabled", "Manage stock is enabled"),
    ("is_salable_with_reservations-not_enough_qty", "The requested qty is not available"),
)


def salable_quantity(ask: Ask) -> int | float:
    """Answer what a stock has for sale; a plain-text 500 for an unknown SKU (``inventory/052`` to ``054``)."""
    product = ask.state.catalog.by_sku(ask.path["sku"])
    if product is None:
        raise UNCAUGHT
    if product["type_id"] in WITHOUT_QUANTITY:
        raise RestError(400, _NO_QUANTITY)
    return shown(ask.state.reservations.salable(product["sku"], ask.integer("stock")))


def is_salable(ask: Ask) -> bool:
    """Answer whether a product can be bought; false for an unknown one (``inventory/046``)."""
    return ask.state.reservations.is_salable(ask.path["sku"], ask.integer("stock"))


def is_salable_for(ask: Ask) -> Raw:
    """Answer whether so many can be bought, and why not (``inventory/048``, ``049``)."""
    return _for_quantity(ask, ask.path["sku"], ask.integer("stock"), ask.path["quantity"])


def are_salable_for(ask: Ask) -> list[Raw]:
    """Answer the same for several products (``inventory/050``)."""
    given = dict(ask.query)
    stock_id = int(given.get("stockId", 0))
    answers: list[Raw] = []
    for number in count():
        sku = given.get(f"skuRequests[{number}][sku]")
        if sku is None:
            return answers
        quantity = given.get(f"skuRequests[{number}][qty]", "0")
        answers.append({"sku": sku, "stock_id": stock_id, **_for_quantity(ask, sku, stock_id, quantity)})
    return answers


def are_salable(ask: Ask) -> list[Raw]:
    """Answer whether several products can be bought (``inventory/047``)."""
    stock_id = next((int(value) for name, value in ask.query if name == "stockId"), 0)
    skus = [value for name, value in ask.query if name.startswith("skus[")]
    salable = ask.state.reservations.is_salable
    return [{"sku": sku, "stock_id": stock_id, "salable": salable(sku, stock_id)} for sku in skus]


def export_salable(ask: Ask) -> Raw:
    """Answer quantities for sale of many products; ``total_count`` is the rows of this page (``inventory/068``)."""
    stock_id = ask.state.inventory.stock_of(ask.path["code"])
    if stock_id is None:
        raise RestError(404, "No linked stock found")
    criteria = limited(ask, parse_criteria(ask.query))
    columns: dict[str, Column] = {"sku": lambda raw: raw["sku"]}
    rows = (raw for raw in ask.state.catalog.all() if raw["type_id"] not in WITHOUT_QUANTITY)
    page, _ = find(rows, criteria, columns, dates=())
    items = [
        {
            "sku": raw["sku"],
            "qty": shown(ask.state.reservations.salable(raw["sku"], stock_id)),
            "is_salable": ask.state.reservations.is_salable(raw["sku"], stock_id),
        }
        for raw in page
    ]
    return {"items": items, "search_criteria": criteria.echo, "total_count": len(items)}


def get_stock_item(ask: Ask) -> Raw:
    """Answer a classic stock item: its quantity is that of source ``default``, whatever is for sale (``inventory/056``)."""
    product = ask.state.catalog.by_sku(ask.path["sku"])
    if product is None:
        raise _unknown(ask.path["sku"])
    inventory = ask.state.inventory
    row = inventory.row(product["sku"], DEFAULT_SOURCE)
    item: dict[str, Any] = dict(product["extension_attributes"].get("stock_item", {}))
    item["qty"] = shown(row.amount) if row is not None else 0
    item["is_in_stock"] = bool(row is not None and row.status)
    item["stock_status_changed_auto"] = int(product["sku"].casefold() in inventory.off_by_itself)
    if product["sku"].casefold() in inventory.threshold:
        item["min_qty"] = shown(inventory.threshold[product["sku"].casefold()])
    if product["sku"].casefold() in inventory.backorders:
        item["backorders"] = inventory.backorders[product["sku"].casefold()]
    return item


def put_stock_item(ask: Ask) -> int:
    """Write source ``default``; the item id in the path is ignored (``inventory/057`` to ``059``).

    Not recorded, but by the rule of Magento's own ``StockItemRepository::save``: what is at or below its threshold, and
    may not be ordered back, is switched off whatever was asked for; what has no quantity of its own keeps 0.
    """
    product = ask.state.catalog.by_sku(ask.path["sku"])
    given = ask.document("stockItem")
    if product is None:
        raise _unknown(ask.path["sku"])
    for name, value in given.items():
        if name == "qty" and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise wrong_type(str(value), "float", name)
    inventory = ask.state.inventory
    with inventory.lock:
        old = inventory.row(product["sku"], DEFAULT_SOURCE)
        quantity = given.get("qty", shown(old.amount) if old else 0)
        status = given.get("is_in_stock", bool(old and old.status))
        if "backorders" in given:
            inventory.set_backorders(product["sku"], allowed=bool(given["backorders"]))
        if "min_qty" in given:
            inventory.set_threshold(product["sku"], given["min_qty"])
        if product["type_id"] in WITHOUT_QUANTITY:
            quantity, falls_off = 0, False
        else:
            is_empty = scaled(quantity) <= ask.state.reservations.threshold(product["sku"])
            falls_off = is_empty and not ask.state.reservations.has_backorders(product["sku"])
        inventory.set_classic(product["sku"], quantity, int(status), falls_off=falls_off)
    return int(product["extension_attributes"].get("stock_item", {}).get("item_id", product["id"]))


def _for_quantity(ask: Ask, sku: str, stock_id: int, quantity: str) -> Raw:
    can = ask.state.reservations.is_salable(sku, stock_id, scaled(quantity))
    reasons = _NOT_ENOUGH if ask.state.reservations.has_stock_in(sku, stock_id) else _NONE_IN_STOCK
    errors = [] if can else [{"code": code, "message": text} for code, text in reasons]
    return {"salable": can, "errors": errors}


def _unknown(sku: str) -> RestError:
    return RestError(404, 'The Product with the "%1" SKU doesn\'t exist.', [sku])


_SALABLE = "Magento_InventorySalesApi::stock"
_CLASSIC = "Magento_CatalogInventory::cataloginventory"

ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("GET", "inventory/get-product-salable-quantity/:sku/:stock", _SALABLE, salable_quantity),
    Endpoint("GET", "inventory/is-product-salable/:sku/:stock", _SALABLE, is_salable),
    Endpoint(
        "GET",
        "inventory/is-product-salable-for-requested-qty/:sku/:stock/:quantity",
        _SALABLE,
        is_salable_for,
    ),
    Endpoint("GET", "inventory/are-products-salable", _SALABLE, are_salable),
    Endpoint("GET", "inventory/are-product-salable-for-requested-qty", _SALABLE, are_salable_for),
    Endpoint("GET", "inventory/export-stock-salable-qty/:type/:code", _SALABLE, export_salable),
    Endpoint("GET", "stockItems/:sku", _CLASSIC, get_stock_item),
    Endpoint("PUT", "products/:sku/stockItems/:item", _CLASSIC, put_stock_item),
)
