"""What orders the catalog, over REST: attributes with their options, attribute sets, types, categories. Read only."""

from __future__ import annotations

from typing import Any

from bridge.sandbox.magento.ask import Ask, Endpoint
from bridge.sandbox.magento.orders_api import found, limited
from bridge.sandbox.magento.rest import Raw, RestError, wrong_type
from bridge.sandbox.magento.search import Column, parse_criteria

_ATTRIBUTES = "Magento_Catalog::attributes_attributes"
_SETS = "Magento_Catalog::sets"
_CATEGORIES = "Magento_Catalog::categories"
_PRODUCTS = "Magento_Catalog::products"
#: Fields of an attribute that a set's list leaves out (``catalog/054-attribute-set-attributes``).
_NOT_IN_SETS = frozenset(
    {
        "is_wysiwyg_enabled",
        "is_html_allowed_on_front",
        "used_for_sort_by",
        "is_filterable",
        "is_filterable_in_search",
        "is_used_in_grid",
        "is_visible_in_grid",
        "is_filterable_in_grid",
        "position",
        "apply_to",
        "is_searchable",
        "is_visible_in_advanced_search",
        "is_comparable",
        "is_used_for_promo_rules",
        "is_visible_on_front",
        "used_in_product_listing",
        "is_visible",
        "scope",
    }
)
#: An attribute that exists and that no product can have (``catalog/052-attributes-list``, not in ``054``).
_IN_NO_SET = frozenset({"manufacturer"})
#: ``catalog/053-attribute-sets`` and ``055-product-types``.
_DEFAULT_SET = {
    "attribute_set_id": 4,
    "attribute_set_name": "Default",
    "sort_order": 1,
    "entity_type_id": 4,
}
_TYPES = {
    "simple": "Simple Product",
    "virtual": "Virtual Product",
    "downloadable": "Downloadable Product",
    "bundle": "Bundle Product",
    "grouped": "Grouped Product",
    "configurable": "Configurable Product",
}
#: The root category that the tree begins with unless another is asked for (``catalog/057-categories-tree``).
_ROOT = 2
_NOT_VISIBLE = 1
_EVERY_LEVEL = 10_000


def list_attributes(ask: Ask) -> Raw:
    """Answer a page of attributes (``catalog/052-attributes-list``)."""
    return _listed(ask, ask.state.attributes.all())


def get_attribute(ask: Ask) -> Raw:
    """Answer an attribute, or 404 (``catalog/056-attribute-get-unknown``)."""
    raw = ask.state.attributes.get(ask.path["code"])
    if raw is None:
        raise RestError(
            404,
            'The attribute with a "%1" attributeCode doesn\'t exist. Verify the attribute and try again.',
            [ask.path["code"]],
        )
    return raw


def list_options(ask: Ask) -> list[Raw]:
    """Answer the options of an attribute, the empty one first (``catalog/007-attribute-options-get``)."""
    options: list[Raw] = get_attribute(ask)["options"]
    return options


def list_sets(ask: Ask) -> Raw:
    """Answer the attribute sets."""
    return _listed(ask, [_DEFAULT_SET])


def list_set_attributes(ask: Ask) -> list[Raw]:
    """Answer the attributes of a set, shorter than they are by themselves."""
    return [
        {name: value for name, value in raw.items() if name not in _NOT_IN_SETS}
        for raw in ask.state.attributes.all()
        if raw["attribute_code"] not in _IN_NO_SET
    ]


def list_types(ask: Ask) -> list[Raw]:  # noqa: ARG001  # as all handlers have it
    """Answer the product types."""
    return [{"name": name, "label": label} for name, label in _TYPES.items()]


def get_tree(ask: Ask) -> Raw:
    """Answer the tree of categories below a root, as deep as asked for (``catalog/057``, ``058``)."""
    given = dict(ask.query)
    return _branch(ask, _given(given, "rootCategoryId", _ROOT), _given(given, "depth", _EVERY_LEVEL))


def list_categories(ask: Ask) -> Raw:
    """Answer a page of categories (``catalog/059-categories-list``)."""
    return _listed(ask, ask.state.categories.all())


def get_category(ask: Ask) -> Raw:
    """Answer a category, or 404 (``catalog/061-category-get-unknown``)."""
    return _category(ask, ask.integer("id"))


def list_category_products(ask: Ask) -> list[Raw]:
    """Answer which products a category shows (``catalog/062-category-products``)."""
    number = str(get_category(ask)["id"])
    return [
        {"sku": raw["sku"], "position": 0, "category_id": number}
        for raw in ask.state.catalog.all()
        if number in _category_ids(raw)
    ]


def _listed(ask: Ask, rows: list[Raw]) -> Raw:
    names = {name for row in rows for name in row}
    columns: dict[str, Column] = {name: lambda row, name=name: row.get(name) for name in names}  # type: ignore[misc]
    columns["entity_id"] = lambda row: row.get("id")
    return found(rows, limited(ask, parse_criteria(ask.query)), columns, dates=("created_at", "updated_at"))


def _given(query: dict[str, str], name: str, otherwise: int) -> int:
    text = query.get(name, str(otherwise))
    if not text.lstrip("-").isdigit():
        raise wrong_type(text, "int", name)
    return int(text)


def _category(ask: Ask, category_id: int) -> Raw:
    raw = ask.state.categories.get(category_id)
    if raw is None:
        raise RestError(
            404,
            "No such entity with %fieldName = %fieldValue",
            {"fieldName": "id", "fieldValue": category_id},
        )
    return raw


def _branch(ask: Ask, category_id: int, depth: int) -> Raw:
    raw = _category(ask, category_id)
    children = ask.state.categories.children(category_id) if depth > 0 else []
    return {
        **{name: raw.get(name) for name in ("id", "parent_id", "name", "is_active", "position", "level")},
        "product_count": _product_count(ask, raw),
        "children_data": [_branch(ask, child["id"], depth - 1) for child in children],
    }


def _product_count(ask: Ask, raw: Raw) -> int:
    """Return how many products are shown in a category and below it; a root category shows none."""
    if raw["level"] < _ROOT:
        return 0
    within = {
        str(one["id"])
        for one in ask.state.categories.all()
        if f"{one['path']}/".startswith(f"{raw['path']}/")
    }
    return sum(
        product["visibility"] != _NOT_VISIBLE and not within.isdisjoint(_category_ids(product))
        for product in ask.state.catalog.all()
    )


def _category_ids(product: Raw) -> list[Any]:
    return [link["category_id"] for link in product["extension_attributes"].get("category_links", [])]


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("GET", "products/attributes", _ATTRIBUTES, list_attributes),
    Endpoint("GET", "products/attributes/:code", _ATTRIBUTES, get_attribute),
    Endpoint("GET", "products/attributes/:code/options", _ATTRIBUTES, list_options),
    Endpoint("GET", "products/attribute-sets/sets/list", _SETS, list_sets),
    Endpoint("GET", "products/attribute-sets/:id/attributes", _SETS, list_set_attributes),
    Endpoint("GET", "products/types", _PRODUCTS, list_types),
    Endpoint("GET", "categories", _CATEGORIES, get_tree),
    Endpoint("GET", "categories/list", _CATEGORIES, list_categories),
    Endpoint("GET", "categories/:id", _CATEGORIES, get_category),
    Endpoint("GET", "categories/:id/products", _CATEGORIES, list_category_products),
)
