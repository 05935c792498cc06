"""What the bulk price endpoints have in common: rows of a request, the products they name, and what is said of refused ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bridge.sandbox.magento.ask import Ask
from bridge.sandbox.magento.catalog_state import attribute
from bridge.sandbox.magento.rest import Raw, RestError, field_required, wrong_type

#: What may write prices.
CATALOG = "Magento_Catalog::catalog"
#: What is said of a SKU that is unknown.
NO_PRODUCT = "The product that was requested doesn't exist. Verify the product and try again."
#: Most rows of a call while Magento limits its input (``errors/028-limit-array-over-20``).
_MOST_ROWS = 20


def products_of(ask: Ask, *, with_price: bool = False) -> list[Raw]:
    """Return the products that a request names."""
    content = ask.content()
    if "skus" not in content:
        raise field_required("skus")
    found = {
        raw["id"]: raw for sku in content["skus"] if (raw := ask.state.catalog.by_sku(str(sku))) is not None
    }
    return [raw for _, raw in sorted(found.items()) if not with_price or has_price(raw)]


def has_price(raw: Raw) -> bool:
    """Return whether a product has a price of its own: not what is sold by its parts only."""
    if raw["type_id"] == "bundle":
        return bool(attribute(raw, "price_type") == "1")
    return raw["type_id"] not in {"configurable", "grouped"}


def views_of(ask: Ask) -> list[tuple[int, str]]:
    """Return the store views that may have values of their own, by id, the common one first."""
    return [
        (0, "all"),
        *((view["id"], view["code"]) for view in ask.state.stores["storeViews"] if view["id"]),
    ]


def view_code(ask: Ask, row: Raw) -> str | None:
    """Return the code of the store that a row names, None of an unknown one."""
    return dict(views_of(ask)).get(row.get("store_id", -1))


def own_value(ask: Ask, raw: Raw, code: str, name: str) -> Any:
    """Return a value that a product has in a store view of its own, or for all of them."""
    if code != "all":
        return ask.state.catalog.own_values(raw["id"], code).get(name)
    return raw.get("price") if name == "price" else attribute(raw, name)


def give(ask: Ask, raw: Raw, code: str, values: Mapping[str, Any]) -> None:
    """Give a product values in a store, or for all of them."""
    if code == "all":
        ask.state.catalog.change(raw["sku"], values, is_silent=True)
        return
    stores = ask.state.stores["storeViews"]
    website = next(view["website_id"] for view in stores if view["code"] == code)
    for view in stores:
        # A price holds for all store views of a website (source).
        if view["website_id"] == website:
            ask.state.catalog.set_own(raw["id"], view["code"], values)


def each_row(ask: Ask, write: Callable[[Raw], list[Raw]]) -> list[Raw]:
    """Write each row, and return what was refused of them."""
    return [refused for row in rows_of(ask) for refused in write(row)]


def rows_of(ask: Ask) -> list[Raw]:
    """Return the rows of a request."""
    content = ask.content()
    if "prices" not in content:
        raise field_required("prices")
    rows = content["prices"]
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise wrong_type(str(rows), "array", "prices")
    if ask.state.switches.input_limits and len(rows) > _MOST_ROWS:
        words = f'Maximum items of type "Magento\\Catalog\\Api\\Data\\PriceInterface" is {_MOST_ROWS}'
        raise RestError(400, words)
    return rows


def text_of(row: Raw, name: str) -> str:
    """Return a text of a row."""
    if name not in row:
        raise field_required(name)
    return str(row[name])


def number_of(row: Raw, name: str) -> Any:
    """Return a number of a row."""
    value = row.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise wrong_type(str(value), "float", name)
    return value


def refusal(message: str, *parameters: object) -> Raw:
    """Return what is said of a row that is refused."""
    return {"message": message, "parameters": [plain(one) for one in parameters]}


def plain(value: object) -> str:
    """Return a value as Magento puts it into words."""
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
