"""Source items over REST, with all their traps (recordings ``inventory/015`` to ``043``)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from bridge.sandbox.magento.ask import Ask, Endpoint
from bridge.sandbox.magento.inventory_state import Inventory
from bridge.sandbox.magento.orders_api import found, limited
from bridge.sandbox.magento.rest import Raw, RestError, field_required, validation_failed, wrong_type
from bridge.sandbox.magento.search import Column, Criteria, Filter, parse_criteria

#: Rows that one array may hold where input limits are on (``errors/028-limit-array-over-20``).
MAX_ITEMS = 20
_ITEM_TYPE = "\\Magento\\InventoryApi\\Api\\Data\\SourceItemInterface"

_COLUMNS: Mapping[str, Column] = {
    name: lambda row, name=name: row.get(name)  # type: ignore[misc]
    for name in ("sku", "source_code", "quantity", "status")
}


def list_source_items(ask: Ask) -> Raw:
    """Answer a page of source items. SKUs are found whatever their case (``inventory/032``)."""
    criteria = limited(ask, parse_criteria(ask.query))
    inventory = ask.state.inventory
    with inventory.lock:
        page = _page_behind(inventory, criteria)
        if page is not None:
            return page
        rows = [inventory.item(key, code) for key, code in _candidates(inventory, criteria)]
    # Without an order the rows come by the primary key's sibling, SKU and source (``inventory/017``).
    rows.sort(key=lambda row: (row["sku"].casefold(), row["source_code"]))
    return found(rows, criteria, _COLUMNS, dates=())


def save_source_items(ask: Ask) -> list[Any]:
    """Store source items: all or none, and no word about which row is at fault (``inventory/016`` to ``041``)."""
    items = source_items_of(ask.content())
    check_types(items)
    check_limit(ask, items)
    store_source_items(ask, items)
    return []


def source_items_of(content: Raw) -> list[Any]:
    """Return the list under ``sourceItems``, which must be there."""
    if "sourceItems" not in content:
        raise field_required("sourceItems")
    items = content["sourceItems"]
    if not isinstance(items, list):
        raise wrong_type(str(items), "array", "sourceItems")
    return items


def check_types(items: Sequence[Any]) -> None:
    """Refuse values that cannot be read as their type, as Magento's reader of requests does."""
    for item in items:
        if not isinstance(item, dict):
            raise wrong_type(str(item), _ITEM_TYPE, "sourceItems")
        for name in item:
            if name not in {"sku", "source_code", "quantity", "status", "extension_attributes"}:
                label = "".join(part.capitalize() for part in name.split("_"))
                raise RestError(
                    400,
                    '"%fieldName" is not supported. Correct the field name and try again.',
                    {"fieldName": label},
                )
        _check_number(item, "quantity", "float", r"-?\d+(\.\d+)?([eE][-+]?\d+)?")
        _check_number(item, "status", "int", r"-?\d+")


def check_limit(ask: Ask, items: Sequence[Any]) -> None:
    """Refuse more rows than the shop's input limit allows."""
    if ask.state.switches.input_limits and len(items) > MAX_ITEMS:
        parameters = {"type": _ITEM_TYPE, "max": MAX_ITEMS}
        raise RestError(400, 'Maximum items of type "%type" is %max', parameters)


def store_source_items(ask: Ask, items: Sequence[Raw]) -> None:
    """Validate and store: a bad row refuses them all."""
    if not items:
        raise RestError(400, "Input data is empty")
    _validate(ask, items)
    inventory = ask.state.inventory
    with inventory.lock:
        if any(inventory.source(item["source_code"]) is None for item in items):
            raise RestError(400, "Could not save Source Item")
        inventory.save(items)


def delete_source_items(ask: Ask) -> list[Any]:
    """Delete source items; what is not there is no error (``inventory/037``)."""
    items = source_items_of(ask.content())
    if not items:
        raise RestError(400, "Input data is empty")
    for item in items:
        ask.state.inventory.delete(item["sku"], item["source_code"])
    return []


def _check_number(item: Raw, name: str, wanted: str, form: str) -> None:
    value = item.get(name)
    if value is None:
        return
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if is_number if wanted == "float" else is_number and not isinstance(value, float):
        return
    if not (isinstance(value, str) and re.fullmatch(form, value)):
        raise wrong_type("" if value is False else str(value), wanted, name)


def _validate(ask: Ask, items: Sequence[Raw]) -> None:
    for item in items:
        for name in ("sku", "source_code"):
            if not str(item.get(name) or "").strip():
                raise _item_failed('"%field" can not be empty.', name)
        for name in ("quantity", "status"):
            if item.get(name) is None:
                raise _item_failed('"%field" should be numeric.', name)
        if int(item["status"]) not in {0, 1}:
            raise _item_failed('"%field" should a known status.', "status")
    for item in items:
        _check_together(ask, item)


def _check_together(ask: Ask, item: Raw) -> None:
    """A child of a bundle that is shipped together may not get a second source (``inventory/039``)."""
    inventory, sku = ask.state.inventory, item["sku"]
    bundle = ask.state.catalog.together_bundle_of(sku)
    if bundle is None or inventory.row(sku, item["source_code"]) is not None:
        return
    if not any(inventory.row(sku, code) for code in inventory.source_codes() if code != item["source_code"]):
        return
    text = (
        'Not able to assign "{}" to product "{}", as it is part of bundle product <a href="{}">"{}"</a> with '
        'shipment type "Ship Together" and has multiple sources or different source as other bundle selections.'
    )
    link = f"https://magento.example.test/catalog/product/edit/id/{bundle['id']}/"
    values = [item["source_code"], sku, link, bundle["sku"]]
    error = RestError(400, "Validation Failed: " + text.format(*values))
    error.body["errors"] = [{"message": text.format("%1", "%2", "%3", "%4"), "parameters": values}]
    raise error


def _item_failed(message: str, field: str) -> RestError:
    return validation_failed("Validation Failed: " + message.replace("%field", field), message, [field])


def _page_behind(inventory: Inventory, criteria: Criteria) -> Raw | None:
    """Return a page of one source sorted by SKU, behind one: the sweep of a large shop, without looking at all of it."""
    filters = [group[0] for group in criteria.groups if len(group) == 1]
    by_field = {one.field: one for one in filters}
    is_sweep = (
        len(filters) == len(criteria.groups) == len(by_field)
        and set(by_field) in ({"source_code"}, {"source_code", "sku"})
        and by_field["source_code"].condition == "eq"
        and by_field.get("sku", Filter("sku", "", "gt")).condition == "gt"
        and list(criteria.sorts) == [("sku", True)]
        and criteria.page_size > 0
    )
    if not is_sweep:
        return None
    code = by_field["source_code"].value
    keys = inventory.behind(code, by_field["sku"].value if "sku" in by_field else "")
    start = (max(criteria.page, 1) - 1) * criteria.page_size
    rows = [inventory.item(key, code) for key in keys[start : start + criteria.page_size]]
    return {"items": rows, "search_criteria": criteria.echo, "total_count": len(keys)}


def _candidates(inventory: Inventory, criteria: Criteria) -> list[tuple[str, str]]:
    """Return the rows that may fit, by the index that the database has."""
    skus: list[str] | None = None
    codes = inventory.source_codes()
    for group in criteria.groups:
        words = _words(group)
        if words is None:
            continue
        if group[0].field == "sku":
            skus = words
        elif group[0].field == "source_code":
            wanted = {word.casefold() for word in words}
            codes = [code for code in codes if code.casefold() in wanted]
    return inventory.keys(codes, skus)


def _words(group: Sequence[Filter]) -> list[str] | None:
    """Return the values one of which a row must have in the group's one field, None where that is not what it asks."""
    if len({one.field for one in group}) != 1 or any(one.condition not in {"eq", "in"} for one in group):
        return None
    words: list[str] = []
    for one in group:
        words += [one.value] if one.condition == "eq" else [word.strip() for word in one.value.split(",")]
    return words


_SOURCE = "Magento_InventoryApi::source"

ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("GET", "inventory/source-items", _SOURCE, list_source_items),
    Endpoint("POST", "inventory/source-items", _SOURCE, save_source_items),
    Endpoint("POST", "inventory/source-items-delete", _SOURCE, delete_source_items),
)
